"""Which pixels of which plane belong to a cover.

Colour planes have half the resolution of the luma plane. A cover is decided on the coarse grid, and a coarse
sample counts as covered as soon as the outline touches any of its four luma pixels; the luma plane follows.
So no colour sample mixes covered and open pixels, and none that held part of a face survives.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.effects.patch import Patch

Mask = npt.NDArray[np.bool_]

# An eighth is the weakest mosaic that is allowed; a sixth keeps a margin.
BLOCKS_ACROSS = 6
SMALLEST_BLOCK = 4


@dataclass(frozen=True)
class Plane:
    """One plane of a picture.

    Attributes:
        pixels: (h, w) uint8, writable.
        step: luma pixels per sample across and down: 1 or 2.
        neutral: the value of mid-grey.
    """

    pixels: npt.NDArray[np.uint8]
    step: int
    neutral: int


@dataclass(frozen=True)
class Region:
    """A cover on the coarse grid.

    Attributes:
        left, top: the first coarse column and row.
        coarse: (rows, columns) bool.
        face_width: width of the detected face in luma pixels.
    """

    left: int
    top: int
    coarse: Mask
    face_width: float


def region_of(
    face: Box, scale: float, shape: Literal["box", "ellipse"], width: int, height: int
) -> Region | None:
    """Returns the cover of a face in a picture of this size, or None where it lies wholly outside."""
    box = face.scaled(scale)
    left, top = max(0, math.floor(box.x1 / 2)), max(0, math.floor(box.y1 / 2))
    right = min(-(-width // 2), math.ceil(box.x2 / 2))
    bottom = min(-(-height // 2), math.ceil(box.y2 / 2))
    if left >= right or top >= bottom:
        return None
    if shape == "box":
        coarse = np.ones((bottom - top, right - left), np.bool_)
    else:
        across = _distance(np.arange(left, right), box.centre[0]) / (box.width / 2)
        down = _distance(np.arange(top, bottom), box.centre[1]) / (box.height / 2)
        coarse = across[None, :] ** 2 + down[:, None] ** 2 <= 1
    return Region(left, top, coarse, face.width)


def apply(effect: Callable[[Patch], None], region: Region, planes: Iterable[Plane]) -> None:
    """Covers a region in every plane of a picture, in place."""
    rows, columns = region.coarse.shape
    block = block_of(columns, region.face_width)
    for plane in planes:
        fine = 2 // plane.step
        top, left = region.top * fine, region.left * fine
        view = plane.pixels[top : top + rows * fine, left : left + columns * fine]
        mask = region.coarse if fine == 1 else region.coarse.repeat(fine, axis=0).repeat(fine, axis=1)
        mask = mask[: view.shape[0], : view.shape[1]]
        effect(Patch(view, mask, region.face_width / plane.step, block // plane.step, plane.neutral))


def block_of(columns: int, face_width: float) -> int:
    """Returns the side of a mosaic's blocks in luma pixels.

    Args:
        columns: of the cover, on the coarse grid. One that the picture's edge cuts has fewer, and its blocks
            must not be finer for that.
        face_width: of the detected face, in luma pixels.
    """
    across = max(columns, math.ceil(face_width / 2))
    return max(SMALLEST_BLOCK, 2 * math.ceil(across / BLOCKS_ACROSS))


def _distance(index: npt.NDArray[np.int64], centre: float) -> npt.NDArray[np.float64]:
    """Distance in luma pixels from a coordinate to the nearest point of each coarse sample's span."""
    near, far = index * 2.0, index * 2.0 + 2.0
    distance: npt.NDArray[np.float64] = np.maximum(np.maximum(near - centre, centre - far), 0)
    return distance
