"""Whether anything happened since the last look that a new one would have to see.

In a calm scene the things that are followed move a little where they are, and the rest of the picture stays
as it was: nothing can have come that was not there before. Then a look may wait. What changes the rest of the
picture by more than noise (somebody comes in, the camera moves) is no calm, whatever it is.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Boxes
from anonymizer.track.stillness import CELLS, LEAST_CHANGE, Small

# Around a thing that is followed, as a multiple of its box: where it may move, and with it its shoulders.
NEIGHBOURHOOD = 2.0
# Of 255: what moves by a good part of its own size changes a cell at its edge by more.
MOST_CHANGE_NEAR = 24.0


def is_calm(now: Small, then: Small, boxes: Boxes, width: int, height: int) -> bool:
    """Tells whether a picture differs from the one looked at last only near what was found there.

    Args:
        now, then: small copies (track/stillness.py) of the two pictures.
        boxes: (N, 5), what was found in the earlier one, in its pixels.
        width, height: of the pictures.
    """
    change = np.abs(now - then)
    return not bool((change >= np.where(_near(boxes, width, height), MOST_CHANGE_NEAR, LEAST_CHANGE)).any())


def _near(boxes: Boxes, width: int, height: int) -> npt.NDArray[np.bool_]:
    columns, rows = CELLS
    near = np.zeros((rows, columns), np.bool_)
    for x1, y1, x2, y2 in boxes[:, :4].tolist():
        dx, dy = (x2 - x1) * NEIGHBOURHOOD / 2, (y2 - y1) * NEIGHBOURHOOD / 2
        x, y = (x1 + x2) / 2, (y1 + y2) / 2
        left, right = (max(0.0, at) * columns / width for at in (x - dx, x + dx))
        top, bottom = (max(0.0, at) * rows / height for at in (y - dy, y + dy))
        near[math.floor(top) : math.ceil(bottom), math.floor(left) : math.ceil(right)] = True
    return near
