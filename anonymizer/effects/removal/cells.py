"""Coarse means of a picture: how its light differs from what was learnt, smoothly over the whole of it.

Light is told by what can be seen and holds for what cannot: the difference between the picture and the plate,
where nobody is, is spread over where somebody is.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.region import Mask

FloatArray = npt.NDArray[np.float32]

# Luma pixels across and down.
CELL: Final = 8
# Of 255, beyond the usual: what differs by more is no light, but something that came or went.
NO_LIGHT: Final = 24.0
# Of the picture's long side: finer than this the light is not told.
SPREAD: Final = 0.08


def cells_of(plane: npt.NDArray[np.uint8] | FloatArray, step: int) -> FloatArray:
    """Returns the mean of every cell of a plane, float32; cells lie alike in all planes of a picture."""
    height, width = plane.shape
    size = (max(1, -(-width * step // CELL)), max(1, -(-height * step // CELL)))
    return np.asarray(cv2.resize(plane, size, interpolation=cv2.INTER_AREA), np.float32)


def whole_cells(coarse: Mask, width: int, height: int) -> Mask:
    """Returns which cells lie wholly within a mask on the coarse grid of a picture of this size."""
    size = (max(1, -(-width // CELL)), max(1, -(-height // CELL)))
    share = cv2.resize(coarse.astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(share > 0.999, np.bool_)


def light(apart: FloatArray, where: Mask) -> FloatArray:
    """Returns a smooth field of differences, for every cell, from those cells that can be compared.

    Args:
        apart: (rows, columns), how much brighter each cell is than what was learnt.
        where: which of them can be compared.
    """
    if not where.any():
        return np.zeros_like(apart)
    usual = float(np.median(apart[where]))
    weight = (where & (np.abs(apart - usual) < NO_LIGHT)).astype(np.float32)
    sigma = max(1.0, SPREAD * max(apart.shape))
    # A little of the usual difference everywhere: where nothing is near, the light is the picture's.
    known = _spread(weight, sigma) + 1e-3
    field = (_spread((apart - usual) * weight, sigma) / known) + usual
    return np.asarray(field, np.float32)


def _spread(values: FloatArray, sigma: float) -> FloatArray:
    return np.asarray(cv2.GaussianBlur(values, (0, 0), sigma, borderType=cv2.BORDER_REPLICATE), np.float32)
