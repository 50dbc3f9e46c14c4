"""How risky a frame is, from what is known while it passes: where a face is most likely to have been missed.

A face is missed where it comes and goes, where it was seen faintly or not looked for, where it or everything
moves, and where its cover jumps or shrinks. Points are added up; they order frames, and mean nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.leaks.covered import Covered

Luma = npt.NDArray[np.uint8]

# A cover that is gone in a frame between two that have it: nothing is riskier.
GAP: Final = 10.0
# A thing that appears, in its first frame and in the one before; or is gone, likewise.
APPEARS: Final = 4.0
GONE: Final = 4.0
CUT: Final = 3.0
SHRINKS: Final = 3.0
JUMPS: Final = 2.0
FAINT: Final = 3.0
MOVES: Final = 2.0
NOT_LOOKED_AT: Final = 1.0
# Every frame may show something.
SOME: Final = 0.5

# Of a cover's area from one frame to the next, and of its size.
_SHRUNK: Final = 0.8
_JUMPED: Final = 0.35
# A score from which on nobody doubts it.
_CLEAR: Final = 0.6
# Every so many pixels across and down tell motion; a mean change of so much, of 255, is a lot.
_GRID: Final = 32
_MUCH: Final = 24.0


@dataclass(frozen=True)
class Before:
    """What is remembered of the frame before.

    Attributes:
        shot: counts cuts.
        grid: some of its pixels.
        bounds: of the covers, by track.
    """

    shot: int
    grid: npt.NDArray[np.int16]
    bounds: Mapping[int, Box]


def look_at(shot: int, luma: Luma, covered: Sequence[Covered]) -> Before:
    """Takes what the next frame is compared with.

    Args:
        shot: counts cuts.
        luma: (H, W) uint8 of the original.
        covered: in this frame.
    """
    bounds = {each.track: each.bounds for each in covered if each.effect != "keep"}
    return Before(shot, luma[::_GRID, ::_GRID].astype(np.int16), bounds)


def risk_of(now: Before, before: Before | None, looked: Sequence[float | None]) -> float:
    """Returns the points of a frame by itself and by the one before.

    Args:
        now: of the frame.
        before: of the one before; None for the first.
        looked: for each finder the lowest score of what it found; None where it did not look.
    """
    scores = [score for score in looked if score is not None]
    points = SOME + FAINT * max(0.0, 1 - min(scores, default=1.0) / _CLEAR)
    if len(scores) < len(looked):
        points += NOT_LOOKED_AT
    if before is None or before.shot != now.shot:
        return points + CUT + APPEARS * bool(now.bounds)
    change = float(np.abs(now.grid - before.grid).mean())
    points += MOVES * min(1.0, change / _MUCH)
    points += APPEARS * bool(now.bounds.keys() - before.bounds.keys())
    points += GONE * bool(before.bounds.keys() - now.bounds.keys())
    both = [(bounds, before.bounds[track]) for track, bounds in now.bounds.items() if track in before.bounds]
    points += SHRINKS * any(_area(a) < _SHRUNK * _area(b) for a, b in both)
    return points + JUMPS * any(_apart(a, b) > _JUMPED * max(b.width, b.height) for a, b in both)


def _area(box: Box) -> float:
    return box.width * box.height


def _apart(a: Box, b: Box) -> float:
    (ax, ay), (bx, by) = a.centre, b.centre
    return max(abs(ax - bx), abs(ay - by))
