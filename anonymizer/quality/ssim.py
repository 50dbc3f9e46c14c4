"""How alike two tiles look: structural similarity (Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 13(4), 2004)."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Tile = npt.NDArray[np.uint8]

# The paper's own: a Gaussian window of 11 pixels, and constants for 8 bits.
WINDOW: Final = 11
DEVIATION: Final = 1.5
C1: Final = (0.01 * 255) ** 2
C2: Final = (0.03 * 255) ** 2


def ssim(a: Tile, b: Tile) -> float:
    """Returns the mean structural similarity of two luma tiles, (H, W) uint8 with 11 pixels or more each way.

    Exactly 1 where they are the same, pixel by pixel, and nowhere else; 0 where they have nothing in common.
    """
    if np.array_equal(a, b):
        return 1.0
    x, y = a.astype(np.float32), b.astype(np.float32)
    mean_x, mean_y = _mean(x), _mean(y)
    var_x, var_y = _mean(x * x) - mean_x * mean_x, _mean(y * y) - mean_y * mean_y
    shared = _mean(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + C1) * (2 * shared + C2)
    found = float((alike / ((mean_x**2 + mean_y**2 + C1) * (var_x + var_y + C2))).mean())
    return min(found, math.nextafter(1, 0))


def _mean(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    smooth = cv2.GaussianBlur(values, (WINDOW, WINDOW), DEVIATION)
    edge = WINDOW // 2
    # At the border the window would see pixels that are not there.
    return np.asarray(smooth[edge:-edge, edge:-edge], np.float32)
