"""One person read closely: where the joints are, and which pixels are theirs.

The second pose network answers for a square that is turned with the body. Where the square lies, the first
network says, and from then on the second one itself: two of its points tell the square for the next frame.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.errors import AnonymizerError
from anonymizer.people.pose_decoding import (
    BODY_SIDE,
    DETECTION_SIDE,
    ROOM,
    SMALLEST_PIXELS,
    Body,
    FloatArray,
    bodies_from,
    mask_logits_of,
    sigmoid,
    square_of,
)

# Points of the body, by the network's numbers: 33 of the person, two that span the square, four unused.
JOINTS: Final = 33
_HIPS, _REACH = 33, 34
_POINTS, _NUMBERS = 39, 5
# The same bound as for finding people (people/pose.py).
LEAST_PRESENCE: Final = 0.5
# In a part of a picture that is known to show somebody.
SUSPICION: Final = 0.2
# Around a person's box, as a multiple of its longer side: an arm may reach beyond it.
AROUND: Final = 1.5
# Pixels across of what is looked at: the network sees no more than 256.
MOST_SIDE: Final = 384


class BodyNetworks(Protocol):
    """What pose_networks.PoseNetworks does."""

    def places(self, image: Image) -> tuple[FloatArray, FloatArray]:
        """Runs the first network."""
        ...

    def figure(self, image: Image) -> tuple[FloatArray, float, FloatArray]:
        """Runs the second network: points, presence and the mask's logits."""
        ...


@dataclass(frozen=True)
class Cutout:
    """A part of a picture, scaled.

    Attributes:
        image: (h, w, 3) uint8 RGB.
        left, top: where it lies in the picture, in its pixels.
        pixels_each: pixels of the picture in one of the image.
    """

    image: Image
    left: float
    top: float
    pixels_each: float


@dataclass(frozen=True)
class Figure:
    """How somebody stands in a picture, in its pixels.

    Attributes:
        body: the square that was looked at.
        next_body: where to look for them in the next frame.
        presence: how likely somebody is there, 0 to 1.
        joints: (33, 2) float32, x and y.
        sure: (33,) float32, 0 to 1: how likely each joint is in sight.
        likely: (256, 256) float32, 0 to 1: which pixels of the square are theirs.
    """

    body: Body
    next_body: Body
    presence: float
    joints: FloatArray
    sure: FloatArray
    likely: FloatArray


def square_around(box: Box, width: int, height: int) -> tuple[int, int, int, int]:
    """Returns left, top, right and bottom, even where they can be, of the part to look at for a box."""
    half = max(box.width, box.height) * AROUND / 2
    x, y = box.centre
    left, top = (max(0, math.floor(v - half) // 2 * 2) for v in (x, y))
    right, bottom = min(width, math.ceil(x + half)), min(height, math.ceil(y + half))
    return left, top, right, bottom


class BodyReader:
    """Reads figures. Used by one thread at a time."""

    def __init__(self, networks: BodyNetworks) -> None:
        """Takes the compiled networks."""
        self._networks = networks

    def find(self, part: Cutout, box: Box | None = None) -> Body | None:
        """Finds the likeliest body in a part of a picture.

        Args:
            part: what to look at.
            box: where its hips must lie, in the picture's pixels; anywhere by default.

        Returns:
            Its place in the picture; None for nobody.

        Raises:
            AnonymizerError: detector_failed.
        """
        rows, columns = part.image.shape[:2]
        side = max(rows, columns)
        square = np.zeros((side, side, 3), np.uint8)
        square[:rows, :columns] = part.image
        small = cv2.resize(square, (DETECTION_SIDE, DETECTION_SIDE), interpolation=cv2.INTER_AREA)
        places, logits = self._networks.places(np.asarray(small, np.uint8))
        found = [
            _in_picture(body, part) for body in bodies_from(places, logits, SUSPICION, side / DETECTION_SIDE)
        ]
        inside = [
            body
            for body in found
            if box is None or (box.x1 <= body.x <= box.x2 and box.y1 <= body.y <= box.y2)
        ]
        return max(inside, key=lambda body: body.score, default=None)

    def read(self, part: Cutout, body: Body) -> Figure | None:
        """Reads the figure of a body whose place is known.

        Args:
            part: a part of the picture that holds it.
            body: its place in the picture.

        Returns:
            None where nobody is.

        Raises:
            AnonymizerError: detector_failed.
        """
        points, presence, logits = self._networks.figure(square_of(part.image, _in_part(body, part)))
        if points.size != _POINTS * _NUMBERS or not np.isfinite(points).all():
            raise AnonymizerError("detector_failed")
        likely = sigmoid(mask_logits_of(logits))
        if presence < LEAST_PRESENCE:
            return None
        table = points.reshape(_POINTS, _NUMBERS)
        back = cv2.invertAffineTransform(body.to_square(BODY_SIDE))
        places = np.asarray(table[:, :2] @ back[:, :2].T + back[:, 2], np.float32)
        (x, y), (reach_x, reach_y) = places[_HIPS].tolist(), places[_REACH].tolist()
        radius = math.hypot(reach_x - x, reach_y - y) * ROOM
        follows = radius >= SMALLEST_PIXELS and 0.5 < radius / body.radius < 2
        turn = math.atan2(reach_x - x, y - reach_y)
        return Figure(
            body,
            Body(x, y, radius, turn, presence) if follows else body,
            presence,
            places[:JOINTS],
            np.minimum(sigmoid(table[:JOINTS, 3]), sigmoid(table[:JOINTS, 4])),
            likely,
        )


def _in_part(body: Body, part: Cutout) -> Body:
    each = part.pixels_each
    return Body(
        (body.x - part.left) / each, (body.y - part.top) / each, body.radius / each, body.turn, body.score
    )


def _in_picture(body: Body, part: Cutout) -> Body:
    each = part.pixels_each
    return Body(
        body.x * each + part.left, body.y * each + part.top, body.radius * each, body.turn, body.score
    )
