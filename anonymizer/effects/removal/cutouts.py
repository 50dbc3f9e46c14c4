"""A part of a picture, scaled and in colours, for the networks."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.colours import rgb_of
from anonymizer.effects.region import Plane
from anonymizer.people.bodies import MOST_SIDE, Cutout, square_around


def cutout_around(planes: Sequence[Plane], box: Box, width: int, height: int) -> Cutout | None:
    """Returns the surroundings of a person's box in a picture of this size; None where it lies outside."""
    left, top, right, bottom = square_around(box, width, height)
    if right - left < 2 or bottom - top < 2:
        return None
    each = max(1.0, max(right - left, bottom - top) / MOST_SIDE)
    across, down = (max(1, round((end - begin) / each / 2)) for begin, end in ((left, right), (top, bottom)))
    scaled = []
    for plane in planes:
        step = plane.step
        part = plane.pixels[top // step : -(-bottom // step), left // step : -(-right // step)]
        fine = 2 // step
        size = (across * fine, down * fine)
        small = part if part.shape[::-1] == size else cv2.resize(part, size, interpolation=cv2.INTER_AREA)
        scaled.append(Plane(np.asarray(small, np.uint8), step, plane.neutral))
    image = rgb_of(scaled, 0, 0, across * 2, down * 2)
    return Cutout(image, left, top, (right - left) / image.shape[1])
