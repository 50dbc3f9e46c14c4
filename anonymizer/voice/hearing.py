"""Speech as it arrives, brought to what the encoder takes: each step's two frames, less the running mean.

The mean of each band over the last seconds is what microphone, room and vocal tract leave on everything that
is said. It is taken away before the network hears anything.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.voice.rates import FRAMES_A_STEP, STEP
from anonymizer.voice.spectra import AFTER, BANDS, BEFORE, FFT, WINDOW, log_bands, powers

# The mean forgets half of what it knew in 1.4 s.
EMA_WEIGHT: Final = 1 / 200
# The mean that stands in before anything was heard: speech at a usual level, weaker towards high frequencies.
TYPICAL: Final[NDArray[np.float32]] = np.linspace(-8.5, -11.5, BANDS).astype(np.float32)


class Hearing:
    """Bands of a stream of speech, a step at a time."""

    def __init__(self, mean: NDArray[np.float32] = TYPICAL) -> None:
        """Begins in silence.

        Args:
            mean: (BANDS,) of what is to come, where that is known.
        """
        self._mean = mean.astype(np.float32)
        self._waiting = np.zeros(BEFORE, np.float32)

    def push(self, speech: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Takes any number of samples.

        Returns:
            For the n steps that are complete: (n, 2 * BANDS) float32 for the encoder, and (n, 2) float32, the
            power of each frame in decibels of full scale.
        """
        self._waiting = np.concatenate([self._waiting, speech])
        steps = max(0, (len(self._waiting) - BEFORE - AFTER) // STEP)
        if steps == 0:
            return np.zeros((0, FRAMES_A_STEP * BANDS), np.float32), np.zeros((0, FRAMES_A_STEP), np.float32)
        spectra = powers(self._waiting[: BEFORE + steps * STEP + AFTER])
        self._waiting = self._waiting[steps * STEP :]
        bands = log_bands(spectra)
        level = decibels(spectra)
        for place, frame in enumerate(bands):
            self._mean += np.float32(EMA_WEIGHT) * (frame - self._mean)
            bands[place] = frame - self._mean
        return bands.reshape(steps, -1), level.reshape(steps, -1)


def decibels(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns (n,) float32: how loud each of (n, BINS) powers is, in decibels below a full-scale sine."""
    # What speech has below 100 Hz is mostly the room's.
    total = spectra[:, 3:].sum(axis=1)
    result: NDArray[np.float32] = (10 * np.log10(total / _FULL_SCALE + 1e-12)).astype(np.float32)
    return result


# A full-scale sine's powers under the window, summed over the bins (Parseval): half the length of the
# transform, times the mean square of the sine, times the sum of the window's squares.
_FULL_SCALE: Final = FFT / 2 * 0.5 * 0.375 * WINDOW
