"""The parts of quality control: likeness, kept tiles, gaps in covers."""

from __future__ import annotations

import math

import numpy as np
import pytest
from skimage import data
from skimage.metrics import structural_similarity

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover
from anonymizer.effects.region import region_of
from anonymizer.quality.flicker import Flicker
from anonymizer.quality.ssim import ssim
from anonymizer.quality.tiles import CLEARANCE, Tiles
from anonymizer.settings import CoverSettings, Kind

PORTRAIT = np.ascontiguousarray(data.astronaut()[100:164, 200:264, 1])


@pytest.mark.parametrize("noise", [1, 5, 20, 60])
def test_likeness_is_what_another_implementation_measures(noise: int) -> None:
    spoilt = PORTRAIT + np.random.default_rng(noise).normal(0, noise, PORTRAIT.shape)
    other = np.clip(spoilt, 0, 255).astype(np.uint8)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "win_size": 11}
    wanted = structural_similarity(PORTRAIT, other, data_range=255, **settings)
    assert ssim(PORTRAIT, other) == pytest.approx(wanted, abs=1e-3)


def test_only_the_very_same_pixels_are_wholly_alike() -> None:
    assert ssim(PORTRAIT, PORTRAIT.copy()) == 1
    other = PORTRAIT.copy()
    other[0, 0] ^= 1
    assert ssim(PORTRAIT, other) < 1
    flat = np.full((64, 64), 90, np.uint8)
    nearly = flat.copy()
    nearly[30, 30] += 1
    assert ssim(flat, nearly) < 1


def test_tiles_lie_clear_of_every_cover() -> None:
    region = region_of(Box(100, 60, 220, 150), 1.0, "ellipse", 320, 180)
    assert region is not None
    luma = np.zeros((180, 320), np.uint8)
    luma[60 - CLEARANCE : 150 + CLEARANCE, 100 - CLEARANCE : 220 + CLEARANCE] = 255
    tiles = Tiles()
    for frame in range(0, 400, 8):
        tiles.keep(frame, luma, [region])
    kept = [tile for found in tiles.of_frame.values() for tile in found]
    assert len(kept) > 20
    assert not any(tile.pixels.any() for tile in kept)


def test_nothing_is_kept_of_a_picture_that_is_covered_whole() -> None:
    region = region_of(Box(0, 0, 320, 180), 1.0, "box", 320, 180)
    assert region is not None
    tiles = Tiles()
    tiles.keep(0, np.zeros((180, 320), np.uint8), [region])
    assert tiles.of_frame == {}


def test_an_hour_keeps_no_more_than_a_minute() -> None:
    tiles = Tiles(most_bytes=300_000)
    luma = np.zeros((180, 320), np.uint8)
    for frame in range(90_000):
        if tiles.is_due(frame):
            tiles.keep(frame, luma, [])
    held = sum(tile.pixels.nbytes for found in tiles.of_frame.values() for tile in found)
    assert 100_000 < held <= 300_000
    # From the whole of it, evenly.
    gaps = np.diff(sorted(tiles.of_frame))
    assert gaps.min() == gaps.max()
    assert max(tiles.of_frame) > 80_000


@pytest.mark.parametrize("size", [(2, 2), (15, 400), (16, 16), (70, 20)])
def test_small_pictures_do(size: tuple[int, int]) -> None:
    tiles = Tiles()
    tiles.keep(0, np.zeros(size, np.uint8), [])
    assert bool(tiles.of_frame) is (min(size) >= 16)


def cover(track: int, left: float, kind: Kind = "face") -> Cover:
    box = Box(left, 50, left + 40, 100)
    region = region_of(box, 1.0, "box", 640, 360)
    assert region is not None
    return Cover(kind, track, box, CoverSettings(), region)


THERE, MOVED_ON, ANOTHER = cover(0, 100), cover(0, 110), cover(1, 104)
GAPS: dict[str, tuple[list[list[Cover]], int]] = {
    "always there": ([[THERE]] * 5, 0),
    "gone for good": ([[THERE], [THERE], [], [], []], 0),
    "away for one frame": ([[THERE], [], [MOVED_ON]], 1),
    "away twice": ([[THERE], [], [MOVED_ON], [], [], [THERE]], 2),
    "lost, and found as somebody else": ([[THERE], [], [ANOTHER]], 1),
    "taken over by another at once": ([[THERE], [ANOTHER], [ANOTHER]], 0),
    "taken over by another, and back": ([[THERE], [ANOTHER], [THERE, ANOTHER]], 0),
    "somebody else, elsewhere": ([[THERE], [], [cover(1, 300)]], 0),
    "something of another kind": ([[THERE], [], [cover(1, 100, "text")]], 0),
    "back after a second": ([[THERE], *[[]] * 30, [THERE]], 0),
    "first seen late": ([[], [], [THERE]], 0),
}


@pytest.mark.parametrize(("frames", "gaps"), GAPS.values(), ids=GAPS.keys())
def test_gaps_in_covers_are_counted(frames: list[list[Cover]], gaps: int) -> None:
    flicker = Flicker()
    for index, covers in enumerate(frames):
        flicker.see(covers, index / 25, shot=0)
    assert flicker.gaps == gaps


def test_nothing_comes_back_over_a_cut() -> None:
    flicker = Flicker()
    for index, (covers, shot) in enumerate([([THERE], 0), ([], 0), ([THERE], 1)]):
        flicker.see(covers, index / 25, shot)
    assert flicker.gaps == 0


def test_a_crowd_that_flickers_costs_no_endless_memory() -> None:
    flicker = Flicker()
    for frame in range(40):
        crowd = [cover(frame * 1000 + n, (n * 7) % 590) for n in range(200)] if frame % 2 else []
        flicker.see(crowd, frame * 1e-4, shot=0)
    assert math.isfinite(flicker.gaps)
    assert len(flicker._gone) <= 512
