"""Hurries and lingers a little, as the mask says, and never so far that lips and voice part."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.voice.mask import VoiceMask
from anonymizer.voice.rates import FRAME, SPEECH_RATE

# The farthest that a sound moves, in frames of 10 ms.
FARTHEST: Final = 1.7
# Frames by which it answers late.
DELAY: Final = 2


class Tempo:
    """Moves what is said in each frame to a time close by."""

    def __init__(self, mask: VoiceMask, width: int, origin: int) -> None:
        """Takes the mask, the number of values of each frame, and which frame of the speech comes first."""
        self._waves = mask.tempo
        self._recent = np.zeros((2 * DELAY + 1, width), np.float32)
        self._next = origin - DELAY

    def push(self, frames: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes (n, width), returns as many, DELAY frames late."""
        count = len(frames)
        joined = np.concatenate([self._recent, frames])
        self._recent = joined[count:]
        moved = self._moves(self._next + np.arange(count))
        self._next += count
        places = np.clip(DELAY + 1 + np.arange(count) + moved, 0, len(joined) - 1)
        low = np.minimum(places.astype(int), len(joined) - 2)
        share = (places - low).astype(np.float32)[:, None]
        result: NDArray[np.float32] = (1 - share) * joined[low] + share * joined[low + 1]
        return result

    def _moves(self, numbers: NDArray[np.int64]) -> NDArray[np.float64]:
        seconds = numbers * FRAME / SPEECH_RATE
        lengths, phases, shares = self._waves.T
        waves = np.sin(2 * np.pi * seconds[:, None] / lengths + phases)
        result: NDArray[np.float64] = FARTHEST * waves @ shares
        return result
