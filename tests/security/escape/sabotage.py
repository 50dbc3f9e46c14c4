"""Workers that anonymize badly and do not know it: a real job whose own code was spoiled in one place.

Unlike those that lie, they attack their result as every worker does. What they spoiled must be found by that.
"""

from __future__ import annotations

from collections.abc import Callable, Set
from typing import Any

from anonymizer import still
from anonymizer.boxes import Box, Boxes, no_boxes
from anonymizer.detect.looking import Looker
from anonymizer.review import deciding
from enclave.nursery.warden import Task

Spoil = Callable[[], None]

# A JPEG segment as a camera writes it: Exif, little-endian, one field: the program's name is "camera".
_EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x31\x01\x02\0\x07\0\0\0\x1a\0\0\0\0\0\0\0camera\0"
_SEGMENT = b"\xff\xe1" + (len(_EXIF) + 2).to_bytes(2, "big") + _EXIF


def done(spoil: Spoil, task: Task) -> Task:
    """The task, by a worker that is spoiled first: in a forked child, which ends with it."""

    def run(standing: Set[str]) -> None:
        spoil()
        task(standing)

    return run


def _cover_a_tenth() -> None:
    honest = vars(deciding)["region_of"]

    def tight(face: Box, scale: float, *rest: Any) -> Any:
        return honest(face, scale / 10, *rest)

    vars(deciding)["region_of"] = tight


def _keep_the_cameras_words() -> None:
    honest = still._encode

    def talkative(*given: Any, **named: Any) -> bytes:
        encoded = honest(*given, **named)
        return encoded[:2] + _SEGMENT + encoded[2:]

    vars(still)["_encode"] = talkative


def _look_at_nothing() -> None:
    def blind(_self: Looker, _width: int, _height: int, _copy_at: object) -> Boxes:
        return no_boxes()

    # In a forked child, which ends with it.
    Looker.look = blind  # type: ignore[assignment, method-assign]


ALL: dict[str, Spoil] = {
    "cover a tenth of each face": _cover_a_tenth,
    "keep what the camera wrote": _keep_the_cameras_words,
    "look at nothing": _look_at_nothing,
}
FOUND_OUT = {
    "cover a tenth of each face": "result_shows_faces",
    "keep what the camera wrote": "result_tells_metadata",
    "look at nothing": "result_unchecked",
}
