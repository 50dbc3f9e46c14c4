"""Whether faces moved so little between two looks that the frames between need none of their own."""

from __future__ import annotations

import numpy as np

from anonymizer.boxes import Boxes, overlaps

# A face that moved by half of its size still overlaps with itself by a third. Two sightings that close need
# no third: the cover between them is the box around both.
LEAST_OVERLAP = 1 / 3
# Faint detections come and go without anything moving.
SURE_SCORE = 0.5


def is_steady(before: Boxes, after: Boxes) -> bool:
    """Tells whether every sure face of either look is where some face of the other one is.

    Args:
        before: (N, 5), an earlier look.
        after: (M, 5), a later one.
    """
    shared = overlaps(before, after)
    near_before = shared.max(axis=1, initial=0) >= LEAST_OVERLAP
    near_after = shared.max(axis=0, initial=0) >= LEAST_OVERLAP
    lost, appeared = before[~near_before], after[~near_after]
    return not bool(np.any(lost[:, 4] >= SURE_SCORE) or np.any(appeared[:, 4] >= SURE_SCORE))
