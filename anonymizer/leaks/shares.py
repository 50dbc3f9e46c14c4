"""How much of something lies outside of everything that was covered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.leaks.covered import Covered

# A box is judged by so many points across and down.
_POINTS: Final = 16


def share_outside(box: Box, covered: Sequence[Covered]) -> float:
    """Returns how much of a box lies outside of all covers together, 0 to 1; what is kept covers nothing."""
    places = (np.arange(_POINTS) + 0.5) / _POINTS
    across, down = box.x1 + places * box.width, box.y1 + places * box.height
    hidden: npt.NDArray[np.bool_] = np.zeros((_POINTS, _POINTS), np.bool_)
    for each in covered:
        if each.effect != "keep":
            bounds = each.bounds
            rows = (down >= bounds.y1) & (down <= bounds.y2)
            columns = (across >= bounds.x1) & (across <= bounds.x2)
            hidden |= rows[:, None] & columns[None]
    return 1 - float(hidden.mean())
