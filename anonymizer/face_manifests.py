"""What must be known of a face that an operator adds: of somebody who agreed to it, or made by a network.

A photograph, for the effect swap:

    schema = "bauta.model/v1"
    kind = "source-face"
    file = "somebody.png"          # beside this file; or .jpg
    sha256 = "..."                 # of that file
    consent = "..."                # who agreed to what, and when: one line
    licence = "..."
    source = "..."

A network, for the effect generator:

    schema = "bauta.model/v1"
    kind = "generator"
    file = "faces.onnx"
    sha256 = "..."
    licence = "..."
    source = "..."

    [input]                        # in this order, those that are not 0 or false
    seed = 128                     # (1, 128) float32: drawn for each identity, mean 0, deviation 1
    landmarks = "five"             # (1, N, 2) float32, 0 to 1 across and down; or "none", "mesh", [1, 33]
    pose = true                    # (1, 3) float32: yaw, pitch and roll in radians

    [output]
    side = 256                     # (1, 3, 256, 256) float32 RGB, or with alpha (1, 4, 256, 256)
    alpha = false
    lowest = -1.0                  # what stands for black and for white
    highest = 1.0

The landmarks are those of the mean face doing what the covered one does: a generator learns no proportion of
whoever is covered.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from anonymizer.landmarks.points import MESH_POINTS
from anonymizer.strict_toml import (
    SCHEMA,
    SHA256,
    exactly,
    line,
    load,
    text,
    whole_number,
    word,
    wrong,
)

FaceKind = Literal["source-face", "generator"]
SOURCE_FACE: Final = "custom-source-face"
GENERATOR: Final = "custom-generator"
FACE_KINDS: Final[tuple[FaceKind, ...]] = ("source-face", "generator")

# Both eyes' middles, the tip of the nose, both corners of the mouth; an eye is the mean of its corners.
FIVE: Final[tuple[tuple[int, ...], ...]] = ((33, 133), (263, 362), (1,), (61,), (291,))
MOST_SEED: Final = 4096
SIDES: Final = (32, 1024)
_PHOTOGRAPH = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.(png|jpg|jpeg)")
_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.onnx")
_COMMON: Final = frozenset({"schema", "kind", "file", "sha256", "licence", "source"})
_INPUT: Final = frozenset({"seed", "landmarks", "pose"})
_OUTPUT: Final = frozenset({"side", "alpha", "lowest", "highest"})
_MOST_VALUE: Final = 1e4


@dataclass(frozen=True)
class SourceFace:
    """A photograph of somebody whose face may be put on others.

    Attributes:
        file, sha256: the picture.
        consent: who agreed to what.
        licence, source: for people.
    """

    file: str
    sha256: str
    consent: str
    licence: str
    source: str

    kind: ClassVar[FaceKind] = "source-face"
    name: ClassVar[str] = SOURCE_FACE


@dataclass(frozen=True)
class Generator:
    """A network that makes faces.

    Attributes:
        file, sha256: the graph.
        licence, source: for people.
        seed: how many numbers an identity has; 0 where the network takes none.
        landmarks: which points of the mesh it takes, each the mean of one or more; empty for none.
        pose: whether it takes yaw, pitch and roll.
        side: of the square that it gives, in pixels.
        alpha: whether it says which part of that is the face.
        lowest, highest: what stands for black and for white.
    """

    file: str
    sha256: str
    licence: str
    source: str
    seed: int
    landmarks: tuple[tuple[int, ...], ...]
    pose: bool
    side: int
    alpha: bool
    lowest: float
    highest: float

    kind: ClassVar[FaceKind] = "generator"
    name: ClassVar[str] = GENERATOR


def parse_face_manifest(untrusted: bytes) -> SourceFace | Generator:
    """Reads a manifest.

    Raises:
        AnonymizerError: model_manifest_invalid; the message names the key, never a value.
    """
    table = load(untrusted)
    if "kind" not in table:
        raise wrong("kind", "is missing")
    kind = word(table, "kind", FACE_KINDS)
    keys = _COMMON | ({"consent"} if kind == "source-face" else {"input", "output"})
    exactly(table, keys, "")
    if table["schema"] != SCHEMA:
        raise wrong("schema", f"must be {SCHEMA}")
    if kind == "source-face":
        return SourceFace(
            file=text(table, "file", _PHOTOGRAPH),
            sha256=text(table, "sha256", SHA256),
            consent=line(table, "consent"),
            licence=line(table, "licence"),
            source=line(table, "source"),
        )
    return _generator(table)


def _generator(table: dict[str, Any]) -> Generator:
    for key, keys in (("input", _INPUT), ("output", _OUTPUT)):
        if not isinstance(table[key], dict):
            raise wrong(key, "must be a table")
        exactly(table[key], keys, f"{key}.")
    given, answered = table["input"], table["output"]
    lowest, highest = (_number(answered, key) for key in ("lowest", "highest"))
    if highest <= lowest:
        raise wrong("output.highest", "must be more than lowest")
    made = Generator(
        file=text(table, "file", _NETWORK),
        sha256=text(table, "sha256", SHA256),
        licence=line(table, "licence"),
        source=line(table, "source"),
        seed=whole_number(given, "seed", 0, MOST_SEED, "input."),
        landmarks=_points(given["landmarks"]),
        pose=_truth(given, "pose", "input."),
        side=whole_number(answered, "side", *SIDES, "output."),
        alpha=_truth(answered, "alpha", "output."),
        lowest=lowest,
        highest=highest,
    )
    if not (made.seed or made.landmarks or made.pose):
        raise wrong("input", "must name at least one thing")
    return made


def _points(value: object) -> tuple[tuple[int, ...], ...]:
    if value == "none":
        return ()
    if value == "five":
        return FIVE
    if value == "mesh":
        return tuple((number,) for number in range(MESH_POINTS))
    if (
        not isinstance(value, list)
        or not 0 < len(value) <= MESH_POINTS
        or not all(type(number) is int and 0 <= number < MESH_POINTS for number in value)
    ):
        raise wrong("input.landmarks", f"must be none, five, mesh, or numbers below {MESH_POINTS}")
    return tuple((number,) for number in value)


def _truth(table: dict[str, Any], key: str, path: str) -> bool:
    value = table[key]
    if type(value) is not bool:
        raise wrong(path + key, "must be true or false")
    return value


def _number(table: dict[str, Any], key: str) -> float:
    value = table[key]
    if type(value) not in (int, float) or not math.isfinite(value) or abs(value) > _MOST_VALUE:
        raise wrong(f"output.{key}", "must be a number")
    return float(value)
