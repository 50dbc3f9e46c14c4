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
# Three sizes: the longer side; the shorter one, where the picture is no square and no ribbon; a finer one.
FINER: Final = 1.6
NEITHER_SQUARE_NOR_RIBBON: Final = (1.3, 2.2)
# Below this a network sees no more by looking closer.
SMALLEST: Final = 192

# Left, top and side, in pixels; a square may reach beyond the picture.
Place = tuple[int, int, int]


def parts(width: int, height: int) -> Iterator[Place]:
    """Yields the whole picture, then overlapping parts of it, smaller each time: 11 of a wide picture."""
    longest, shortest = max(width, height), min(width, height)
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


def enlarged(picture: Image, box: Box, room: float, pixels: int) -> Image:
    """Returns (pixels, pixels, 3): a box and what is around it, `room` times as large."""
    ((left, top, side),) = around((box,), room, most=1)
    smooth = cv2.INTER_AREA if side > pixels else cv2.INTER_LINEAR
    square = cut(picture, (left, top, side))
    return np.asarray(cv2.resize(square, (pixels, pixels), interpolation=smooth), np.uint8)


def _begins(length: int, side: int) -> list[int]:
    count = 1 + max(0, math.ceil((length - side) / (side * (1 - OVERLAP)) - 1e-6))
    return [round(place * max(0, length - side) / max(1, count - 1)) for place in range(count)]
