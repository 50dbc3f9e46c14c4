"""Loudness by Rec. ITU-R BS.1770-5, in LUFS, from the energy of every tenth of a second.

The standard's two filters are applied to the spectrum of each tenth and the one before it: what they ring
with is over by then. Against FFmpeg's own meter: within 0.1 LU (tests).
"""

from __future__ import annotations

import math
from array import array
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Energies = npt.NDArray[np.float64]

STEPS_PER_SECOND: Final = 10
# A gating block has 400 ms and begins every 100 ms (annex 1).
STEPS_PER_BLOCK: Final = 4
ABSOLUTE_GATE_LUFS: Final = -70.0
RELATIVE_GATE_LU: Final = -10.0
OFFSET_LU: Final = -0.691
# Behind a listener sounds count for more, and the channel for the lowest ones not at all (annex 1, table 3).
SURROUND: Final = 1.41
WEIGHTS: Final = {6: (1.0, 1.0, 1.0, 0.0, SURROUND, SURROUND)}


class Loudness:
    """Takes the samples of one track in order, in pieces of any length."""

    def __init__(self, rate: int, channels: int) -> None:
        """Takes the sampling rate in Hz and the number of channels."""
        self._rate = rate
        self._weights = np.asarray(WEIGHTS.get(channels, (1.0,) * channels))
        # The tenth before the first is silence.
        self._before = np.zeros((channels, round(rate / STEPS_PER_SECOND)), np.float32)
        self._waiting = np.zeros((channels, 0), np.float32)
        self._energies = array("d")

    def push(self, samples: Samples) -> None:
        """Takes (channels, n) samples."""
        waiting = np.concatenate([self._waiting, samples], axis=1)
        while (due := self._length_of(len(self._energies))) <= waiting.shape[1]:
            tenth, waiting = waiting[:, :due], waiting[:, due:]
            self._energies.append(float(self._weights @ _energy(self._before, tenth, self._rate)))
            self._before = tenth
        self._waiting = waiting

    @property
    def steps(self) -> Energies:
        """Mean square of every whole tenth of a second so far, filtered, channels weighted and added."""
        return np.array(self._energies, np.float64)

    def between(self, first: int, last: int) -> Energies:
        """Returns those of the steps from `first` to `last` that are known."""
        return np.array(self._energies[first:last], np.float64)

    def integrated(self) -> float | None:
        """Returns the loudness of all of it in LUFS; None where nothing is above the absolute gate."""
        return integrated(self.steps)

    def _length_of(self, step: int) -> int:
        first, following = (round(at * self._rate / STEPS_PER_SECOND) for at in (step, step + 1))
        return following - first


def integrated(steps: Energies) -> float | None:
    """Returns the loudness in LUFS; None where nothing is above the absolute gate, as in silence.

    Args:
        steps: as Loudness gives them.
    """
    if len(steps) < STEPS_PER_BLOCK:
        return None
    blocks = np.convolve(steps, np.full(STEPS_PER_BLOCK, 1 / STEPS_PER_BLOCK), "valid")
    loud = blocks[blocks > _energy_at(ABSOLUTE_GATE_LUFS)]
    if not len(loud):
        return None
    gate = _lufs(float(loud.mean())) + RELATIVE_GATE_LU
    return _lufs(float(loud[loud > _energy_at(gate)].mean()))


def _lufs(energy: float) -> float:
    return OFFSET_LU + 10 * math.log10(energy)


def _energy_at(lufs: float) -> float:
    return float(10 ** ((lufs - OFFSET_LU) / 10))


def _energy(before: Samples, tenth: Samples, rate: int) -> Energies:
    both = np.concatenate([before, tenth], axis=1)
    count = both.shape[1]
    filtered = np.fft.irfft(np.fft.rfft(both, axis=1) * _filters(count, rate), count, axis=1)
    energy: Energies = np.mean(np.square(filtered[:, before.shape[1] :]), axis=1)
    return energy


@lru_cache(maxsize=16)
def _filters(count: int, rate: int) -> npt.NDArray[np.complex128]:
    """The response of both filters, by bin.

    The standard gives coefficients for 48 kHz; these are the analogue filters behind them, as libebur128 has
    them, made for any rate by the bilinear transform.
    """
    at = np.exp(-2j * np.pi * np.arange(count // 2 + 1) / count)
    shelf_k = math.tan(math.pi * 1681.974450955533 / rate)
    shelf_q, high = 0.7071752369554196, 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    rest = 1 + shelf_k / shelf_q + shelf_k**2
    shelf = (
        (high + band * shelf_k / shelf_q + shelf_k**2)
        + 2 * (shelf_k**2 - high) * at
        + (high - band * shelf_k / shelf_q + shelf_k**2) * at**2
    ) / (rest + 2 * (shelf_k**2 - 1) * at + (1 - shelf_k / shelf_q + shelf_k**2) * at**2)
    low_k, low_q = math.tan(math.pi * 38.13547087602444 / rate), 0.5003270373238773
    rest = 1 + low_k / low_q + low_k**2
    highpass = (1 - 2 * at + at**2) / (
        1 + (2 * (low_k**2 - 1) * at + (1 - low_k / low_q + low_k**2) * at**2) / rest
    )
    both: npt.NDArray[np.complex128] = shelf * highpass
    both.setflags(write=False)
    return both
