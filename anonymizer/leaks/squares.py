"""Which squares of a picture a network looks at that sees but a small square at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.detect.contract import Image

# Neighbours overlap by this share of their side: a face cut off by one is whole in the next, or a larger one.
OVERLAP: Final = 0.2
# A face that fills the whole picture is found from this much farther away.
FARTHER: Final = 1.6
# Then three sizes: the longer side; the shorter one, unless that is nearly the same or tiny; a finer.
FINER: Final = 1.6
NEITHER_SQUARE_NOR_RIBBON: Final = (1.3, 2.2)
# Below this a network sees no more by looking closer.
SMALLEST: Final = 192

# Left, top and side, in pixels; a square may reach beyond the picture.
Place = tuple[int, int, int]


def parts(width: int, height: int) -> Iterator[Place]:
    """Yields squares: from farther away, the whole picture, then overlapping parts of it, smaller each time.

    Of a wide picture there are 12.
    """
    longest, shortest = max(width, height), min(width, height)
    far = round(longest * FARTHER)
    yield (width - far) // 2, (height - far) // 2, far
    yield 0, 0, longest
    low, high = NEITHER_SQUARE_NOR_RIBBON
    side = shortest if low <= longest / shortest <= high else round(longest / FINER)
    for each in (side, round(side / FINER)):
        if each >= SMALLEST:
            for top in _begins(height, each):
                for left in _begins(width, each):
                    yield left, top, each


def around(boxes: Sequence[Box], room: float, most: int) -> Iterator[Place]:
    """Yields a square around each of the largest boxes, `room` times as large."""
    largest = sorted(boxes, key=lambda box: -box.height * box.width)
    for box in largest[:most]:
        side = max(2, math.ceil(max(box.width, box.height) * room))
        x, y = box.centre
        yield round(x - side / 2), round(y - side / 2), side


def cut(picture: Image, place: Place) -> Image:
    """Returns (side, side, 3): a square of a picture; black beyond it. It may be a view."""
    left, top, side = place
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    if (x2 - x1, y2 - y1) == (side, side):
        return picture[y1:y2, x1:x2]
    square = np.zeros((side, side, 3), np.uint8)
    if x2 > x1 and y2 > y1:
        square[y1 - top : y2 - top, x1 - left : x2 - left] = picture[y1:y2, x1:x2]
    return square


class Pyramid:
    """A picture at its own size, at half of it, a quarter and so on: each is made when it is needed."""

    def __init__(self, picture: Image) -> None:
        """Takes (H, W, 3) uint8."""
        self._levels = [picture]

    def square(self, place: Place, pixels: int) -> Image:
        """Returns a square as (pixels, pixels, 3), of the smallest level that is as fine; black beyond."""
        left, top, side = place
        level = 0
        while (side >> (level + 1)) >= pixels and min(self._at(level).shape[:2]) > 1:
            level += 1
        share = 1 / (1 << level)
        there = round(left * share), round(top * share), max(1, round(side * share))
        smooth = cv2.INTER_AREA if there[2] > pixels else cv2.INTER_LINEAR
        square = cv2.resize(cut(self._at(level), there), (pixels, pixels), interpolation=smooth)
        return np.asarray(square, np.uint8)

    def around(self, box: Box, room: float, pixels: int) -> Image:
        """Returns a box and what is around it, `room` times as large, as (pixels, pixels, 3)."""
        (place,) = around((box,), room, most=1)
        return self.square(place, pixels)

    def _at(self, level: int) -> Image:
        while len(self._levels) <= level:
            finer = self._levels[-1]
            half = max(1, finer.shape[1] // 2), max(1, finer.shape[0] // 2)
            self._levels.append(np.asarray(cv2.resize(finer, half, interpolation=cv2.INTER_AREA), np.uint8))
        return self._levels[level]


def _begins(length: int, side: int) -> list[int]:
    count = 1 + max(0, math.ceil((length - side) / (side * (1 - OVERLAP)) - 1e-6))
    return [round(place * max(0, length - side) / max(1, count - 1)) for place in range(count)]
