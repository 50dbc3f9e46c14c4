"""Anchors of a single-shot detector (Liu et al., "SSD: Single Shot MultiBox Detector", 2016)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt


def centres_of(grids: Sequence[tuple[int, int]]) -> npt.NDArray[np.float32]:
    """Returns (N, 2): x and y of every anchor, as shares of the input's side.

    Args:
        grids: cells of the grid and anchors in each cell, by layer; an anchor lies in the middle of its cell.
    """
    centres = []
    for cells, each in grids:
        down, across = np.mgrid[:cells, :cells]
        middles = (np.stack([across.ravel(), down.ravel()], axis=1) + 0.5) / cells
        centres.append(np.repeat(middles, each, axis=0))
    return np.concatenate(centres).astype(np.float32)
