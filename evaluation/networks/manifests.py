"""What must be known of a network to evaluate with it: a TOML file that a person writes beside it.

    schema = "bauta.model/v1"
    kind = "person-embedding"      # or "picture-distance", "action"
    file = "osnet_x1_0.onnx"       # beside this file
    sha256 = "..."                 # of that file
    licence = "..."
    source = "..."

    [input]                        # pictures as (..., 3, height, width) float32
    height = 256
    width = 128
    colours = "rgb"                # or "bgr"
    mean = [123.675, 116.28, 103.53]     # value = (pixel - mean) / deviation, by channel in that order
    deviation = [58.395, 57.12, 57.375]

and then, by kind:

    [output]                       # person-embedding: (1, 512), 64 to 4096
    dimension = 512
    metric = "cosine"
    [match]
    threshold = 0.7                # two originals whose cosine is above it are taken for one person

    [output]                       # picture-distance: two inputs, one number out, 0 for two that are the same
    metric = "distance"

    [clip]                         # action: so many frames are one clip,
    frames = 16
    step = 2                       # and so many of the film lie from one of them to the next
    layout = "NCTHW"               # the order of the input's axes; or "NTCHW"
    [output]
    labels = ["walking", "waving"] # (1, labels): the highest number is the class

Reading is strict: a key too many, one missing or a value out of range is an error that names the key.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any, ClassVar, Final, Literal, get_args

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.strict_toml import (
    SCHEMA,
    SHA256,
    exactly,
    line,
    load,
    text,
    triple,
    whole_number,
    word,
    wrong,
)

Pixels = npt.NDArray[np.uint8]
Values = npt.NDArray[np.float32]
Kind = Literal["person-embedding", "picture-distance", "action"]
Layout = Literal["NCTHW", "NTCHW"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_NETWORK: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.onnx")
_COMMON: Final = frozenset({"schema", "kind", "file", "sha256", "licence", "source", "input", "output"})
_MORE: Final[dict[Kind, frozenset[str]]] = {
    "person-embedding": frozenset({"match"}),
    "picture-distance": frozenset(),
    "action": frozenset({"clip"}),
}
_INPUT: Final = frozenset({"height", "width", "colours", "mean", "deviation"})
_SIDES: Final = (32, 1024)
_DIMENSIONS: Final = (64, 4096)
_FRAMES: Final = (2, 128)
_STEPS: Final = (1, 32)
MOST_LABELS: Final = 1000


@dataclass(frozen=True)
class PictureInput:
    """How pictures become what a network takes.

    Attributes:
        height, width: pixels.
        colours: the order of the channels.
        mean, deviation: value = (pixel - mean) / deviation, by channel in that order, pixels 0 to 255.
    """

    height: int
    width: int
    colours: Literal["rgb", "bgr"]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]

    def fitted(self, picture: Pixels) -> Pixels:
        """Returns a picture (H, W, 3) stretched to the network's size, as re-identification does it."""
        shrinks = picture.shape[0] > self.height and picture.shape[1] > self.width
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(picture, (self.width, self.height), interpolation=how), np.uint8)

    def values(self, picture: Pixels) -> Values:
        """Returns (3, height, width) float32 of (height, width, 3) uint8 RGB."""
        ordered = picture if self.colours == "rgb" else picture[:, :, ::-1]
        mean, deviation = (np.array(each, np.float32) for each in (self.mean, self.deviation))
        return np.ascontiguousarray(((ordered.astype(np.float32) - mean) / deviation).transpose(2, 0, 1))


@dataclass(frozen=True)
class NetworkManifest:
    """What every kind says.

    Attributes:
        file, sha256: the graph.
        licence, source: for people.
        takes: its pictures.
    """

    file: str
    sha256: str
    licence: str
    source: str
    takes: PictureInput

    @property
    def name(self) -> str:
        """What the network is called in findings."""
        return self.file.removesuffix(".onnx")


@dataclass(frozen=True)
class PersonEmbedding(NetworkManifest):
    """A network that makes a vector of a person; those of one person point the same way.

    Attributes:
        dimension: numbers in a vector.
        same_above: two originals whose cosine is above it are taken for one person.
    """

    dimension: int
    same_above: float

    kind: ClassVar[Kind] = "person-embedding"


@dataclass(frozen=True)
class PictureDistance(NetworkManifest):
    """A network that tells how far two pictures are apart."""

    kind: ClassVar[Kind] = "picture-distance"


@dataclass(frozen=True)
class ActionClassifier(NetworkManifest):
    """A network that tells what is done in a clip.

    Attributes:
        frames: of a clip.
        step: so many frames of the film lie from one to the next.
        layout: the order of the input's axes: clips, colours, time, rows, columns.
        labels: of the classes, in their order.
    """

    frames: int
    step: int
    layout: Layout
    labels: tuple[str, ...]

    kind: ClassVar[Kind] = "action"


AnyNetwork = PersonEmbedding | PictureDistance | ActionClassifier


def parse_network(untrusted: bytes) -> AnyNetwork:
    """Reads a manifest.

    Raises:
        AnonymizerError: model_manifest_invalid; the message names the key, never a value.
    """
    table = load(untrusted)
    if "kind" not in table:
        raise wrong("kind", "is missing")
    kind: Kind = word(table, "kind", KINDS)
    exactly(table, _COMMON | _MORE[kind], "")
    if table["schema"] != SCHEMA:
        raise wrong("schema", f"must be {SCHEMA}")
    tables = {key: _table(table, key) for key in ("input", "output", *_MORE[kind])}
    said = (
        text(table, "file", _NETWORK),
        text(table, "sha256", SHA256),
        line(table, "licence"),
        line(table, "source"),
        _input(tables["input"]),
    )
    answered = tables["output"]
    if kind == "picture-distance":
        exactly(answered, frozenset({"metric"}), "output.")
        word(answered, "metric", ("distance",), "output.")
        return PictureDistance(*said)
    if kind == "action":
        exactly(answered, frozenset({"labels"}), "output.")
        clip = tables["clip"]
        exactly(clip, frozenset({"frames", "step", "layout"}), "clip.")
        return ActionClassifier(
            *said,
            frames=whole_number(clip, "frames", *_FRAMES, "clip."),
            step=whole_number(clip, "step", *_STEPS, "clip."),
            layout=word(clip, "layout", get_args(Layout), "clip."),
            labels=_labels(answered),
        )
    exactly(answered, frozenset({"dimension", "metric"}), "output.")
    word(answered, "metric", ("cosine",), "output.")
    exactly(tables["match"], frozenset({"threshold"}), "match.")
    return PersonEmbedding(
        *said,
        dimension=whole_number(answered, "dimension", *_DIMENSIONS, "output."),
        same_above=_threshold(tables["match"]),
    )


def _table(table: dict[str, Any], key: str) -> dict[str, Any]:
    if not isinstance(table[key], dict):
        raise wrong(key, "must be a table")
    found: dict[str, Any] = table[key]
    return found


def _input(table: dict[str, Any]) -> PictureInput:
    exactly(table, _INPUT, "input.")
    return PictureInput(
        height=whole_number(table, "height", *_SIDES, "input."),
        width=whole_number(table, "width", *_SIDES, "input."),
        colours=word(table, "colours", ("rgb", "bgr"), "input."),
        mean=triple(table, "mean", 0.0, 255.0, "input."),
        deviation=triple(table, "deviation", 1e-3, 1e3, "input."),
    )


def _labels(table: dict[str, Any]) -> tuple[str, ...]:
    labels = table["labels"]
    if not isinstance(labels, list) or not 2 <= len(labels) <= MOST_LABELS:
        raise wrong("output.labels", f"must be a list of 2 to {MOST_LABELS}")
    if not all(isinstance(each, str) and 0 < len(each) <= 100 and each.isprintable() for each in labels):
        raise wrong("output.labels", "must be words of 1 to 100 characters")
    if len(set(labels)) < len(labels):
        raise wrong("output.labels", "must differ")
    return tuple(labels)


def _threshold(table: dict[str, Any]) -> float:
    value = table["threshold"]
    if type(value) not in (int, float) or not math.isfinite(value) or not 0.0 <= value <= 0.999:
        raise wrong("match.threshold", "must be a number from 0 to 0.999")
    return float(value)
