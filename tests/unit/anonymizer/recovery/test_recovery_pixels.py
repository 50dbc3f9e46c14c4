"""What was covered comes back to the last bit, and only where everybody who hides it is released."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pytest

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane, Region, region_of
from anonymizer.errors import AnonymizerError
from anonymizer.recovery import Beneath, bands_of, beneath_of, put_back, read_pixels, write_pixels
from anonymizer.recovery.pixels import BAND_BYTES
from anonymizer.settings import FaceSettings

WIDTH, HEIGHT = 64, 48
BOXES = {3: Box(4, 4, 30, 30), 5: Box(20, 10, 44, 40), 9: Box(26, 14, 60, 44), 11: Box(50, 0, 62, 8)}
NAMES = {3: "one", 5: "between", 9: "other", 11: "apart"}
RELEASES = [set(some) for size in range(5) for some in itertools.combinations(BOXES, size)]


def planes_of(seed: int, *, still: bool = False, width: int = WIDTH, height: int = HEIGHT) -> list[Plane]:
    made = np.random.default_rng(seed)

    def plane(step: int) -> Plane:
        size = (-(-height // step), -(-width // step))
        return Plane(made.integers(0, 256, size, np.uint8), step, 128)

    return [plane(1), plane(1), plane(1)] if still else [plane(1), plane(2), plane(2)]


def covers_of(boxes: dict[int, Box], width: int = WIDTH, height: int = HEIGHT) -> list[Cover]:
    covers = []
    for track, box in boxes.items():
        shape = "box" if track == 5 else "ellipse"
        region = region_of(box, 1.0, shape, width, height)  # type: ignore[arg-type]  # two words of a list
        assert region is not None
        covers.append(Cover("face", track, box, FaceSettings(), region))
    return covers


def scene_of(planes: Sequence[Plane], covers: Sequence[Cover], *grey: Region) -> Scene:
    height, width = planes[0].pixels.shape
    hidden = (*(cover.region for cover in covers), *grey)
    return Scene(planes, width, height, time=1.25, shot=0, hidden=hidden)


def hidden_by(covers: Sequence[Cover]) -> npt.NDArray[np.int64]:
    """How many of them hide each coarse sample."""
    counted = np.zeros((-(-HEIGHT // 2), -(-WIDTH // 2)), np.int64)
    for cover in covers:
        rows, columns = cover.region.coarse.shape
        here = counted[cover.region.top :, cover.region.left :][:rows, :columns]
        here += cover.region.coarse
    return counted


def grown(mask: npt.NDArray[np.bool_], plane: Plane) -> npt.NDArray[np.bool_]:
    fine = 2 // plane.step
    whole = mask.repeat(fine, axis=0).repeat(fine, axis=1)
    return whole[: plane.pixels.shape[0], : plane.pixels.shape[1]]


@pytest.mark.parametrize("still", [False, True], ids=["of a video", "of a still"])
@pytest.mark.parametrize("released", RELEASES, ids=lambda some: "-".join(NAMES[t] for t in some) or "nobody")
def test_a_pixel_comes_back_where_everybody_who_hides_it_is_released(released: set[int], still: bool) -> None:
    original, covered = planes_of(1, still=still), planes_of(2, still=still)
    before = [plane.pixels.copy() for plane in covered]
    covers = covers_of(BOXES)
    found = beneath_of(scene_of(original, covers), covers, frame=7)
    put_back(covered, [(track, found[track]) for track in released])
    theirs = hidden_by([cover for cover in covers if cover.track in released])
    back = (theirs > 0) & (theirs == hidden_by(covers))
    for plane, was, source in zip(covered, before, original, strict=True):
        here = grown(back, plane)
        assert np.array_equal(plane.pixels[here], source.pixels[here])
        assert np.array_equal(plane.pixels[~here], was[~here])
    assert bool(back.any()) == bool(released)


def test_one_of_two_who_overlap_tells_nothing_of_what_they_share() -> None:
    """The same frame twice gives other noise each time, and never the pixel itself in all places."""
    planes, covers = planes_of(1), covers_of({3: BOXES[3], 5: BOXES[5]})
    once, twice = (beneath_of(scene_of(planes, covers), covers, 0) for _ in range(2))
    for track in (3, 5):
        [shared] = once[track].shared
        noisy = grown(shared.mask, planes[0])
        one, two = once[track].planes[0][noisy], twice[track].planes[0][noisy]
        assert len(one) > 50
        assert not np.array_equal(one, two)
        alone = grown(once[track].outline & ~shared.mask, planes[0])
        assert np.array_equal(once[track].planes[0][alone], twice[track].planes[0][alone])


def test_what_a_person_made_grey_is_not_kept_at_all() -> None:
    planes, covers = planes_of(1), covers_of({3: BOXES[3], 11: BOXES[11]})
    grey = [region_of(box, 1.0, "box", WIDTH, HEIGHT) for box in (Box(0, 0, 16, 48), Box(44, 0, 64, 20))]
    found = beneath_of(scene_of(planes, covers, *(region for region in grey if region)), covers, 0)
    assert found.keys() == {3}
    columns = np.flatnonzero(found[3].outline.any(axis=0)) + found[3].left
    assert columns.min() == 8
    assert not found[3].planes[0][:, : 2 * (8 - found[3].left)].any()


def regions_of(*frames: int) -> list[Beneath]:
    covers = covers_of({3: BOXES[3], 5: BOXES[5]})
    return [beneath_of(scene_of(planes_of(n), covers), covers, n)[3] for n in frames]


def same(one: Beneath, two: Beneath) -> bool:
    told = [(r.frame, r.microseconds, r.left, r.top, [s.track for s in r.shared]) for r in (one, two)]
    arrays = [(r.outline, *r.planes, *(s.mask for s in r.shared)) for r in (one, two)]
    return told[0] == told[1] and all(np.array_equal(*pair) for pair in zip(*arrays, strict=True))


def test_regions_are_the_same_after_packing() -> None:
    regions = regions_of(1, 2, 9)
    packed = write_pixels(regions)
    assert all(same(*pair) for pair in zip(read_pixels(packed), regions, strict=True))
    assert [region.frame for region in read_pixels(packed)] == [1, 2, 9]


def test_a_large_region_is_kept_in_bands() -> None:
    width, height = 3001, 1501
    planes = planes_of(4, still=True, width=width, height=height)
    covers = covers_of({3: Box(0, 0, width, height), 5: Box(100, 100, 2000, 1400)}, width, height)
    found = beneath_of(scene_of(planes, covers), covers, 0)
    bands = {track: list(bands_of(region)) for track, region in found.items()}
    assert len(bands[3]) > 2
    assert all(band.size < 2 * BAND_BYTES for band in bands[3])
    back = [Plane(np.zeros_like(plane.pixels), 1, 128) for plane in planes]
    packed = [(track, write_pixels([band])) for track, parts in bands.items() for band in parts]
    put_back(back, [(track, again) for track, entry in packed for again in read_pixels(entry)])
    middle = (slice(200, 1300), slice(200, 1900))
    assert all(np.array_equal(b.pixels[middle], p.pixels[middle]) for b, p in zip(back, planes, strict=True))


GOOD = write_pixels(regions_of(1))
PLAIN = zlib.decompress(GOOD[1:])
BROKEN = {
    "nothing": b"",
    "another coding": b"\x02" + GOOD[1:],
    "no stream": GOOD[:1],
    "a cut stream": GOOD[:-3],
    "more after the stream": GOOD + b"x",
    "a bomb": b"\x01" + zlib.compress(bytes(64 << 20)),
    "too few pixels": b"\x01" + zlib.compress(PLAIN[:-1]),
    "too many": b"\x01" + zlib.compress(PLAIN + b"x"),
    "more regions than there are": b"\x01" + zlib.compress(b"\xff\xff" + PLAIN[2:]),
    "no rows": b"\x01" + zlib.compress(PLAIN[:18] + b"\0\0" + PLAIN[20:]),
    "no planes": b"\x01" + zlib.compress(PLAIN[:22] + b"\0" + PLAIN[23:]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_bytes_are_refused(name: str) -> None:
    with pytest.raises(AnonymizerError) as refusal:
        list(read_pixels(BROKEN[name]))
    assert refusal.value.code == "record_refused"


def test_a_region_that_does_not_fit_into_the_frame_is_refused() -> None:
    [region] = regions_of(1)
    small = planes_of(1, width=20, height=20)
    grey = [Plane(planes_of(1)[0].pixels, 1, 128)]
    for planes in (small, grey):
        with pytest.raises(AnonymizerError) as refusal:
            put_back(planes, [(3, region)])
        assert refusal.value.code == "record_refused"
