"""Which detection belongs to which face: overlap with where the face should be, else nearness."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box

LEAST_OVERLAP = 0.1
# Centres closer than this share of the face's size may be one face, where the sizes are alike.
NEARNESS = 0.8
SIZE_RATIO = 2.0

# From this many faces on, what most of them do tells how the camera moves,
CROWD = 6
# in cells of this share of a face's size, up to this many sizes from one look to the next.
SHIFT_CELL = 0.25
FARTHEST_SHIFT = 3.0
ALIKE = 1.4
# So many must agree, and more than agree on no shift at all.
LEAST_AGREEMENT = 0.4
BETTER_THAN_NONE = 1.2
MOST_COMPARED = 200

Array = npt.NDArray[np.float64]


def pair(expected: Sequence[Box], found: Sequence[Box]) -> list[tuple[int, int]]:
    """Pairs expected boxes with found ones, the best fit first (greedy); returns their places."""
    if not expected or not found:
        return []
    fits = _fit(_as_array(expected), _as_array(found))
    pairs = []
    while fits.max() > 0:
        row, column = (int(i) for i in np.unravel_index(int(fits.argmax()), fits.shape))
        pairs.append((row, column))
        fits[row, :] = 0
        fits[:, column] = 0
    return pairs


def could_be_one(a: Box, b: Box) -> bool:
    """Tells whether two things are so near, and so alike in size, that one could be taken for the other."""
    return bool(_fit(_as_array([a]), _as_array([b]))[0, 0] > 0)


def shift_of_crowd(expected: Sequence[Box], found: Sequence[Box]) -> tuple[float, float]:
    """Returns by how many pixels most faces moved beyond what was expected; 0, 0 where no shift stands out.

    When the camera pans over a crowd, a face is soon where its neighbour was, and overlap alone hands every
    face on to the next one. Each pair of alike boxes votes for its displacement; that of the right pairs is
    the same all over.
    """
    if min(len(expected), len(found)) < CROWD:
        return 0.0, 0.0
    some = expected[:: -(-len(expected) // MOST_COMPARED)]
    (centres, sizes), (found_centres, found_sizes) = _places(some), _places(found)
    unit = float(np.median(found_sizes))
    apart = found_centres[None] - centres[:, None]
    ratio = np.maximum(sizes[:, None], found_sizes[None]) / np.minimum(sizes[:, None], found_sizes[None])
    votes = apart[(np.abs(apart).max(axis=2) < FARTHEST_SHIFT * unit) & (ratio < ALIKE)]
    reach = round(FARTHEST_SHIFT / SHIFT_CELL) + 1
    cells = np.rint(votes / (unit * SHIFT_CELL)).astype(np.int64) + reach
    counted = np.zeros((2 * reach + 1, 2 * reach + 1), np.int64)
    np.add.at(counted, (cells[:, 0], cells[:, 1]), 1)
    # A vote may fall on either side of a cell's border: every cell counts with those around it.
    padded = np.pad(counted, 1)
    near = [np.roll(padded, (dx, dy), (0, 1)) for dx in (-1, 0, 1) for dy in (-1, 0, 1)]
    around = np.sum(near, axis=0)[1:-1, 1:-1]
    best = np.array(np.unravel_index(int(around.argmax()), around.shape))
    agreeing = int(around[tuple(best)])
    if agreeing < LEAST_AGREEMENT * min(len(some), len(found)):
        return 0.0, 0.0
    if agreeing <= BETTER_THAN_NONE * around[reach, reach]:
        return 0.0, 0.0
    x, y = np.median(votes[np.abs(cells - best).max(axis=1) <= 1], axis=0)
    return float(x), float(y)


def _places(boxes: Sequence[Box]) -> tuple[Array, Array]:
    """Returns centres, (N, 2), and sizes, (N,)."""
    rows = _as_array(boxes)
    return (rows[:, :2] + rows[:, 2:]) / 2, np.maximum((rows[:, 2:] - rows[:, :2]).max(axis=1), 1e-9)


def _as_array(boxes: Sequence[Box]) -> Array:
    return np.array([[b.x1, b.y1, b.x2, b.y2] for b in boxes])


def _fit(a: Array, b: Array) -> Array:
    """Returns (len(a), len(b)): 1 to 2 where boxes overlap, under 1 where they are near, 0 elsewhere."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=2)
    size_a, size_b = a[:, 2:] - a[:, :2], b[:, 2:] - b[:, :2]
    overlap = shared / np.maximum(
        np.prod(size_a, axis=1)[:, None] + np.prod(size_b, axis=1)[None] - shared, 1e-9
    )
    between = np.linalg.norm((a[:, None, :2] + a[:, None, 2:] - b[None, :, :2] - b[None, :, 2:]) / 2, axis=2)
    across_a, across_b = size_a.max(axis=1)[:, None], size_b.max(axis=1)[None]
    distance = between / np.maximum((across_a + across_b) / 2, 1e-9)
    ratio = np.maximum(across_a, across_b) / np.maximum(np.minimum(across_a, across_b), 1e-9)
    near = (distance < NEARNESS) & (ratio < SIZE_RATIO)
    fit: Array = np.where(overlap >= LEAST_OVERLAP, 1 + overlap, np.where(near, 1 - distance / NEARNESS, 0))
    return fit
