"""Whether a picture is still the one that was looked at.

What a caption, a badge or a number plate changes when it comes or goes is small: the means of 64 x 36 cells
are compared, and the one that changed most decides.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

# Of 255. Noise moves a cell's mean by less than 1, the smallest text that is found by more than this.
LEAST_CHANGE = 5.0
SAMPLE_EVERY = 2
CELLS = (64, 36)

Small = npt.NDArray[np.float32]


def small_copy(luma: npt.NDArray[np.uint8]) -> Small:
    """Returns the means of the cells of a luma plane, (36, 64)."""
    sampled = np.ascontiguousarray(luma[::SAMPLE_EVERY, ::SAMPLE_EVERY])
    return np.asarray(cv2.resize(sampled, CELLS, interpolation=cv2.INTER_AREA), np.float32)


def is_still(a: Small, b: Small) -> bool:
    """Tells whether two small copies are of the same picture."""
    return float(np.abs(a - b).max()) < LEAST_CHANGE
