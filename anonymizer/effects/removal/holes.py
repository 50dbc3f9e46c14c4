"""A guess at what was never seen: the nearest background that was, smoothed.

Made on a small copy, so that its cost does not depend on the picture's size. Lines that end at the hole go on
into it, and nothing comes out brighter or more colourful than what is around. (Telea's inpainting was tried:
over holes as large as a person its gradients run away into colours.) It looks like a guess: without detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.region import Mask

FloatArray = npt.NDArray[np.float32]

# Long side of the small copy.
SIDE: Final = 240
# Of a small pixel's area, what must be known for it to count.
LEAST_KNOWN: Final = 0.5
# Small pixels: what is known is smoothed a little, lest one pixel's noise becomes a streak; the guess more.
_SMOOTH_KNOWN: Final = 1.2
_SMOOTH_GUESS: Final = 3.0


def guessed(planes: Sequence[FloatArray], known: Mask) -> list[FloatArray] | None:
    """Fills in what is not known.

    Args:
        planes: of any sizes, all of one picture.
        known: (rows, columns) on the coarse grid.

    Returns:
        A small copy of each plane, float32, without holes; None where nothing is known at all.
    """
    rows, columns = known.shape
    share = min(1.0, SIDE / max(rows, columns))
    size = (max(1, round(columns * share)), max(1, round(rows * share)))
    weight = cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    holes = np.asarray(weight < LEAST_KNOWN, np.bool_)
    if holes.all():
        return None
    small = [_shrunk(plane, known, size) for plane in planes]
    return [_filled(plane, holes) for plane in small] if holes.any() else small


def _shrunk(plane: FloatArray, known: Mask, size: tuple[int, int]) -> FloatArray:
    """Returns the mean of what is known in every small pixel."""
    full = cv2.resize(known.view(np.uint8), plane.shape[::-1], interpolation=cv2.INTER_NEAREST)
    total = cv2.resize(plane * full, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(full.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(total / np.maximum(share, 1e-3), np.float32)


def _filled(plane: FloatArray, holes: Mask) -> FloatArray:
    known = (~holes).astype(np.float32)
    weight = np.maximum(_smooth(known, _SMOOTH_KNOWN), 1e-6)
    source = _smooth(plane * known, _SMOOTH_KNOWN) / weight
    # For every pixel the number of the nearest known one; those are numbered as they come, row by row.
    _, nearest = cv2.distanceTransformWithLabels(
        holes.view(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    of_number = np.zeros(int(nearest.max()) + 1, np.float32)
    of_number[nearest[~holes]] = source[~holes]
    return np.where(holes, _smooth(of_number[nearest], _SMOOTH_GUESS), plane)


def _smooth(plane: FloatArray, sigma: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
