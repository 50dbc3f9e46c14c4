"""How loud it is said: phone by phone as the donors would, and as a whole as loud as the original.

The loudness of single syllables, and how far a pause is from speech, tell one speaker and one recording from
another better than anything else that is left (docs/voice_model.md). So neither passes: the original sets the
level over seconds, and beyond that only that where it is quiet nothing is said.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Frames that the level and the quiet are judged by: 330 ms, of which so many are still to come.
_WINDOW: Final = 33
REACH: Final = 12
# How fast the level follows, each frame of speech: half in 1.4 s.
_FOLLOWS: Final = 1 / 200
# Decibels. Below this nothing is said at all.
_SILENCE: Final = -78.0
# The steps of how loud a quiet place may be, and how far above its own level.
_STEP: Final = 6.0
_ABOVE: Final = 9.0
# Parts of a stretch of speech this much quieter than its loudest do not move the level.
_PAUSE: Final = 12.0
_LOUDEST_FORGETS: Final = 0.01
_FULL_SCALE_SINE: Final = float(np.sqrt(0.5))
USUAL_LEVEL: Final = -26.0
# The mean power of what the decoder says: a mean of many examples has lower peaks than each of them.
_USUAL_DONORS: Final = 0.35


class Loudness:
    """The loudness of a stream, frame by frame."""

    def __init__(self, level: float = USUAL_LEVEL) -> None:
        """Begins in silence.

        Args:
            level: the mean power of the speech to come, decibels, where that is known.
        """
        # Powers, not decibels: what is heard as loud is the sum.
        self._level = 10 ** (level / 10)
        self._donors = _USUAL_DONORS
        self._loudest = level
        self._waiting = np.full(_WINDOW - 1, -120.0)

    def push(self, original: NDArray[np.float32], donors: NDArray[np.float32]) -> NDArray[np.float32]:
        """Says how loud frames shall be.

        Args:
            original: (n,) decibels of the original, REACH frames ahead of the donors.
            donors: (n,) decibels as the donors say it.

        Returns:
            (n,) float32: the root of the mean square, 0 in silence.
        """
        joined = np.concatenate([self._waiting, original])
        self._waiting = joined[len(original) :]
        summed = np.cumsum(np.concatenate([[0.0], 10 ** (joined / 10)]))
        around = 10 * np.log10(np.maximum(summed[_WINDOW:] - summed[:-_WINDOW], 1e-12) / _WINDOW)
        wanted = np.empty(len(original))
        for place, (power, said) in enumerate(zip(around, donors, strict=True)):
            self._loudest = max(power, self._loudest - _LOUDEST_FORGETS)
            if power > self._loudest - _PAUSE:
                self._level += _FOLLOWS * (10 ** (power / 10) - self._level)
                self._donors += _FOLLOWS * (10 ** (said / 10) - self._donors)
            gain = 10 * np.log10(self._level / self._donors)
            quiet = _STEP * np.round(power / _STEP) + _ABOVE
            wanted[place] = min(gain + said, quiet) if power > _SILENCE else -np.inf
        result: NDArray[np.float32] = (_FULL_SCALE_SINE * 10 ** (wanted / 20)).astype(np.float32)
        return result
