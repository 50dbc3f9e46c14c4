"""Parts of the picture in which text may stay: a channel's logo, a clock.

A box stays uncovered only where it lies in one such region almost wholly; one that reaches out of it is
covered as a whole. Faces never come here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from anonymizer.boxes import Boxes
from anonymizer.settings import KeptRegion

# Boxes breathe by a pixel or two from look to look.
SHARE_WITHIN: Final = 0.9


def outside(boxes: Boxes, regions: Sequence[KeptRegion], width: int, height: int) -> Boxes:
    """Returns the boxes, (N, 5) in pixels of a picture of this size, that no region keeps."""
    covered = np.ones(len(boxes), np.bool_)
    areas = np.maximum((boxes[:, 2:4] - boxes[:, :2]).prod(axis=1), 1e-9)
    for region in regions:
        low = np.maximum(boxes[:, :2], (region.left * width, region.top * height))
        high = np.minimum(boxes[:, 2:4], (region.right * width, region.bottom * height))
        covered &= np.maximum(high - low, 0).prod(axis=1) < SHARE_WITHIN * areas
    return boxes[covered]
