"""Where one shot ends and the next begins.

A missed cut costs nothing but a cover that stays too long; a false one costs two detections.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

CUT_CORRELATION = 0.3
SAMPLE_EVERY = 8
BINS = 64


class SceneCuts:
    """Compares each frame's brightness histogram with the one before."""

    def __init__(self) -> None:
        """Starts with no frame seen."""
        self._last: npt.NDArray[np.float64] | None = None

    def is_cut(self, luma: npt.NDArray[np.uint8]) -> bool:
        """Takes the next frame's luma plane, (H, W); true where a new shot begins with it."""
        sampled = luma[::SAMPLE_EVERY, ::SAMPLE_EVERY]
        histogram = np.bincount(sampled.ravel() // (256 // BINS), minlength=BINS).astype(np.float64)
        histogram -= histogram.mean()
        last, self._last = self._last, histogram
        if last is None:
            return False
        norm = float(np.sqrt((last**2).sum() * (histogram**2).sum()))
        return norm > 0 and float((last * histogram).sum()) / norm < CUT_CORRELATION
