"""From a map of how likely each pixel is text to rotated boxes around lines of text.

Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020), section 3.5: the
network is taught lines that were shrunk, so that neighbours stay apart; each connected patch of the binarized
map is one line, and grows back by its area times a ratio over its perimeter.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

# From here on a pixel counts as text; the policy's threshold is for the mean over a box.
PIXEL_THRESHOLD = 0.3
GROWTH_RATIO = 1.6
LEAST_SIDE = 3.0
# A page of small print has some hundreds of lines; noise can have any number of specks.
MOST_LINES = 1000


@dataclass(frozen=True)
class Line:
    """One line of text, as a rectangle that may be turned.

    Attributes:
        x, y: its middle, in pixels of the map.
        length, height: along the line and across it: the longer and the shorter side, in pixels.
        angle: of the long side, in degrees from the horizontal, -90 to 90; downwards is positive.
        score: the mean likelihood within the patch that it grew from, 0 to 1.
    """

    x: float
    y: float
    length: float
    height: float
    angle: float
    score: float

    def corners(self) -> FloatArray:
        """Returns (4, 2): its corners, in order around it."""
        rectangle = ((self.x, self.y), (self.length, self.height), self.angle)
        return np.asarray(cv2.boxPoints(rectangle), np.float32)


def lines_of(likely: FloatArray, threshold: float) -> list[Line]:
    """Finds the lines of text in a map.

    Args:
        likely: (H, W) in 0..1.
        threshold: lowest mean likelihood of a line.
    """
    patches = (likely > min(PIXEL_THRESHOLD, threshold)).astype(np.uint8)
    # Joins what touches at corners only.
    joined = cv2.dilate(patches, np.ones((2, 2), np.uint8))
    outlines, _ = cv2.findContours(joined, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    lines = []
    for outline in sorted(outlines, key=cv2.contourArea, reverse=True)[:MOST_LINES]:
        (x, y), (width, height), angle = cv2.minAreaRect(outline)
        if min(width, height) < LEAST_SIDE:
            continue
        corners = np.asarray(cv2.boxPoints(((x, y), (width, height), angle)), np.float32)
        score = _mean_within(likely, corners)
        if score < threshold:
            continue
        grow = 2 * GROWTH_RATIO * width * height / (2 * (width + height))
        lines.append(_line(x, y, width + grow, height + grow, angle, score))
    return lines


def _line(x: float, y: float, width: float, height: float, angle: float, score: float) -> Line:
    if width < height:
        width, height, angle = height, width, angle + 90
    return Line(x, y, width, height, (angle + 90) % 180 - 90, score)


def _mean_within(likely: FloatArray, corners: FloatArray) -> float:
    rows, columns = likely.shape
    low = np.floor(corners.min(axis=0)).astype(int)
    high = np.ceil(corners.max(axis=0)).astype(int)
    left, right = (int(v) for v in np.clip((low[0], high[0]), 0, columns - 1))
    top, bottom = (int(v) for v in np.clip((low[1], high[1]), 0, rows - 1))
    mask = np.zeros((bottom - top + 1, right - left + 1), np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1)
    return float(cv2.mean(likely[top : bottom + 1, left : right + 1], mask)[0])
