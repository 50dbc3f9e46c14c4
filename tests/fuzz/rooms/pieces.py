"""Pieces of an original: what is shown of it, what is untouched of it, and who recorded it."""

from __future__ import annotations

import io
from functools import cache

from provenance.pieces.cutting import blocks_of
from provenance.pieces.errors import PiecesError
from provenance.pieces.recording import Recording, sign_recording
from provenance.pieces.reveal import make_reveal, verify_reveal
from provenance.pieces.untouched import verify_untouched
from tests.fuzz.target import Target
from tests.unit.provenance.pieces_makers import (
    BLOCK,
    FRAME_US,
    FRAMES,
    committed,
    film,
    pieces,
    untouched_package,
)
from tests.unit.provenance.provenance_makers import TestSigner

SHOWER = "whoever shows a part of an original"
COVERED = [frozenset({0, 1, 6, 8})] * (FRAMES - 1) + [frozenset()]
CAMERA = TestSigner("fuzzed camera")


@cache
def reveal() -> bytes:
    """Some blocks and frames."""
    made = committed()
    trees = [
        (made.trees[kind].describe(), made.trees[kind].open(stretches))
        for kind, stretches in (("bytes", [(1, 4)]), ("frames", [(0, 2), (5, 6)]))
    ]
    return make_reveal(made.commitment, trees, [at * FRAME_US for at in (0, 1, 5)]).to_bytes()


@cache
def untouched() -> bytes:
    """A copy with a face covered in every frame but the last."""
    return untouched_package(COVERED)


@cache
def recording() -> bytes:
    """A camera's signature."""
    return sign_recording(committed().root, CAMERA).to_bytes()


def check_reveal(untrusted: bytes) -> None:
    """What shows these pieces is this package."""
    everything = pieces()
    frames = everything["frames"]
    shown = {
        "bytes": blocks_of([b"".join(everything["bytes"][1:4])], BLOCK),
        "frames": [*frames[0:2], frames[5]],
    }
    verify_reveal(untrusted, committed().root, shown)
    assert untrusted == reveal()


def check_untouched(untrusted: bytes) -> None:
    """No other package proves more of the same picture."""
    report = verify_untouched(io.BytesIO(untrusted), committed().root, film())
    assert report.tiles_proven + report.tiles_hidden + report.tiles_differing == report.tiles
    assert untrusted == untouched() or report.tiles_differing or report.tiles_hidden > 4 * (FRAMES - 1)


def check_recording(untrusted: bytes) -> None:
    """What the camera signed is this root."""
    recorded = Recording.from_bytes(untrusted)
    assert recorded.to_bytes() == untrusted
    assert recorded.verify(CAMERA.public) == committed().root


TARGETS = (
    Target(
        name="reveal_package",
        sender=SHOWER,
        parsers=(
            "provenance.pieces.reveal.RevealPackage.from_bytes",
            "provenance.pieces.description.TreeDescription.from_object",
            "provenance.pieces.opening.Opening.from_bytes",
        ),
        parse=check_reveal,
        seeds=lambda: (reveal(),),
        errors=(PiecesError,),
        tokens=(b"[0,1]", b"4294967296", b'"kind":"tiles"', b'"shown":[]'),
    ),
    Target(
        name="untouched_package",
        sender="whoever hands over a lossless copy",
        parsers=("provenance.pieces.untouched.verify_untouched",),
        parse=check_untouched,
        seeds=lambda: (untouched(),),
        errors=(PiecesError,),
        tokens=(b"\xff\xff\xff\xff", bytes(12), b'"size":4294967296'),
        examples=100,
    ),
    Target(
        name="recording",
        sender="whoever says that a device recorded this",
        parsers=("provenance.pieces.recording.Recording.from_bytes",),
        parse=check_recording,
        seeds=lambda: (recording(),),
        errors=(PiecesError,),
        json=True,
    ),
)
