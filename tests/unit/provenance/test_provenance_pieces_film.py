"""A film, coded as cameras do, covered and coded again without loss, with PyAV's decoder in between."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from provenance.pieces.committing import PieceTree, TileTree, frame_piece
from provenance.pieces.cutting import PictureShape
from provenance.pieces.description import Commitment
from provenance.pieces.errors import PiecesError
from provenance.pieces.reveal import make_reveal, verify_reveal
from provenance.pieces.untouched import (
    TimedFrame,
    untouched_end,
    untouched_head,
    untouched_record,
    verify_untouched,
)

SHAPE = PictureShape(320, 180, 160, 90)
FRAMES = 30
RATE = 10
FACE = (100, 40, 150, 100)
SECRET = bytes(range(32))


def drawn(at: int) -> np.ndarray:
    """A gradient that moves, (270, 320) uint8: both chroma planes below luma."""
    rows, columns = np.mgrid[0:270, 0:320]
    return ((rows * 2 + columns + at * 5) % 256).astype(np.uint8)


def coded(pictures: Iterator[np.ndarray], codec: str) -> bytes:
    file = io.BytesIO()
    with av.open(file, "w", format="matroska") as container:
        stream = container.add_stream(codec, rate=RATE)
        stream.width, stream.height, stream.pix_fmt = SHAPE.width, SHAPE.height, "yuv420p"
        for picture in pictures:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="yuv420p")))
        container.mux(stream.encode(None))
    return file.getvalue()


def pictures_of(film: bytes) -> list[np.ndarray]:
    with av.open(io.BytesIO(film)) as container:
        return [frame.to_ndarray() for frame in container.decode(video=0)]


def timed(film: bytes) -> list[TimedFrame]:
    with av.open(io.BytesIO(film)) as container:
        frames: list[TimedFrame] = []
        for frame in container.decode(video=0):
            assert frame.time is not None
            raw = frame.to_ndarray().tobytes()
            luma, chroma = 320 * 180, 160 * 90
            planes = (raw[:luma], raw[luma : luma + chroma], raw[luma + chroma :])
            frames.append((round(frame.time * 1_000_000), planes))
        return frames


@pytest.fixture(scope="module")
def original() -> bytes:
    return coded(map(drawn, range(FRAMES)), "mpeg4")


def test_one_second_of_a_film_opens_and_the_next_frame_does_not(original: bytes) -> None:
    frames = timed(original)
    tree = PieceTree(SECRET, "frames", SHAPE.numbers)
    for time_us, planes in frames:
        tree.add(frame_piece(time_us, planes))
    commitment = Commitment(SECRET, {"frames": tree.describe()})
    first, end = RATE, 2 * RATE
    times = [time_us for time_us, _ in frames[first:end]]
    package = make_reveal(commitment, [(tree.describe(), tree.open([(first, end)]))], times).to_bytes()

    # The recipient has a clip of their own, coded without loss, that says when it begins.
    clip = timed(coded(iter(pictures_of(original)[first:end]), "ffv1"))
    begins_us = frames[first][0]
    shown = [frame_piece(begins_us + time_us, planes) for time_us, planes in clip]
    verify_reveal(package, commitment.root, {"frames": shown})
    with pytest.raises(PiecesError) as caught:
        verify_reveal(package, commitment.root, {"frames": [*shown[1:], frame_piece(*frames[end])]})
    assert caught.value.code == "pieces_differ"


def test_a_covered_film_without_loss_is_the_original_but_for_the_covers(original: bytes) -> None:
    tiles = TileTree(SECRET, SHAPE)
    for time_us, planes in timed(original):
        tiles.add(time_us, planes)
    commitment = Commitment(SECRET, {"tiles": tiles.describe()})
    covered = SHAPE.tiles_under([FACE])
    records = [
        untouched_record(time_us, tiles.open_frame(at, planes, covered))
        for at, (time_us, planes) in enumerate(timed(original))
    ]
    package = untouched_head(SHAPE) + b"".join(records) + untouched_end(commitment)

    pictures = pictures_of(original)
    left, top, right, bottom = FACE
    for picture in pictures:
        picture[top:bottom, left:right] = 16
    copy = timed(coded(iter(pictures), "ffv1"))
    report = verify_untouched(io.BytesIO(package), commitment.root, copy)
    report.require_sound()
    assert report.tiles_proven == FRAMES * (SHAPE.tiles - len(covered))

    pictures[7][3, 300] ^= 1
    copy = timed(coded(iter(pictures), "ffv1"))
    report = verify_untouched(io.BytesIO(package), commitment.root, copy)
    assert [(d.frame, d.plane, d.left, d.top) for d in report.differences] == [(7, 0, 256, 0)]

    with pytest.raises(PiecesError):
        verify_untouched(
            io.BytesIO(package), commitment.root, timed(coded(iter(pictures), "mpeg4"))
        ).require_sound()


def test_the_room_needs_nothing_but_the_standard_library(repository: Path) -> None:
    """Signatures apart: whoever checks pieces checks hashes."""
    program = (
        "import sys; import provenance.pieces.reveal, provenance.pieces.untouched\n"
        "others = {name.partition('.')[0] for name in sys.modules} - sys.stdlib_module_names\n"
        "assert others <= {'__main__', 'provenance', 'sitecustomize', '_distutils_hack'}, others\n"
    )
    subprocess.run([sys.executable, "-S", "-c", program], check=True, cwd=repository)
