"""How loud the speech goes, without the small movements that belong to the speaker."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

# Decibels.
_LEVEL: Final = 3.0
_SILENCE: Final = -78.0
# Frames before and after that are taken together, and then again once they are rounded.
REACH: Final = 3
_ROUNDED: Final = np.array([0.25, 0.5, 0.25])
_FULL_SCALE_SINE: Final = float(np.sqrt(0.5))


class Loudness:
    """The coarse loudness of a stream; it answers REACH frames late."""

    def __init__(self) -> None:
        """Begins in silence."""
        self._waiting = np.full(2 * REACH, -120.0)

    def push(self, decibels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes (n,) decibels of frames.

        Returns:
            (n,) float32: the root of the mean square, 0 in silence.
        """
        joined = np.concatenate([self._waiting, decibels])
        self._waiting = joined[len(decibels) :]
        power = 10 ** (joined / 10)
        taken = np.convolve(power, np.ones(2 * REACH - 1) / (2 * REACH - 1), "valid")
        rounded = _LEVEL * np.round(10 * np.log10(taken) / _LEVEL)
        smooth = np.convolve(rounded, _ROUNDED, "valid")
        result: NDArray[np.float32] = np.where(
            smooth > _SILENCE, _FULL_SCALE_SINE * 10 ** (smooth / 20), 0.0
        ).astype(np.float32)
        return result
