"""Boxes around what moves before a steady camera.

A frame in which the camera is not steady cannot be told apart: all of it counts as moving, so that it is
covered. When that lasts, the job ends.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Boxes, no_boxes
from anonymizer.detect.looking import CopyAt
from anonymizer.errors import AnonymizerError
from anonymizer.people.background import SIDE, Background, Mask

# Of the copy's area; a person smaller than this is a speck of noise.
LEAST_AREA: Final = 0.0008
# Of the copy's height: a head apart from its body is no farther away than this.
JOINED: Final = 0.06
# The copy is coarse, and the smoothing takes the outermost pixel.
MARGIN: Final = 2
SCORE: Final = 0.9
MOST_UNSTEADY_FRAMES: Final = 25


class MovingLooker:
    """Looks at every frame, in order."""

    def __init__(self, *, alone: bool) -> None:
        """Starts without a background.

        Args:
            alone: no other detector looks for people. Then a frame that cannot be told apart counts as all
                moving; otherwise it is the others' business, and the background is learnt anew.
        """
        self._alone = alone
        self._background = Background()
        self._unsteady = 0

    def look(self, width: int, height: int, copy_at: CopyAt) -> Boxes:
        """Returns what moves in a frame of this size, (N, 5) in its pixels, within it.

        Raises:
            AnonymizerError: camera_not_steady, where nobody else looks and it was not for a while.
        """
        share = SIDE / max(width, height)
        across, down = (max(8, round(v * share)) for v in (width, height))
        seen = self._background.see(copy_at(across, down))
        if seen.is_steady:
            self._unsteady = 0
            return _boxes_around(seen.moving, width, height)
        self._unsteady += 1
        if not self._alone:
            self._background = Background()
            return no_boxes()
        if self._unsteady > MOST_UNSTEADY_FRAMES:
            raise AnonymizerError("camera_not_steady")
        return np.array([[0, 0, width, height, SCORE]], np.float32)


def _boxes_around(moving: Mask, width: int, height: int) -> Boxes:
    rows, columns = moving.shape
    count, _, parts, _ = cv2.connectedComponentsWithStats(moving.astype(np.uint8), connectivity=8)
    parts = parts[1:count]
    parts = parts[parts[:, cv2.CC_STAT_AREA] >= LEAST_AREA * rows * columns]
    if not len(parts):
        return no_boxes()
    boxes = parts[:, :4].astype(np.float32)
    boxes[:, 2:] += boxes[:, :2]
    boxes += np.array([-MARGIN, -MARGIN, MARGIN, MARGIN], np.float32)
    boxes = _one_above_another(boxes, JOINED * rows)
    boxes *= np.array([width / columns, height / rows] * 2, np.float32)
    boxes = np.clip(boxes, 0, np.array([width, height] * 2, np.float32))
    return np.concatenate([boxes, np.full((len(boxes), 1), SCORE, np.float32)], axis=1).astype(np.float32)


def _one_above_another(boxes: Boxes, most_apart: float) -> Boxes:
    """Joins boxes (N, 4) that overlap, or lie one above the other with little between."""
    left = [boxes[i] for i in range(len(boxes))]
    made = []
    while left:
        box = left.pop()
        near = True
        while near:
            near = False
            for other in list(left):
                apart = max(
                    other[0] - box[2],
                    box[0] - other[2],
                    other[1] - most_apart - box[3],
                    box[1] - most_apart - other[3],
                )
                if apart < 0:
                    box = np.concatenate([np.minimum(box[:2], other[:2]), np.maximum(box[2:], other[2:])])
                    left = [one for one in left if one is not other]
                    near = True
        made.append(box)
    return np.stack(made)
