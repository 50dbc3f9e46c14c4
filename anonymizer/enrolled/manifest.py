"""What must be known of a network that tells faces apart: a TOML file that a person writes beside it.

    schema = "bauta.model/v1"
    kind = "face-embedding"
    file = "faces.onnx"            # beside this file
    sha256 = "..."                 # of that file
    licence = "..."
    source = "..."

    [input]                        # (1, 3, 112, 112) float32
    side = 112
    colours = "rgb"                # or "bgr"
    mean = [127.5, 127.5, 127.5]   # value = (pixel - mean) / deviation, by channel in that order
    deviation = [127.5, 127.5, 127.5]
    align = "eyes"                 # the eyes lie where the network expects them; or "box"
    eyes_apart = 0.315             # for "eyes": between their middles, and below the upper edge,
    eyes_down = 0.46               #   in shares of the side
    room = 1.2                     # for "box", instead: the side in shares of the found face's

    [output]
    dimension = 512                # (1, 512), 64 to 2048
    metric = "cosine"

    [match]
    threshold = 0.5                # the median of several sightings reaches it
    least = 0.4                    # no sighting falls below it
    margin = 0.1                   # by so much the best of the enrolled leads the next

The three numbers of the match decide who is shown by mistake. They are the network's, and whoever adds it
answers for them.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal

from anonymizer.strict_toml import SCHEMA, SHA256, exactly, line, text, triple, whole_number, word, wrong

FACE_EMBEDDING: Final = "custom-face-embedding"

_NETWORK: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.onnx")
_KEYS: Final = frozenset(
    {"schema", "kind", "file", "sha256", "licence", "source", "input", "output", "match"}
)
_INPUT: Final = frozenset({"side", "colours", "mean", "deviation", "align"})
_BY_ALIGNMENT: Final = {"eyes": frozenset({"eyes_apart", "eyes_down"}), "box": frozenset({"room"})}
_OUTPUT: Final = frozenset({"dimension", "metric"})
_MATCH: Final = frozenset({"threshold", "least", "margin"})
_SIDES: Final = (32, 512)
_DIMENSIONS: Final = (64, 2048)


@dataclass(frozen=True)
class Eyes:
    """Where a network expects the eyes, in shares of its square's side.

    Attributes:
        apart: between the middles of both.
        down: from the upper edge to the line through them.
    """

    apart: float
    down: float


@dataclass(frozen=True)
class Bounds:
    """When two vectors are of one face: cosines, from -1 to 1.

    Attributes:
        threshold: the median of several sightings reaches it.
        least: no sighting falls below it.
        margin: by so much the best of those who are enrolled leads the next.
    """

    threshold: float
    least: float
    margin: float


@dataclass(frozen=True)
class FaceEmbedding:
    """A network that makes a vector of a face; those of one person point the same way.

    Attributes:
        file, sha256: the graph.
        licence, source: for people.
        side: of the square that it takes, (1, 3, side, side) float32, in pixels.
        colours: the order of the channels.
        mean, deviation: value = (pixel - mean) / deviation, by channel in that order, pixels 0 to 255.
        eyes: where the eyes lie in the square; None where the square lies around the found box.
        room: then the square's side, in shares of the box's larger side.
        dimension: numbers in a vector.
        bounds: when two are of one face.
    """

    file: str
    sha256: str
    licence: str
    source: str
    side: int
    colours: Literal["rgb", "bgr"]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    eyes: Eyes | None
    room: float
    dimension: int
    bounds: Bounds

    kind: ClassVar[Literal["face-embedding"]] = "face-embedding"
    name: ClassVar[str] = FACE_EMBEDDING


def read_embedding(table: dict[str, Any]) -> FaceEmbedding:
    """Reads a manifest's TOML, once it is known to be of this kind.

    Raises:
        AnonymizerError: model_manifest_invalid; the message names the key, never a value.
    """
    exactly(table, _KEYS, "")
    if table["schema"] != SCHEMA:
        raise wrong("schema", f"must be {SCHEMA}")
    for key in ("input", "output", "match"):
        if not isinstance(table[key], dict):
            raise wrong(key, "must be a table")
    given, answered = table["input"], table["output"]
    if "align" not in given:
        raise wrong("input.align", "is missing")
    align = word(given, "align", tuple(_BY_ALIGNMENT), "input.")
    exactly(given, _INPUT | _BY_ALIGNMENT[align], "input.")
    exactly(answered, _OUTPUT, "output.")
    word(answered, "metric", ("cosine",), "output.")
    by_eyes = align == "eyes"
    return FaceEmbedding(
        file=text(table, "file", _NETWORK),
        sha256=text(table, "sha256", SHA256),
        licence=line(table, "licence"),
        source=line(table, "source"),
        side=whole_number(given, "side", *_SIDES, "input."),
        colours=word(given, "colours", ("rgb", "bgr"), "input."),
        mean=triple(given, "mean", 0.0, 255.0, "input."),
        deviation=triple(given, "deviation", 1e-3, 1e3, "input."),
        eyes=Eyes(_share(given, "eyes_apart", 0.1, 0.9), _share(given, "eyes_down", 0.1, 0.9))
        if by_eyes
        else None,
        room=1.0 if by_eyes else _share(given, "room", 1.0, 3.0),
        dimension=whole_number(answered, "dimension", *_DIMENSIONS, "output."),
        bounds=_bounds(table["match"]),
    )


def _bounds(table: dict[str, Any]) -> Bounds:
    exactly(table, _MATCH, "match.")
    bounds = Bounds(
        threshold=_share(table, "threshold", 0.05, 0.99, "match."),
        least=_share(table, "least", 0.0, 0.99, "match."),
        margin=_share(table, "margin", 0.0, 1.0, "match."),
    )
    if bounds.least > bounds.threshold:
        raise wrong("match.least", "must not be more than threshold")
    return bounds


def _share(table: dict[str, Any], key: str, lowest: float, highest: float, path: str = "input.") -> float:
    value = table[key]
    if type(value) not in (int, float) or not math.isfinite(value) or not lowest <= value <= highest:
        raise wrong(path + key, f"must be a number from {lowest:g} to {highest:g}")
    return float(value)
