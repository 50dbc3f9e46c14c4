"""Which lines of text have the shape of a number plate.

Plates carry one short line (or two, which are found as two) of dark and light, wider than high, more or less
upright to the camera. Nothing is read: a word on a sign that looks alike counts as a plate too, because a
cover too many is better than a plate too few. How many those are stands in docs/models.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from anonymizer.detect.contract import Image
from anonymizer.detect.text_maps import Line

# A European plate's line is found as 4 to 6 times as long as high, an American one's as 2 to 4 times, half of
# a two-line plate as 1.5 to 3 times; seen from the side, each is shorter.
SHORTEST: Final = 1.3
LONGEST: Final = 7.5
MOST_TURNED_DEGREES: Final = 45.0
# A line that fills more of the picture's width than this is a caption or a title.
WIDEST_SHARE: Final = 0.6
# Of 255, between the middles of the dark and the light half: letters on a plate are made to be read.
LEAST_CONTRAST: Final = 25.0


def plates_among(lines: Sequence[Line], image: Image) -> list[Line]:
    """Returns the lines that may be a number plate.

    Args:
        lines: in the image's pixels.
        image: (H, W, 3) uint8 RGB, in which they were found.
    """
    return [line for line in lines if _has_shape(line, image.shape[1]) and _is_two_tone(line, image)]


def _has_shape(line: Line, width: int) -> bool:
    return (
        SHORTEST <= line.length / line.height <= LONGEST
        and abs(line.angle) <= MOST_TURNED_DEGREES
        and line.length <= WIDEST_SHARE * width
    )


def _is_two_tone(line: Line, image: Image) -> bool:
    left, top = np.maximum(np.floor(line.corners().min(axis=0)).astype(int), 0)
    right, bottom = np.ceil(line.corners().max(axis=0)).astype(int)
    patch = image[top:bottom, left:right]
    if patch.size == 0:
        return False
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    dark, light = np.percentile(grey, (15, 85))
    return bool(light - dark >= LEAST_CONTRAST)
