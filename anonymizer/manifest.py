"""What must be known of an ONNX detector to run it: a TOML file that a person writes beside the model.

    schema = "bauta.model/v1"
    kind = "face"                  # or "person", "text", "plate"
    file = "yunet.onnx"            # beside this file
    sha256 = "..."                 # of that file
    decoder = "yunet"              # how its answers are read: decoding.py
    licence = "MIT"
    source = "https://..."

    [input]
    width = 640                    # what the network takes; pictures are fitted into it
    height = 640
    colours = "bgr"                # or "rgb"
    mean = [0.0, 0.0, 0.0]         # value = (pixel - mean) / deviation, by channel in that order
    deviation = [1.0, 1.0, 1.0]

For a YOLO that knows several classes, `class = 0` after the decoder names the one that counts (people, where
COCO taught it); without it they all do.

Reading is strict: a key too many, one missing or a value out of range is an error that names the key.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from anonymizer.settings import Kind
from anonymizer.strict_toml import SCHEMA, SHA256, exactly, line, load, text, triple, word, wrong

MAX_SIDE: Final = 2048
# Every decoder's coarsest grid has cells of 32 pixels.
GRANULE: Final = 32

Decoder = Literal["centerface", "retinaface", "scrfd", "yolov5", "yolov8", "yunet"]
DECODERS: Final[tuple[str, ...]] = get_args(Decoder)

# The families whose answers tell several classes apart.
CLASSIFYING: Final = ("yolov5", "yolov8")
MOST_CLASSES: Final = 1000

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.onnx")
_KEYS = frozenset({"schema", "kind", "file", "sha256", "decoder", "licence", "source", "input"})
_MAY_BE_LEFT_OUT = frozenset({"class"})
_INPUT_KEYS = frozenset({"width", "height", "colours", "mean", "deviation"})


@dataclass(frozen=True)
class InputLayout:
    """What a network takes: (1, 3, height, width) float32.

    Attributes:
        width, height: pixels, multiples of 32.
        colours: the order of the channels.
        mean, deviation: value = (pixel - mean) / deviation, by channel in that order, pixels 0 to 255.
    """

    width: int
    height: int
    colours: Literal["rgb", "bgr"]
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


@dataclass(frozen=True)
class Manifest:
    """One added detector.

    Attributes:
        kind: what it finds.
        file: the model's file name.
        sha256: of that file, hexadecimal.
        decoder: how its answers are read.
        licence, source: for people.
        layout: what it takes.
        class_number: the class that counts, from 0; None where all of them do.
    """

    kind: Kind
    file: str
    sha256: str
    decoder: Decoder
    licence: str
    source: str
    layout: InputLayout
    class_number: int | None = None

    @property
    def name(self) -> str:
        """The word under which its digest stands in proofs and policies ask for it: one for each kind."""
        return added_name(self.kind)


def added_name(kind: str) -> str:
    """Returns the name of the added model of a kind."""
    return f"custom-{kind}"


def parse_manifest(untrusted: bytes) -> Manifest:
    """Reads a manifest.

    Raises:
        AnonymizerError: model_manifest_invalid; the message names the key, never a value.
    """
    table = load(untrusted)
    exactly({key: table[key] for key in table.keys() - _MAY_BE_LEFT_OUT}, _KEYS, "")
    layout = table["input"]
    if not isinstance(layout, dict):
        raise wrong("input", "must be a table")
    exactly(layout, _INPUT_KEYS, "input.")
    if table["schema"] != SCHEMA:
        raise wrong("schema", f"must be {SCHEMA}")
    return Manifest(
        kind=word(table, "kind", get_args(Kind)),
        file=text(table, "file", _FILE),
        sha256=text(table, "sha256", SHA256),
        decoder=word(table, "decoder", DECODERS),
        licence=line(table, "licence"),
        source=line(table, "source"),
        layout=InputLayout(
            width=_side(layout, "width"),
            height=_side(layout, "height"),
            colours=word(layout, "colours", ("rgb", "bgr")),
            mean=triple(layout, "mean", 0.0, 255.0, "input."),
            deviation=triple(layout, "deviation", 1e-3, 1e3, "input."),
        ),
        class_number=_class(table),
    )


def _class(table: dict[str, Any]) -> int | None:
    if "class" not in table:
        return None
    value = table["class"]
    if type(value) is not int or not 0 <= value < MOST_CLASSES:
        raise wrong("class", f"must be a whole number from 0 to {MOST_CLASSES - 1}")
    if table["decoder"] not in CLASSIFYING:
        raise wrong("class", f"has a meaning for {' and '.join(CLASSIFYING)} alone")
    return value


def _side(table: dict[str, Any], key: str) -> int:
    value = table[key]
    if type(value) is not int or not GRANULE <= value <= MAX_SIDE or value % GRANULE:
        raise wrong(f"input.{key}", f"must be a multiple of {GRANULE}, up to {MAX_SIDE}")
    return value
