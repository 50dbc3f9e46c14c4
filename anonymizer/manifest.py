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

import math
import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from anonymizer.errors import AnonymizerError
from anonymizer.settings import Kind

SCHEMA: Final = "bauta.model/v1"
MAX_MANIFEST_BYTES: Final = 16 << 10
MAX_SIDE: Final = 2048
# Every decoder's coarsest grid has cells of 32 pixels.
GRANULE: Final = 32

Decoder = Literal["centerface", "retinaface", "scrfd", "yolov5", "yolov8", "yunet"]
DECODERS: Final[tuple[str, ...]] = get_args(Decoder)

# The families whose answers tell several classes apart.
CLASSIFYING: Final = ("yolov5", "yolov8")
MOST_CLASSES: Final = 1000

_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\.onnx")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_KEYS = frozenset({"schema", "kind", "file", "sha256", "decoder", "licence", "source", "input"})
_MAY_BE_LEFT_OUT = frozenset({"class"})
_INPUT_KEYS = frozenset({"width", "height", "colours", "mean", "deviation"})
_MOST_DOTS_IN_LINE = 64


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


def added_name(kind: Kind) -> str:
    """Returns the name of the added model of a kind."""
    return f"custom-{kind}"


def parse_manifest(untrusted: bytes) -> Manifest:
    """Reads a manifest.

    Raises:
        AnonymizerError: model_manifest_invalid; the message names the key, never a value.
    """
    table = _load(untrusted)
    _exactly({key: table[key] for key in table.keys() - _MAY_BE_LEFT_OUT}, _KEYS, "")
    layout = table["input"]
    if not isinstance(layout, dict):
        raise _wrong("input", "must be a table")
    _exactly(layout, _INPUT_KEYS, "input.")
    if table["schema"] != SCHEMA:
        raise _wrong("schema", f"must be {SCHEMA}")
    return Manifest(
        kind=_word(table, "kind", get_args(Kind)),
        file=_text(table, "file", _FILE),
        sha256=_text(table, "sha256", _SHA256),
        decoder=_word(table, "decoder", DECODERS),
        licence=_line(table, "licence"),
        source=_line(table, "source"),
        layout=InputLayout(
            width=_side(layout, "width"),
            height=_side(layout, "height"),
            colours=_word(layout, "colours", ("rgb", "bgr")),
            mean=_triple(layout, "mean", 0.0, 255.0),
            deviation=_triple(layout, "deviation", 1e-3, 1e3),
        ),
        class_number=_class(table),
    )


def _load(untrusted: bytes) -> dict[str, Any]:
    if len(untrusted) > MAX_MANIFEST_BYTES:
        raise AnonymizerError("model_manifest_invalid", f"It is larger than {MAX_MANIFEST_BYTES} bytes.")
    # tomllib takes a key's parts in quadratic time.
    if any(line.count(b".") > _MOST_DOTS_IN_LINE for line in untrusted.split(b"\n")):
        raise AnonymizerError("model_manifest_invalid", "A line has too many dots.")
    try:
        return tomllib.loads(untrusted.decode())
    # ValueError: also what tomllib lets out for impossible dates; RecursionError: deep nesting.
    except (ValueError, RecursionError):
        raise AnonymizerError("model_manifest_invalid", "It is not TOML.") from None


def _exactly(table: dict[str, Any], keys: frozenset[str], path: str) -> None:
    for key in sorted(keys - table.keys()):
        raise _wrong(path + key, "is missing")
    if table.keys() - keys:
        raise _wrong(f"{path}(a key)" if path else "a key", "is not known")


def _word(table: dict[str, Any], key: str, allowed: tuple[str, ...]) -> Any:
    value = table[key]
    if not isinstance(value, str) or value not in allowed:
        raise _wrong(key, f"must be one of {', '.join(allowed)}")
    return value


def _text(table: dict[str, Any], key: str, shape: re.Pattern[str]) -> str:
    value = table[key]
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise _wrong(key, "does not have its shape")
    return value


def _line(table: dict[str, Any], key: str) -> str:
    value = table[key]
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
        raise _wrong(key, "must be one line of text, 1 to 200 characters")
    return value


def _class(table: dict[str, Any]) -> int | None:
    if "class" not in table:
        return None
    value = table["class"]
    if type(value) is not int or not 0 <= value < MOST_CLASSES:
        raise _wrong("class", f"must be a whole number from 0 to {MOST_CLASSES - 1}")
    if table["decoder"] not in CLASSIFYING:
        raise _wrong("class", f"has a meaning for {' and '.join(CLASSIFYING)} alone")
    return value


def _side(table: dict[str, Any], key: str) -> int:
    value = table[key]
    if type(value) is not int or not GRANULE <= value <= MAX_SIDE or value % GRANULE:
        raise _wrong(f"input.{key}", f"must be a multiple of {GRANULE}, up to {MAX_SIDE}")
    return value


def _triple(table: dict[str, Any], key: str, lowest: float, highest: float) -> tuple[float, float, float]:
    value = table[key]
    if (
        not isinstance(value, list)
        or len(value) != 3
        or not all(type(v) in (int, float) and math.isfinite(v) and lowest <= v <= highest for v in value)
    ):
        raise _wrong(f"input.{key}", f"must be three numbers from {lowest:g} to {highest:g}")
    return float(value[0]), float(value[1]), float(value[2])


def _wrong(key: str, what: str) -> AnonymizerError:
    return AnonymizerError("model_manifest_invalid", f"{key} {what}.")
