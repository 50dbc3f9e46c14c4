"""What is around a cover, and never what is under one: a fill that carries it on, and how skin looks there.

Whatever an effect needs to know of colour and light it takes from here, so that nothing of it comes from what
is covered: these pixels stay in the picture anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.colours import Rgb, rectangle_of, rgb_of
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Mask, Region
from anonymizer.effects.tones import Colour, hair_in, hair_share, is_grey, light_in, skin_in

_Layer = npt.NDArray[np.float32]

# How far around a region is looked at, as a share of its longer side.
REACH: Final = 0.3
# Cells along the longer side of what is looked at.
CELLS: Final = 96
# What is right beside a region, as a share of its longer side.
BAND: Final = 0.07
# A region's upper part ends, and its lower part begins, at so much of its height.
UPPER, LOWER = 0.2, 0.72
_GREY: Final = 128


@dataclass(frozen=True)
class Surroundings:
    """What was seen around one region.

    Attributes:
        fill: (h, w, 3) uint8 RGB for the region's rectangle (colours.rectangle_of).
        skin: the middle colour of what looks like skin below, RGB; None where too little does.
        hair: the same of hair right above it.
        long_hair: how much of what is right beside it looks like hair, 0 to 1.
        light: how bright it is there where it is bright, 0 to 255.
        is_grey: there is no colour anywhere.
    """

    fill: Rgb
    skin: Colour | None
    hair: Colour | None
    long_hair: float
    light: float
    is_grey: bool


def look_around(scene: Scene, region: Region, covers: Sequence[Cover]) -> Surroundings:
    """Looks at what is around a region.

    Args:
        scene: in which nothing is covered yet.
        region: the one to fill.
        covers: whatever else is covered: nothing of it is looked at either.
    """
    left, top, right, bottom = rectangle_of(region)
    reach = max(2, round(REACH * max(right - left, bottom - top) / 2)) * 2
    # Both corners even, so that no cell of the coarse grid is cut.
    x1, y1 = max(0, left - reach), max(0, top - reach)
    x2, y2 = min(scene.width, right + reach), min(scene.height, bottom + reach)
    share = min(1.0, CELLS / max(x2 - x1, y2 - y1))
    across, down = (max(1, round(side * share)) for side in (x2 - x1, y2 - y1))
    seen = rgb_of(scene.planes, x1, y1, x2, y2, (across, down))
    covered = np.zeros((-(-(y2 - y1) // 2), -(-(x2 - x1) // 2)), np.float32)
    for each in [region, *(scene.hidden or (cover.region for cover in covers))]:
        rows, columns = each.coarse.shape
        # Hundreds of covers in a crowd: only those that reach in here cost anything.
        across_it = each.left * 2 < x2 and (each.left + columns) * 2 > x1
        if across_it and each.top * 2 < y2 and (each.top + rows) * 2 > y1:
            _mark(covered, each, x1 // 2, y1 // 2)
    # A cell that so much as touches a cover is not looked at, nor is the one beside it.
    way = cv2.INTER_AREA if 2 * share < 1 else cv2.INTER_NEAREST
    touched = cv2.resize(covered, (across, down), interpolation=way) > 0
    touched = cv2.dilate(touched.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    open_cells = np.asarray(~touched, np.bool_)
    fill = _cut(spread(seen, open_cells), (x1, y1, x2, y2), (left, top, right, bottom))
    # Right beside the region, above: hair; on both sides: long hair; below: the neck.
    band = max(2, round(BAND * max(right - left, bottom - top) * share))
    beside = cv2.dilate(touched.astype(np.uint8), np.ones((2 * band + 1,) * 2, np.uint8)) > 0
    beside &= open_cells
    upper, lower = (round((top - y1 + (bottom - top) * part) * share) for part in (UPPER, LOWER))
    middle = slice(round((left - x1) * share), max(1, round((right - x1) * share)))
    above, sides, below = (np.zeros_like(open_cells) for _ in range(3))
    above[: max(1, upper), middle] = beside[: max(1, upper), middle]
    sides[max(1, upper) : lower] = beside[max(1, upper) : lower]
    near = cv2.dilate(touched.astype(np.uint8), np.ones((6 * band + 1,) * 2, np.uint8)) > 0
    below[lower:, middle] = (near & open_cells)[lower:, middle]
    return Surroundings(
        fill,
        skin_in(seen, below),
        hair_in(seen, above),
        hair_share(seen, sides),
        light_in(seen, open_cells),
        is_grey=is_grey(seen, open_cells),
    )


def _mark(covered: _Layer, region: Region, left: int, top: int) -> None:
    rows, columns = region.coarse.shape
    x, y = region.left - left, region.top - top
    target = covered[max(0, y) : max(0, y + rows), max(0, x) : max(0, x + columns)]
    part = region.coarse[max(0, -y) :, max(0, -x) :][: target.shape[0], : target.shape[1]]
    target[: part.shape[0], : part.shape[1]][part] = 1


def spread(seen: Rgb, open_cells: Mask) -> Rgb:
    """Carries what is seen on into what is not: sums over ever coarser cells, and back (push and pull)."""
    if not open_cells.any():
        return np.full_like(seen, _GREY)
    weights = [open_cells.astype(np.float32)]
    sums = [seen.astype(np.float32) * weights[0][:, :, None]]
    while max(sums[-1].shape[:2]) > 1:
        size = tuple(-(-side // 2) for side in sums[-1].shape[1::-1])
        halved = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (sums[-1], weights[-1])]
        sums.append(np.asarray(halved[0], np.float32).reshape(*size[::-1], 3))
        weights.append(np.asarray(halved[1], np.float32).reshape(size[::-1]))
    made = sums[-1] / np.maximum(weights[-1], 1e-9)[:, :, None]
    for total, weight in zip(sums[-2::-1], weights[-2::-1], strict=True):
        size = total.shape[1::-1]
        coarse = cv2.resize(made, size, interpolation=cv2.INTER_LINEAR).reshape(*size[::-1], 3)
        coarse = cv2.blur(coarse, (3, 3), borderType=cv2.BORDER_REPLICATE).reshape(coarse.shape)
        known = np.minimum(weight * 2, 1)[:, :, None]
        made = known * total / np.maximum(weight, 1e-9)[:, :, None] + (1 - known) * coarse
    return np.clip(np.round(made), 0, 255).astype(np.uint8)


def _cut(small: Rgb, whole: tuple[int, int, int, int], part: tuple[int, int, int, int]) -> Rgb:
    """Enlarges the part of a small picture that stands for the region's rectangle."""
    x1, y1, x2, y2 = whole
    left, top, right, bottom = part
    across, down = (x2 - x1) / small.shape[1], (y2 - y1) / small.shape[0]
    # From a pixel's middle in the rectangle to the small picture.
    way = np.array(
        [
            [1 / across, 0, (left - x1 + 0.5) / across - 0.5],
            [0, 1 / down, (top - y1 + 0.5) / down - 0.5],
        ]
    )
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    size = (right - left, bottom - top)
    return np.asarray(
        cv2.warpAffine(small, way, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), np.uint8
    )
