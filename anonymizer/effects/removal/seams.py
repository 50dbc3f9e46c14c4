"""The edge between the picture and what is painted into it.

A feathered edge would blend what was there into what is painted, and an outline would stay. Here the
picture outside gives way to the plate within: what they differ by just outside the edge is added to the plate
just inside it, less and less with the distance. No pixel under a cover is read.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

# Of the picture's height, and luma pixels: how far an edge reaches inwards.
WIDTH_SHARE: Final = 0.025
LEAST_WIDTH: Final = 6
# Of 255: what differs by more is no difference of light. A hand that reaches out of a cover is not smeared.
MOST_APART: Final = 22.0


def seam_width(height: int) -> int:
    """Returns how far an edge reaches inwards, in luma pixels of a picture of this height."""
    return max(LEAST_WIDTH, round(height * WIDTH_SHARE))


def blended(
    patch: FloatArray, outside: npt.NDArray[np.uint8] | FloatArray, visible: npt.NDArray[np.uint8], reach: int
) -> FloatArray:
    """Returns the patch with its edge drawn towards what surrounds it.

    Args:
        patch: (h, w), what is painted.
        outside: (h, w), the picture; read where it is visible, and nowhere else.
        visible: (h, w), 0 or 1.
        reach: how far the edge reaches inwards, in samples.
    """
    if not visible.any():
        return patch
    apart = np.where(visible, outside - patch, np.float32(0)).astype(np.float32)
    weight = (visible.view(np.bool_) & (np.abs(apart) < MOST_APART)).astype(np.float32)
    size = (2 * reach + 1, 2 * reach + 1)
    near = cv2.boxFilter(apart * weight, -1, size, borderType=cv2.BORDER_CONSTANT)
    counted = cv2.boxFilter(weight, -1, size, borderType=cv2.BORDER_CONSTANT)
    away = cv2.distanceTransform(1 - visible, cv2.DIST_L2, 3)
    fading = np.clip(1 - away / reach, 0, 1)
    return np.asarray(patch + near / np.maximum(counted, 1e-3) * fading, np.float32)
