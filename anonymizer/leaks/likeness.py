"""Whether the picture of a face is still there under its cover, told by no network.

The result is compared with the original of that very moment: the pattern of dark and light in the face, some
ten cells across. It stays in a copy, under a weak blur and in a fine mosaic, which is where recognizers still
know people, and is gone under what hides them (docs/leaks.md). It needs no face to be seen as one, so it also
tells of one that lies on its side or in the dark, and of a cover that was never painted.

This is no likeness between two pictures of one person: whoever has the original of a moment needs no match.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.leaks.covered import ORIGINAL_SIDE, small_picture

# Patterns coarser than this are light and shadow, which any cover may share: the deviation of a Gaussian, in
# pixels of the small picture.
COARSE: Final = 3.0
# How far the middle of the face reaches: the share of the small picture's half, squared. What lies around it
# may be open.
REACH: Final = 0.6
# From this correlation on the pattern is there. Mosaics of 6 blocks across and solid covers never reached it.
THERE: Final = 0.9
# Where neither varies by this much, of 255, there is nothing to compare.
LEAST_DEVIATION: Final = 2.0


def is_still_there(original: npt.NDArray[np.uint8], rgb: Image, box: Box) -> bool:
    """Tells whether the pattern of a face is still there.

    Args:
        original: (32, 32) uint8 luma (Covered.original).
        rgb: (H, W, 3) uint8 of the result.
        box: where the face was found (Covered.box).
    """
    shown = small_picture(box, rgb)
    if shown is None:
        return False
    grey = np.asarray(cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY), np.uint8)
    was, left = _pattern(original), _pattern(grey)
    deviations = float(was.std()), float(left.std())
    if min(deviations) < LEAST_DEVIATION:
        return False
    return float((was * left).mean()) >= THERE * deviations[0] * deviations[1]


def _pattern(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Returns what is dark and light within the face, less what is coarse, with a mean of nothing."""
    values = picture.astype(np.float32)
    fine = (values - cv2.GaussianBlur(values, (0, 0), COARSE))[_WITHIN]
    return np.asarray(fine - fine.mean(), np.float32)


def _within() -> npt.NDArray[np.bool_]:
    half = ORIGINAL_SIDE / 2
    away = (np.arange(ORIGINAL_SIDE) + 0.5 - half) / half
    return np.asarray(away[:, None] ** 2 + away[None] ** 2 < REACH, np.bool_)


_WITHIN: Final = _within()
