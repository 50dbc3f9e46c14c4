"""The same quiet noise for everybody, in place of a room's own.

A fan, a street or a refrigerator tells where somebody spoke; dead silence between words tires, and shows
where something was taken out. This noise falls by 4.5 dB an octave, like a quiet room far from anything. Its
level stands on a coarse ladder: it tells how loud somebody spoke, which the speech itself tells finer.
"""

from __future__ import annotations

import math
import secrets
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.sound.room.framing import Framing, overlapped

Samples = npt.NDArray[np.float32]

USUAL_DBFS: Final = -66.0
# Of speech, how far below it the noise lies.
BELOW_SPEECH_DB: Final = 42.0
QUIETEST_DBFS, LOUDEST_DBFS = -78.0, -54.0
STEP_DB: Final = 6.0
LOWEST_HZ: Final = 100.0
FLAT_BELOW_HZ: Final = 250.0
SLOPE: Final = 0.75
TOP_HZ: Final = 7_500.0


class ComfortNoise:
    """An endless noise; what has been taken does not depend on how many samples were taken at once."""

    def __init__(self, rate: int, seed: bytes | None = None) -> None:
        """Takes the sampling rate in Hz, and for tests a seed: without one, no noise is like another."""
        self._random = np.random.default_rng(int.from_bytes(seed or secrets.token_bytes(16), "big"))
        self._framing = Framing(rate)
        self._shape = shape(rate, self._framing.hop)
        self._half = np.zeros(self._framing.hop, np.float32)
        self._spare = np.zeros(0, np.float32)

    def take(self, samples: int, level_dbfs: float = USUAL_DBFS) -> Samples:
        """Returns the next samples, (samples,), at a level in decibels of a full square wave."""
        missing = samples - len(self._spare)
        if missing > 0:
            self._spare = np.concatenate([self._spare, self._more(-(-missing // self._framing.hop))])
        taken, self._spare = self._spare[:samples], self._spare[samples:]
        return np.asarray(taken * 10 ** (level_dbfs / 20), np.float32)

    def _more(self, hops: int) -> Samples:
        bins = self._framing.hop + 1
        # Drawn frame by frame in one stream: how many are drawn at once changes nothing.
        drawn = self._random.standard_normal((hops, 2 * bins), np.float32)
        spectra = (drawn[:, :bins] + 1j * drawn[:, bins:]) * self._shape
        whole, self._half = overlapped(self._framing.samples(spectra.astype(np.complex64)), self._half)
        return whole


def shape(rate: int, hop: int) -> Samples:
    """Returns the amplitude of each frequency, (hop + 1,), of a noise whose level is 0 dBFS."""
    hertz = np.arange(hop + 1) * (rate / (2 * hop))
    falling = (np.maximum(hertz, FLAT_BELOW_HZ) / FLAT_BELOW_HZ) ** -SLOPE
    falling *= np.clip((hertz - LOWEST_HZ) / LOWEST_HZ, 0, 1) * np.clip((TOP_HZ - hertz) / 1_000, 0, 1)
    # rfft halves each frequency; windows of sqrt(hann) overlapping by half keep the power of noise.
    power = 4 * float(np.sum(np.square(falling))) / (2 * hop) ** 2
    return np.asarray(falling / math.sqrt(power), np.float32)


def level_for(speech_dbfs: float) -> float:
    """Returns the step of the ladder for a level of speech, both in dBFS."""
    rounded = STEP_DB * round((speech_dbfs - BELOW_SPEECH_DB) / STEP_DB)
    return min(LOUDEST_DBFS, max(QUIETEST_DBFS, rounded))
