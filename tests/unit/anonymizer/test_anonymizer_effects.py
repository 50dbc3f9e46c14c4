"""Effects change every pixel under the cover and none beside it."""

from __future__ import annotations

import numpy as np
import pytest

from anonymizer.boxes import Box
from anonymizer.effects import blur, mosaic, solid
from anonymizer.effects.region import BLOCKS_ACROSS, Plane, apply, region_of

WIDTH, HEIGHT = 160, 120
FACE = Box(41, 31, 90, 93)
PATCHES = {"solid": solid.cover, "blur": blur.cover, "mosaic": mosaic.cover}
SHAPES = ["box", "ellipse"]


def planes(seed: int, width: int = WIDTH, height: int = HEIGHT) -> list[Plane]:
    rng = np.random.default_rng(seed)
    half = (-(-height // 2), -(-width // 2))
    return [
        Plane(rng.integers(0, 256, (height, width), np.uint8), 1, 126),
        Plane(rng.integers(0, 256, half, np.uint8), 2, 128),
        Plane(rng.integers(0, 256, half, np.uint8), 2, 128),
    ]


def inside(face: Box, scale: float, shape: str, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Returns, at full resolution and by plain geometry, the pixels whose area the outline touches."""
    box = face.scaled(scale)
    y, x = np.mgrid[0:height, 0:width].astype(float)
    if shape == "box":
        return (x + 1 > box.x1) & (x < box.x2) & (y + 1 > box.y1) & (y < box.y2)
    near_x = np.clip(box.centre[0], x, x + 1) - box.centre[0]
    near_y = np.clip(box.centre[1], y, y + 1) - box.centre[1]
    return (near_x / (box.width / 2)) ** 2 + (near_y / (box.height / 2)) ** 2 < 1 - 1e-9


@pytest.mark.parametrize("effect", PATCHES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("face", [FACE, Box(-20, -10, 30, 40), Box(140, 100, 200, 180), Box(3, 3, 6, 6)])
def test_nothing_beside_the_cover_changes_and_all_under_it_does(effect: str, shape: str, face: Box) -> None:
    region = region_of(face, 1.3, shape, WIDTH, HEIGHT)
    assert region is not None
    before, after = planes(1), planes(1)
    apply(PATCHES[effect], region, after)
    covered = np.zeros((-(-HEIGHT // 2), -(-WIDTH // 2)), bool)
    rows, columns = region.coarse.shape
    covered[region.top : region.top + rows, region.left : region.left + columns] = region.coarse
    fine = covered.repeat(2, 0).repeat(2, 1)
    for one, other, mask in zip(before, after, (fine, covered, covered), strict=True):
        assert np.array_equal(one.pixels[~mask], other.pixels[~mask])
    assert fine[inside(face, 1.3, shape)].all(), "a pixel that the outline touches is open"


@pytest.mark.parametrize("shape", SHAPES)
def test_solid_leaves_nothing_of_the_face(shape: str) -> None:
    region = region_of(FACE, 1.3, shape, WIDTH, HEIGHT)
    one, other = planes(1), planes(1)
    mask = inside(FACE, 1.3, shape)
    other[0].pixels[mask] = 255 - other[0].pixels[mask]
    for made in (one, other):
        apply(solid.cover, region, made)
    for a, b in zip(one, other, strict=True):
        assert np.array_equal(a.pixels, b.pixels)


@pytest.mark.parametrize("effect", PATCHES)
@pytest.mark.parametrize("shape", SHAPES)
def test_another_face_changes_nothing_beside_the_cover(effect: str, shape: str) -> None:
    region = region_of(FACE, 1.3, shape, WIDTH, HEIGHT)
    one, other = planes(1), planes(1)
    rows, columns = region.coarse.shape
    fine = region.coarse.repeat(2, 0).repeat(2, 1)
    there = other[0].pixels[2 * region.top :, 2 * region.left :][: 2 * rows, : 2 * columns]
    there[fine] = 255 - there[fine]
    for made in (one, other):
        apply(PATCHES[effect], region, made)
    untouched = np.ones((HEIGHT, WIDTH), bool)
    untouched[2 * region.top :, 2 * region.left :][: 2 * rows, : 2 * columns] &= ~fine
    assert np.array_equal(one[0].pixels[untouched], other[0].pixels[untouched])


@pytest.mark.parametrize("size", [20, 60, 101, 400])
def test_a_mosaic_has_few_blocks_whatever_the_face(size: int) -> None:
    made = planes(3, 1000, 800)
    region = region_of(Box(200, 200, 200 + size, 200 + size), 1.3, "box", 1000, 800)
    apply(mosaic.cover, region, made)
    rows, columns = region.coarse.shape
    for plane in made:
        fine = 2 // plane.step
        top, left = region.top * fine, region.left * fine
        under = plane.pixels[top : top + rows * fine, left : left + columns * fine].astype(int)
        steps_across = (np.abs(np.diff(under, axis=1)).max(axis=0) > 0).sum()
        steps_down = (np.abs(np.diff(under, axis=0)).max(axis=1) > 0).sum()
        assert steps_across + 1 <= min(8, BLOCKS_ACROSS + 1)
        assert steps_down + 1 <= 8


@pytest.mark.parametrize("place", [-100, -150, 1000 - 80, 1000 - 30])
def test_a_face_that_the_edge_cuts_has_no_finer_blocks(place: int) -> None:
    made = planes(3, 1000, 800)
    region = region_of(Box(place, 200, place + 200, 400), 1.3, "box", 1000, 800)
    apply(mosaic.cover, region, made)
    under = made[0].pixels[200:400, 2 * region.left :][:, : 2 * region.coarse.shape[1]].astype(int)
    [steps] = np.nonzero(np.abs(np.diff(under, axis=1)).max(axis=0))
    assert len(steps) == 0 or np.diff(np.append(-1, steps)).min() >= 200 / BLOCKS_ACROSS


@pytest.mark.parametrize("size", [24, 60, 200])
def test_a_blur_is_as_wide_as_promised(size: int) -> None:
    width, height = 6 * size, 6 * size
    face = Box(width / 2 - size / 2, height / 2 - size / 2, width / 2 + size / 2, height / 2 + size / 2)
    line = np.zeros((height, width), np.uint8)
    line[:, width // 2 - size // 6 : width // 2 + size // 6] = 255
    # A cover far larger than the face, so that the blur's whole reach shows.
    region = region_of(face, 4, "box", width, height)
    apply(blur.cover, region, [Plane(line, 1, 126)])
    left = region.left * 2
    profile = line[height // 2, left : left + region.coarse.shape[1] * 2].astype(float)
    profile -= profile.min()
    x = np.arange(len(profile))
    centre = (profile * x).sum() / profile.sum()
    sigma = np.sqrt((profile * (x - centre) ** 2).sum() / profile.sum())
    assert sigma >= 0.38 * size


def test_an_outside_face_needs_no_cover() -> None:
    assert region_of(Box(-50, -50, -20, -20), 1.3, "ellipse", WIDTH, HEIGHT) is None
    assert region_of(Box(500, 20, 540, 60), 1.3, "box", WIDTH, HEIGHT) is None


@pytest.mark.parametrize(("width", "height"), [(161, 121), (33, 17)])
@pytest.mark.parametrize("effect", PATCHES)
def test_odd_pictures_are_covered_to_their_edge(effect: str, width: int, height: int) -> None:
    pixels = np.random.default_rng(5).integers(0, 256, (height, width), np.uint8)
    region = region_of(Box(width - 12, height - 12, width + 4, height + 4), 1.3, "box", width, height)
    before = pixels.copy()
    apply(PATCHES[effect], region, [Plane(pixels, 1, 128)])
    assert (pixels[-8:, -1] != before[-8:, -1]).any()
    assert (pixels[-1, -8:] != before[-1, -8:]).any()
