"""Colours are read and painted alike on every kind of planes, and nothing changes outside the mask."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from anonymizer.effects.colours import paint_rgb, rectangle_of, rgb_of
from anonymizer.effects.region import Plane, Region


def planes_of(kind: str, height: int, width: int, value: int = 90) -> list[Plane]:
    full = [np.full((height, width), value, np.uint8) for _ in range(3)]
    if kind == "video":
        half = [np.full((height // 2, width // 2), 128, np.uint8) for _ in range(2)]
        return [Plane(full[0], 1, 126), Plane(half[0], 2, 128), Plane(half[1], 2, 128)]
    return [Plane(pixels, 1, 128) for pixels in full[: 3 if kind == "colour still" else 1]]


KINDS = pytest.mark.parametrize(
    ("kind", "height", "width"),
    [("video", 64, 80), ("video", 720, 80), ("colour still", 63, 81), ("grey still", 63, 81)],
)


@KINDS
def test_what_is_painted_is_read_again(kind: str, height: int, width: int) -> None:
    planes = planes_of(kind, height, width)
    colour = (150, 150, 150) if kind == "grey still" else (200, 120, 60)
    rgb = np.full((20, 24, 3), colour, np.uint8)
    paint_rgb(planes, 10, 8, rgb, np.ones((10, 12), np.bool_))
    read = rgb_of(planes, 10, 8, 34, 28)
    assert read.shape == (20, 24, 3)
    assert np.abs(read.astype(int) - colour).max() <= 3


@KINDS
def test_nothing_changes_outside_the_mask(kind: str, height: int, width: int) -> None:
    planes = planes_of(kind, height, width)
    before = [plane.pixels.copy() for plane in planes]
    coarse = np.zeros((10, 12), np.bool_)
    coarse[2:5, 3:7] = True
    paint_rgb(planes, 10, 8, np.full((20, 24, 3), 255, np.uint8), coarse)
    for plane, old in zip(planes, before, strict=True):
        changed = np.zeros(plane.pixels.shape, np.bool_)
        step = plane.step
        changed[(8 + 4) // step : (8 + 10) // step, (10 + 6) // step : (10 + 14) // step] = True
        assert (plane.pixels == old)[~changed].all()
        if step == 1:
            assert (plane.pixels != old)[changed].all()


@pytest.mark.parametrize("kind", ["colour still", "grey still"])
def test_the_last_row_and_column_of_an_odd_still(kind: str) -> None:
    planes = planes_of(kind, 63, 81)
    region = Region(36, 28, np.ones((4, 5), np.bool_), 8.0)
    left, top, right, bottom = rectangle_of(region)
    assert (left, top, right, bottom) == (72, 56, 82, 64)
    assert rgb_of(planes, left, top, right, bottom).shape == (7, 9, 3)
    paint_rgb(planes, left, top, np.full((8, 10, 3), 255, np.uint8), region.coarse)
    assert (planes[0].pixels[56:, 72:] == 255).all()
    assert (planes[0].pixels[:56] == 90).all()


def test_bt601_is_opencvs_own() -> None:
    planes = planes_of("video", 64, 64)
    rng = np.random.default_rng(5)
    blocks = rng.integers(0, 256, (8, 8, 3)).astype(np.uint8).repeat(8, axis=0).repeat(8, axis=1)
    paint_rgb(planes, 0, 0, blocks, np.ones((32, 32), np.bool_))
    coded = cv2.cvtColor(blocks, cv2.COLOR_RGB2YUV_I420)
    assert np.abs(planes[0].pixels.astype(int) - coded[:64]).max() <= 1
    assert np.abs(planes[1].pixels.reshape(-1).astype(int) - coded[64:80].reshape(-1)).max() <= 1


def test_bt709_white_red_and_blue() -> None:
    # ITU-R BT.709-6 in 8 bits, table 3: white is 235 128 128, red 63 102 240, blue 32 240 118.
    for colour, coded in (
        ((255, 255, 255), (235, 128, 128)),
        ((255, 0, 0), (63, 102, 240)),
        ((0, 0, 255), (32, 240, 118)),
    ):
        planes = planes_of("video", 720, 16)
        paint_rgb(planes, 0, 0, np.full((16, 16, 3), colour, np.uint8), np.ones((8, 8), np.bool_))
        assert all(abs(int(p.pixels[0, 0]) - value) <= 1 for p, value in zip(planes, coded, strict=True))


@KINDS
def test_a_rectangle_is_made_coarser_by_the_mean_of_its_pixels(kind: str, height: int, width: int) -> None:
    planes = planes_of(kind, height, width)
    for plane in planes:
        plane.pixels[:, 20 // plane.step :] = plane.pixels[0, 0] + 40
    small = rgb_of(planes, 0, 0, 40, 40, size=(10, 8))
    whole = rgb_of(planes, 0, 0, 40, 40)
    assert small.shape == (8, 10, 3)
    for part, columns in ((slice(0, 5), slice(0, 20)), (slice(5, 10), slice(20, 40))):
        assert np.abs(small[:, part].mean(axis=(0, 1)) - whole[:, columns].mean(axis=(0, 1))).max() <= 1
