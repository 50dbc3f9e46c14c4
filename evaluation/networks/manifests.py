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
from typing import Any, Final, get_args

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
from evaluation.networks.kinds import (
    KINDS,
    ActionClassifier,
    AnyNetwork,
    Kind,
    Layout,
    PersonEmbedding,
    PictureDistance,
    PictureInput,
)

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
