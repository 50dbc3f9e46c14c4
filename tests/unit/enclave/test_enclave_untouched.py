"""Which tiles a job's untouched package opens: those that nothing covered and nothing changed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.native.passing import Edges
from enclave.errors import WorkerError
from enclave.worker.handed_over import DescriptorSink
from enclave.worker.untouched import SealedUntouched, UntouchedPackage
from keyvault.age import HybridIdentity, open_sealed
from provenance.pieces.original import OriginalTrees
from provenance.pieces.untouched import UntouchedReport, verify_untouched

SECRET = bytes(range(32))
ME = HybridIdentity.generate()
WIDTH, HEIGHT = 200, 130
# Four by three tiles of luma, two by two of each colour.
TILES = 4 * 3 + 2 * (2 * 2)
FACE: Edges = (70, 10, 90, 30)

Planes = list[npt.NDArray[np.uint8]]


def picture(number: int) -> Planes:
    """A picture of noise."""
    random = np.random.default_rng(number)
    sides = ((HEIGHT, WIDTH), (HEIGHT // 2, WIDTH // 2), (HEIGHT // 2, WIDTH // 2))
    return [random.integers(0, 256, side, np.uint8) for side in sides]


def covered(planes: Planes, edges: Edges, value: int = 16) -> Planes:
    """The same with a solid cover."""
    painted = [plane.copy() for plane in planes]
    for plane, step in zip(painted, (1, 2, 2), strict=True):
        left, top, right, bottom = (edge // step for edge in edges)
        plane[top:bottom, left:right] = value
    return painted


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[DescriptorSink]:
    fd = os.open(tmp_path / "untouched", os.O_RDWR | os.O_CREAT, 0o600)
    yield DescriptorSink(fd, 1 << 20, "untouched_too_large")
    os.close(fd)


def package_of(sink: DescriptorSink) -> UntouchedPackage:
    return UntouchedPackage(SECRET, sink, (str(ME.recipient),))


def ended(package: UntouchedPackage) -> SealedUntouched:
    trees = OriginalTrees(SECRET, tiles=False)
    trees.finish()
    return package.close(trees)


def report_on(path: Path, made: SealedUntouched, copies: list[Planes]) -> UntouchedReport:
    plain = BytesIO()
    open_sealed(BytesIO(path.read_bytes()[: made.sealed_bytes]), plain, [ME])
    plain.seek(0)
    frames = [(40_000 * at, [plane.tobytes() for plane in planes]) for at, planes in enumerate(copies)]
    return verify_untouched(plain, made.commitment.root, frames)


def test_what_nothing_touched_is_opened_and_nothing_else(sink: DescriptorSink, tmp_path: Path) -> None:
    package = package_of(sink)
    originals = [picture(at) for at in range(3)]
    copies = [covered(originals[0], FACE), originals[1], covered(originals[2], (0, 0, WIDTH, HEIGHT))]
    package.passed(0, originals[0], copies[0], [FACE])
    package.passed(40_000, originals[1], copies[1], [])
    package.passed(80_000, originals[2], copies[2], [(0, 0, WIDTH, HEIGHT)])
    made = ended(package)
    report = report_on(tmp_path / "untouched", made, copies)
    report.require_sound()
    # One tile of luma under the face and, since colours have half as many, one of each.
    assert report.tiles_proven == (TILES - 3) + TILES + 0
    assert made.figures == {
        "frames": 3,
        "open_permille": report.proven_permille,
        "tiles": 3 * TILES,
        "tiles_open": report.tiles_proven,
    }


def test_a_tile_under_a_cover_is_not_opened_although_it_looks_as_before(sink: DescriptorSink) -> None:
    """To open it would tell that what is black there was black before."""
    package = package_of(sink)
    black = covered(picture(1), FACE)
    package.passed(0, black, covered(black, FACE), [FACE])
    assert ended(package).figures["tiles_open"] == TILES - 3


@pytest.mark.parametrize("plane", [0, 1, 2])
def test_a_tile_that_an_effect_changed_outside_its_cover_is_not_opened(
    sink: DescriptorSink, tmp_path: Path, plane: int
) -> None:
    package = package_of(sink)
    original = picture(1)
    spilled = [each.copy() for each in original]
    spilled[plane][-1, -1] ^= 1
    package.passed(0, original, spilled, [])
    made = ended(package)
    assert made.figures["tiles_open"] == TILES - 1
    report_on(tmp_path / "untouched", made, [spilled]).require_sound()


def test_a_cover_on_the_border_of_tiles_hides_all_that_it_touches(sink: DescriptorSink) -> None:
    package = package_of(sink)
    original = picture(1)
    package.passed(0, original, original, [(62, 62, 66, 66)])
    # Four of luma; of colours, two samples lie in the first tile of each.
    assert ended(package).figures["tiles_open"] == TILES - 4 - 2


def test_a_second_round_begins_anew(sink: DescriptorSink, tmp_path: Path) -> None:
    package = package_of(sink)
    originals = [picture(at) for at in range(2)]
    # Enough for more than one chunk of an age file, so that some of it lies in the file.
    for at in range(150):
        package.passed(40_000 * at, originals[0], covered(originals[0], FACE), [FACE])
    package.again()
    wider = (0, 0, WIDTH, 64)
    copies = [covered(original, wider) for original in originals]
    for at, copy in enumerate(copies):
        package.passed(40_000 * at, originals[at], copy, [wider])
    made = ended(package)
    # What the first round left behind it is the front desk's to cut off.
    assert made.sealed_bytes < (tmp_path / "untouched").stat().st_size
    report = report_on(tmp_path / "untouched", made, copies)
    report.require_sound()
    assert report.frames == 2


def test_a_package_that_grows_too_large_ends_the_job(tmp_path: Path) -> None:
    fd = os.open(tmp_path / "untouched", os.O_RDWR | os.O_CREAT, 0o600)
    package = UntouchedPackage(
        SECRET, DescriptorSink(fd, 100_000, "untouched_too_large"), (str(ME.recipient),)
    )
    original = picture(1)

    def go_on() -> None:
        for at in range(1000):
            package.passed(at, original, original, [])

    with pytest.raises(WorkerError) as caught:
        go_on()
    os.close(fd)
    assert caught.value.code == "untouched_too_large"


def test_a_picture_with_more_tiles_than_a_tree_has_room_for(sink: DescriptorSink) -> None:
    wide = np.zeros((2, 1 << 15), np.uint8)
    with pytest.raises(WorkerError) as caught:
        package_of(sink).passed(0, [wide, wide[:1, ::2], wide[:1, ::2]], [wide], [])
    assert caught.value.code == "evidence_impossible"


def test_no_frame_is_no_package(sink: DescriptorSink) -> None:
    with pytest.raises(WorkerError) as caught:
        ended(package_of(sink))
    assert caught.value.code == "evidence_impossible"
    assert sink.size == 0
