"""What is one person's own in the numbers of an expression: learnt while they are seen, and taken off.

At first everybody is taken for the mean of many; within seconds the person's own rest takes its place. What
is left is what the face does compared with its own rest, and how strongly it may show is bounded: a drawn
face moves with the speaker and has nothing of their proportions. Where nothing is learnt yet, and in a still,
movements are taken roughly: a mouth is open or shut.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.landmarks.expression import NAMES, Expression, Raw

Numbers = npt.NDArray[np.float32]

# Per number: the mean of many at rest (79 photographs and three clips, measured), what counts as a full
# movement, and how far somebody's rest may lie from that of many.
_USUAL: Final = np.array([0.32, 0.32, 0.0, -0.07, 0.005, 0.37, 0.0, 0.39, 0.39], np.float32)
_FULL: Final = np.array([0.0, 0.0, 0.2, 0.12, 0.08, 0.09, 0.035, 0.045, 0.045], np.float32)
_OWN: Final = np.array([0.16, 0.16, 0.10, 0.12, 0.05, 0.16, 0.09, 0.12, 0.12], np.float32)
# Lids rest open, a mouth rests shut: rest is near the upper or the lower end of what is seen, so that a
# number on the far side of it counts this much less.
_SELDOM: Final = 0.1
# An eye is shut at this share of how far it usually is open.
_SHUT: Final = 0.45
# What is less than this share of a full movement is none: neither tremor nor what is left of proportions.
_STILL: Final = 0.12
LEARNING_SECONDS: Final = 8.0
# The mean of many counts as this much time of having seen the person.
_BEFOREHAND_SECONDS: Final = 0.4
# After so much more of it fine movements are shown. Before, and in a still, they would tell who it is: of 68
# photographs of 21 people the nearest in these numbers was of the same person in 26 % (chance 5 %), roughly
# taken in 5 % (measured).
_KNOWN_SECONDS: Final = 1.0
# How strong a movement is shown that is only roughly known.
_ROUGHLY: Final = 0.6
# A head that is turned further than this tells nothing about proportions (radians).
_FARTHEST: Final = 0.5
WIDEST_OPEN: Final = 1.3


class Neutral:
    """One person's own rest. Takes what is read off their face, frame by frame."""

    def __init__(self) -> None:
        """Begins with the mean of many."""
        self._rest = _USUAL.copy()
        self._seen_seconds = _BEFOREHAND_SECONDS

    def expression_of(self, raw: Raw, seconds: float) -> Expression:
        """Takes the person's own off, after having learnt from it.

        Args:
            raw: read off one frame.
            seconds: since the frame before; 0 for a still, from which nothing is learnt.
        """
        if seconds > 0 and abs(raw.pose.yaw) < _FARTHEST and abs(raw.pose.pitch) < _FARTHEST:
            self._learn(raw.numbers, seconds)
        lids = [(float(raw.numbers[eye]) / float(self._rest[eye]) - _SHUT) / (1 - _SHUT) for eye in range(2)]
        lids = self._as_known(np.clip(lids, 0, WIDEST_OPEN), 1.0).tolist()
        open_near, open_far = _of_both(lids, raw.trust)
        moved = np.tanh((raw.numbers[2:] - self._rest[2:]) / _FULL[2:])
        moved = np.sign(moved) * np.maximum(0, np.abs(moved) - _STILL) / (1 - _STILL)
        moved = self._as_known(moved, _ROUGHLY)
        values = dict(zip(NAMES[2:], (float(value) for value in moved), strict=True))
        values["mouth_open"] = max(0.0, values["mouth_open"])
        return Expression(open_near=open_near, open_far=open_far, **values)

    def _as_known(self, numbers: Numbers, full: float) -> Numbers:
        """Makes numbers rough as long as nothing is known of the person: no movement, or a full one."""
        known = min(1.0, (self._seen_seconds - _BEFOREHAND_SECONDS) / _KNOWN_SECONDS)
        rough = np.round(numbers) * np.float32(full)
        return np.asarray(rough + (numbers - rough) * np.float32(known), np.float32)

    def _learn(self, numbers: Numbers, seconds: float) -> None:
        self._seen_seconds = min(LEARNING_SECONDS, self._seen_seconds + seconds)
        away = numbers - self._rest
        seldom = np.ones(len(NAMES), np.float32)
        seldom[:2][away[:2] < 0] = _SELDOM
        if away[4] > 0:
            seldom[4] = _SELDOM
        rest = self._rest + away * seldom * np.float32(min(1.0, seconds / self._seen_seconds))
        self._rest = np.clip(rest, _USUAL - _OWN, _USUAL + _OWN)


def _of_both(lids: list[float], trust: tuple[float, float]) -> tuple[float, float]:
    """Each lid by itself where the camera sees it well; the other eye's where it does not."""
    near, far = (min(WIDEST_OPEN, max(0.0, lid)) for lid in lids)
    whole = sum(trust)
    both = (near * trust[0] + far * trust[1]) / whole
    return both + (near - both) * _alone(trust[0]), both + (far - both) * _alone(trust[1])


def _alone(trust: float) -> float:
    # Two eyes that differ by a little are a network's noise; a wink is more.
    return math.sqrt(trust) * 0.7
