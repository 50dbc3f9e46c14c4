"""Masks on the coarse grid of a whole picture: one sample for 2 x 2 luma pixels, as regions have it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.region import Mask, Region

# Around a cover nothing is learnt: a limb may reach a little farther than the box. Of the picture's height.
MARGIN_SHARE: Final = 0.012
LEAST_MARGIN: Final = 2

Window = tuple[slice, slice]


def coarse_size(width: int, height: int) -> tuple[int, int]:
    """Returns rows and columns of the coarse grid of a picture in luma pixels."""
    return -(-height // 2), -(-width // 2)


def window_of(region: Region, rows: int, columns: int, margin: int = 0) -> Window:
    """Returns where a region lies in a grid of this size, with a margin that ends at the grid's edge."""
    high, wide = region.coarse.shape
    return (
        slice(max(0, region.top - margin), min(rows, region.top + high + margin)),
        slice(max(0, region.left - margin), min(columns, region.left + wide + margin)),
    )


def drawn(regions: Iterable[Region], rows: int, columns: int) -> Mask:
    """Returns (rows, columns): true under any of the regions."""
    mask = np.zeros((rows, columns), np.bool_)
    for region in regions:
        down, across = window_of(region, rows, columns)
        mask[down, across] |= region.coarse[: down.stop - down.start, : across.stop - across.start]
    return mask


def grown(mask: Mask, samples: int) -> Mask:
    """Returns the mask with every sample that is this close to it, across, down or both."""
    if samples <= 0 or not mask.any():
        return mask
    kernel = np.ones((2 * samples + 1, 2 * samples + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.view(np.uint8), kernel), np.bool_)


def margin_of(rows: int) -> int:
    """Returns how many samples around a cover are not learnt from, in a picture of so many coarse rows."""
    return max(LEAST_MARGIN, round(rows * MARGIN_SHARE))


def on_plane(coarse: Mask, step: int, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """Returns a coarse mask at the size of a plane, (h, w) uint8, 0 or 1.

    Args:
        coarse: from the plane's first row and column on, or from a window's.
        step: of the plane (region.Plane).
        shape: h and w; an odd picture's last row and column have half a coarse sample.
    """
    numbers = np.ascontiguousarray(coarse).view(np.uint8)
    if step == 1:
        size = (numbers.shape[1] * 2, numbers.shape[0] * 2)
        numbers = np.asarray(cv2.resize(numbers, size, interpolation=cv2.INTER_NEAREST), np.uint8)
    return np.ascontiguousarray(numbers[: shape[0], : shape[1]])


def on_samples(window: Window, step: int) -> Window:
    """Returns where a window of the coarse grid lies in a plane."""
    fine = 2 // step
    down, across = window
    return slice(down.start * fine, down.stop * fine), slice(across.start * fine, across.stop * fine)
