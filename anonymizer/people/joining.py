"""Boxes that show one person become one around all of them.

Elsewhere the better of two boxes stays (non-maximum suppression). Two people who stand close overlap as much
as two sightings of one, and what the worse box held alone would stay open: so here nothing is dropped.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from anonymizer.boxes import Boxes, overlaps

OVERLAP_OF_ONE_PERSON: Final = 0.55


def joined(boxes: Boxes) -> Boxes:
    """Returns (M, 5), M at most N: every pixel of the N boxes is in one of them; the best score stays."""
    left = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept: list[Boxes] = []
    while len(left):
        best, left = left[:1].copy(), left[1:]
        near = np.ones(1, np.bool_)
        while near.any():
            near = overlaps(best, left)[0] > OVERLAP_OF_ONE_PERSON
            group = np.concatenate([best, left[near]])
            best[0, :2], best[0, 2:4] = group[:, :2].min(axis=0), group[:, 2:4].max(axis=0)
            left = left[~near]
        kept.append(best)
    return np.concatenate([boxes[:0], *kept])
