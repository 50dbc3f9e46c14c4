"""What the two pose networks answer, turned into places in a picture.

The first (Bazarevsky et al., "BlazePose: On-device Real-time Body Pose Tracking", 2020) answers for each of
2,254 anchors: a box around the face, four points and how sure it is. Two of the points matter: the middle of
the hips, and one that lies as far away as the whole body reaches, towards the head. They span a turned square
around the body. The second network looks at that square, upright, and answers how likely each of its pixels
is the person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.detect.anchors import centres_of
from anonymizer.detect.contract import Image
from anonymizer.errors import AnonymizerError

FloatArray = npt.NDArray[np.float32]

DETECTION_SIDE: Final = 224
BODY_SIDE: Final = 256
# Cells of the grid and anchors in each cell, by layer; every anchor lies in the middle of its cell.
GRIDS: Final = ((28, 2), (14, 2), (7, 6))
ANCHORS: Final = sum(cells * cells * each for cells, each in GRIDS)
NUMBERS_OF_AN_ANCHOR: Final = 12
# The square of the second network reaches this much farther than the point that tells the body's size.
ROOM: Final = 1.25
# A body may reach this many times as far as the picture that it was found in: beyond it the points are noise.
LARGEST: Final = 3.0
SMALLEST_PIXELS: Final = 4.0
_LARGEST_LOGIT: Final = 60.0


@dataclass(frozen=True)
class Body:
    """Where a body is thought to be, in pixels of the picture.

    Attributes:
        x, y: the middle of the hips.
        radius: half the side of the square around the body.
        turn: radians by which the body leans clockwise from upright.
        score: how sure the first network is, 0 to 1.
    """

    x: float
    y: float
    radius: float
    turn: float
    score: float

    def box(self) -> Box:
        """Returns the upright square of the same size."""
        return Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)

    def to_square(self, side: int) -> FloatArray:
        """Returns (2, 3): what turns the picture's coordinates into those of the upright square."""
        scale = side / (2 * self.radius)
        cos, sin = math.cos(self.turn) * scale, math.sin(self.turn) * scale
        middle = side / 2
        return np.array(
            [
                [cos, sin, middle - cos * self.x - sin * self.y],
                [-sin, cos, middle + sin * self.x - cos * self.y],
            ],
            np.float32,
        )


@lru_cache(maxsize=1)
def anchor_centres() -> FloatArray:
    """Returns (2254, 2): x and y of every anchor, as shares of the input's side."""
    return centres_of(GRIDS)


def bodies_from(places: FloatArray, logits: FloatArray, threshold: float, pixels_each: float) -> list[Body]:
    """Reads the first network's answer.

    Args:
        places: (1, 2254, 12), in pixels of the input, from the anchor.
        logits: (1, 2254, 1).
        threshold: lowest score.
        pixels_each: pixels of the picture in one of the input.

    Raises:
        AnonymizerError: detector_failed, where the shapes are others or any number is not finite.
    """
    if places.shape != (1, ANCHORS, NUMBERS_OF_AN_ANCHOR) or logits.shape != (1, ANCHORS, 1):
        raise AnonymizerError("detector_failed")
    if not (np.isfinite(places).all() and np.isfinite(logits).all()):
        raise AnonymizerError("detector_failed")
    scores = sigmoid(logits[0, :, 0])
    chosen = np.nonzero(scores >= threshold)[0]
    points = places[0, chosen, 4:8].reshape(-1, 2, 2) + anchor_centres()[chosen, None, :] * DETECTION_SIDE
    found = []
    for (hips, reach), score in zip((points * pixels_each).tolist(), scores[chosen].tolist(), strict=True):
        across, down = reach[0] - hips[0], reach[1] - hips[1]
        radius = math.hypot(across, down) * ROOM
        if SMALLEST_PIXELS <= radius <= LARGEST * DETECTION_SIDE * pixels_each:
            found.append(Body(hips[0], hips[1], radius, math.atan2(across, -down), score))
    return found


def square_of(image: Image, body: Body) -> Image:
    """Returns the square around a body, (256, 256, 3) uint8 RGB, upright; black beyond the picture."""
    turned = cv2.warpAffine(image, body.to_square(BODY_SIDE), (BODY_SIDE, BODY_SIDE), flags=cv2.INTER_LINEAR)
    return np.asarray(turned, np.uint8)


def mask_in_picture(
    logits: FloatArray, body: Body, width: int, height: int, least: float
) -> npt.NDArray[np.bool_]:
    """Lays the second network's mask back over the picture.

    Args:
        logits: (1, 256, 256, 1).
        body: where the square lies.
        width, height: of the mask to be made, in the pixels that the body's place is in.
        least: likelihood from which a pixel is the person.

    Returns:
        (height, width) bool.

    Raises:
        AnonymizerError: detector_failed.
    """
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    likely = cv2.warpAffine(
        sigmoid(mask_logits_of(logits)), body.to_square(BODY_SIDE), (width, height), flags=flags
    )
    return np.asarray(likely >= least, np.bool_)


def mask_logits_of(logits: FloatArray) -> FloatArray:
    """Returns the second network's mask, (256, 256), once it is one.

    Args:
        logits: (1, 256, 256, 1).

    Raises:
        AnonymizerError: detector_failed, where the shape is another or a number is not finite.
    """
    if logits.shape != (1, BODY_SIDE, BODY_SIDE, 1) or not np.isfinite(logits).all():
        raise AnonymizerError("detector_failed")
    return np.asarray(logits[0, :, :, 0], np.float32)


def sigmoid(logits: FloatArray) -> FloatArray:
    """Turns any finite numbers into 0..1."""
    return (1 / (1 + np.exp(-np.clip(logits, -_LARGEST_LOGIT, _LARGEST_LOGIT)))).astype(np.float32)
