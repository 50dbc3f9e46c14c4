"""Which of the kept frames are looked at within a budget, and in which order they are decoded.

A frame is decoded from its key frame on, so one far behind it costs more than one right there, and further
ones of the same group cost only what lies between. Frames are taken by what they are worth for what they
cost; one that was taken makes its neighbours worth less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

# Around a frame that is looked at, others tell little more.
NEIGHBOURS: Final = 6.0


@dataclass(frozen=True)
class Group:
    """Frames of one group of pictures that are looked at.

    Attributes:
        first: the number of its key frame.
        frames: the numbers of those looked at, in order.
    """

    first: int
    frames: tuple[int, ...]


@dataclass(frozen=True)
class Costs:
    """Seconds.

    Attributes:
        decode: of one frame.
        look: at one frame.
    """

    decode: float
    look: float


def planned(
    frames: Sequence[int],
    risks: Sequence[float],
    firsts: Sequence[int],
    costs: Costs,
    seconds: float,
    least: int,
    seen: Sequence[int] = (),
) -> list[Group]:
    """Chooses frames.

    Args:
        frames: numbers of those that may be looked at, in order.
        risks: of each.
        firsts: numbers of all key frames, in order; the first is that of the first frame.
        costs: what decoding and looking takes.
        seconds: what all may take together.
        least: so many are taken whatever they cost.
        seen: numbers of those that were looked at before.

    Returns:
        The groups, the most valuable for its cost first.
    """
    places = np.asarray(frames, np.int64)
    begins = np.asarray(firsts, np.int64)
    groups = np.searchsorted(begins, places, side="right") - 1
    worth = np.where(groups >= 0, np.asarray(risks, np.float64), 0.0)
    # Up to which frame each group is decoded already, by this plan.
    reached = begins - 1
    for frame in seen:
        worth *= _apart(places, frame)
    chosen: dict[int, list[int]] = {}
    spent: dict[int, float] = {}
    gained: dict[int, float] = {}
    taken = 0
    while worth.size:
        needs = np.maximum(places - reached[groups], 0) * costs.decode + costs.look
        affordable = worth > 0 if taken < least else (worth > 0) & (needs <= seconds)
        if not affordable.any():
            break
        place = int(np.argmax(np.where(affordable, worth / needs, -1.0)))
        group, frame = int(groups[place]), int(places[place])
        chosen.setdefault(group, []).append(frame)
        spent[group] = spent.get(group, 0.0) + float(needs[place])
        gained[group] = gained.get(group, 0.0) + float(worth[place])
        seconds -= float(needs[place])
        taken += 1
        reached[group] = max(int(reached[group]), frame)
        worth *= _apart(places, frame)
    order = sorted(chosen, key=lambda group: -gained[group] / spent[group])
    return [Group(int(begins[group]), tuple(sorted(chosen[group]))) for group in order]


def _apart(places: npt.NDArray[np.int64], frame: int) -> npt.NDArray[np.float64]:
    """Returns what of their worth frames keep beside one that is looked at: nothing of it at the place."""
    share: npt.NDArray[np.float64] = 1 - np.exp(-(((places - frame) / NEIGHBOURS) ** 2))
    return share
