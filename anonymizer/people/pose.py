"""People in one frame: found in small squares of it, then looked at one by one.

The first network sees a square of 224 pixels, so the picture is looked at whole and in squares that overlap.
What it points at is only a suspicion (a table, a coat): the second network looks closer, and says whether
somebody is there and which pixels are theirs. The box around those is what is found.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Box, Boxes, no_boxes
from anonymizer.detect.contract import Image
from anonymizer.detect.looking import CopyAt
from anonymizer.people.joining import joined
from anonymizer.people.pose_decoding import (
    DETECTION_SIDE,
    Body,
    bodies_from,
    mask_in_picture,
    sigmoid,
    square_of,
)
from anonymizer.people.pose_networks import PoseNetworks

# Measured on a steady camera: where somebody is .78 and more, at a table or a shadow .13 and less. A lower
# bound found nobody else there, and more cars from above.
LEAST_PRESENCE: Final = 0.5
# A pixel this likely is the person: the whole outline is wanted, not its core.
LEAST_LIKELY: Final = 0.3
# Squares overlap by this share of their side: somebody cut off by one is whole in the next.
OVERLAP: Final = 0.35
# Two suspicions this close, in radii of the smaller, are of one person.
ONE_PERSON: Final = 0.35
# So many are looked at closely; whoever comes after them is covered by the whole square unseen.
MOST_BODIES: Final = 24
MASK_SIDE: Final = 320


class PoseLooker:
    """Looks at frames, one by one."""

    def __init__(self, networks: PoseNetworks, side: int, levels: Sequence[int], threshold: float) -> None:
        """Takes the networks and how hard to look.

        Args:
            networks: compiled.
            side: long side in pixels of the copy that is looked at.
            levels: how many squares fit on the picture's short side, one number for each round of squares.
            threshold: the first network's score from which something is a suspicion.
        """
        self._networks = networks
        self._side = side
        self._levels = tuple(levels)
        self._threshold = threshold

    def look(self, width: int, height: int, copy_at: CopyAt) -> Boxes:
        """Returns the people of a frame of this size, (N, 5) in its pixels, within it.

        Raises:
            AnonymizerError: detector_failed.
        """
        share = min(self._side, max(width, height)) / max(width, height)
        across, down = (max(2, round(v * share)) for v in (width, height))
        image = copy_at(across, down)
        bodies = _without_doubles(
            [
                body
                for square in _squares(across, down, self._levels)
                for body in self._suspected(image, *square)
            ]
        )
        rows = [seen for body in bodies[:MOST_BODIES] if (seen := self._looked_at(image, body)) is not None]
        rows += [(body.box(), body.score) for body in bodies[MOST_BODIES:]]
        found = [[box.x1, box.y1, box.x2, box.y2, score] for box, score in rows]
        boxes = np.array(found, np.float32) if found else no_boxes()
        boxes[:, :4] *= np.array([width / across, height / down] * 2, np.float32)
        boxes[:, [0, 2]] = np.clip(boxes[:, [0, 2]], 0, width)
        boxes[:, [1, 3]] = np.clip(boxes[:, [1, 3]], 0, height)
        return joined(boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])])

    def _suspected(self, image: Image, left: int, top: int, side: int) -> list[Body]:
        part = image[top : top + side, left : left + side]
        square = np.zeros((side, side, 3), np.uint8)
        square[: part.shape[0], : part.shape[1]] = part
        small = cv2.resize(square, (DETECTION_SIDE, DETECTION_SIDE), interpolation=cv2.INTER_AREA)
        places, logits = self._networks.places(np.asarray(small, np.uint8))
        found = bodies_from(places, logits, self._threshold, side / DETECTION_SIDE)
        return [Body(b.x + left, b.y + top, b.radius, b.turn, b.score) for b in found]

    def _looked_at(self, image: Image, body: Body) -> tuple[Box, float] | None:
        """Returns where a suspected person is, in the copy, and how sure that is; None for nobody."""
        presence, logits = self._networks.body(square_of(image, body))
        if presence < LEAST_PRESENCE:
            return None
        share = min(1.0, MASK_SIDE / max(image.shape[:2]))
        across, down = (max(1, round(v * share)) for v in (image.shape[1], image.shape[0]))
        small = Body(body.x * share, body.y * share, body.radius * share, body.turn, body.score)
        mask = mask_in_picture(logits, small, across, down, LEAST_LIKELY)
        if not mask.any():
            # What the network took for a person lies beyond the picture's edge; or it has marked no pixel at
            # all, and then the whole square stands for them.
            return None if (sigmoid(logits) >= LEAST_LIKELY).any() else (body.box(), presence)
        rows, columns = np.nonzero(mask.any(axis=1))[0], np.nonzero(mask.any(axis=0))[0]
        x, y = image.shape[1] / across, image.shape[0] / down
        # One cell more on every side: the outline lies between two.
        around = Box((columns[0] - 1) * x, (rows[0] - 1) * y, (columns[-1] + 2) * x, (rows[-1] + 2) * y)
        return around, presence


def _squares(width: int, height: int, levels: Sequence[int]) -> Iterator[tuple[int, int, int]]:
    """Yields left, top and side: the whole picture, then rounds of overlapping squares."""
    yield 0, 0, max(width, height)
    for level in levels:
        side = math.ceil(min(width, height) / (1 + (level - 1) * (1 - OVERLAP)))
        for top in _begins(height, side):
            for left in _begins(width, side):
                yield left, top, side


def _begins(length: int, side: int) -> list[int]:
    count = 1 + max(0, math.ceil((length - side) / (side * (1 - OVERLAP)) - 1e-6))
    return [round(place * (length - side) / max(1, count - 1)) for place in range(count)]


def _without_doubles(bodies: list[Body]) -> list[Body]:
    """Keeps the surest of those that are of one person, the surest first."""
    kept: list[Body] = []
    for body in sorted(bodies, key=lambda b: -b.score):
        if all(
            math.hypot(body.x - k.x, body.y - k.y) > ONE_PERSON * min(body.radius, k.radius)
            or max(body.radius, k.radius) > 2 * min(body.radius, k.radius)
            for k in kept
        ):
            kept.append(body)
    return kept
