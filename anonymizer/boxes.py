"""Arithmetic on boxes: float32 arrays (N, 5) of x1, y1, x2, y2, score, in pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Boxes = npt.NDArray[np.float32]

OVERLAP_OF_ONE_FACE = 0.3


@dataclass(frozen=True)
class Box:
    """One rectangle in pixels, which may reach beyond the picture."""

    x1: float
    y1: float
    x2: float
    y2: float

    @property
    def width(self) -> float:
        """Pixels across."""
        return self.x2 - self.x1

    @property
    def height(self) -> float:
        """Pixels down."""
        return self.y2 - self.y1

    @property
    def centre(self) -> tuple[float, float]:
        """x and y of the middle."""
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2

    def scaled(self, factor: float) -> Box:
        """Returns the box grown around its centre."""
        (x, y), dx, dy = self.centre, self.width * factor / 2, self.height * factor / 2
        return Box(x - dx, y - dy, x + dx, y + dy)

    def moved(self, dx: float, dy: float) -> Box:
        """Returns the box shifted."""
        return Box(self.x1 + dx, self.y1 + dy, self.x2 + dx, self.y2 + dy)

    def union(self, other: Box) -> Box:
        """Returns the smallest box around both."""
        return Box(
            min(self.x1, other.x1), min(self.y1, other.y1), max(self.x2, other.x2), max(self.y2, other.y2)
        )


def sized(centre: tuple[float, float], width: float, height: float) -> Box:
    """Returns the box of a size around a centre."""
    x, y = centre
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def no_boxes() -> Boxes:
    """Returns an empty array of boxes."""
    return np.zeros((0, 5), np.float32)


def suppress(boxes: Boxes, overlap: float = OVERLAP_OF_ONE_FACE) -> Boxes:
    """Keeps the best-scored of the boxes that overlap (non-maximum suppression)."""
    left = boxes[np.argsort(-boxes[:, 4], kind="stable")]
    kept = []
    while len(left):
        best, left = left[0], left[1:]
        kept.append(best)
        across = np.minimum(best[2], left[:, 2]) - np.maximum(best[0], left[:, 0])
        down = np.minimum(best[3], left[:, 3]) - np.maximum(best[1], left[:, 1])
        shared = np.maximum(across, 0) * np.maximum(down, 0)
        areas = (left[:, 2] - left[:, 0]) * (left[:, 3] - left[:, 1])
        own = (best[2] - best[0]) * (best[3] - best[1])
        left = left[shared <= overlap * np.maximum(own + areas - shared, 1e-9)]
    return np.stack(kept) if kept else no_boxes()


def overlaps(a: Boxes, b: Boxes) -> npt.NDArray[np.float32]:
    """Returns (len(a), len(b)): intersection over union of every pair."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:4], b[None, :, 2:4])
    shared = np.maximum(high - low, 0).prod(axis=2)
    area_a, area_b = ((s[:, 2:4] - s[:, :2]).prod(axis=1) for s in (a, b))
    share: npt.NDArray[np.float32] = shared / np.maximum(area_a[:, None] + area_b[None] - shared, 1e-9)
    return share
