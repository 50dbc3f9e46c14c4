"""How the melody goes, and only that: up, down or neither, about whatever height the mask has.

The speaker's own pitch is found by autocorrelation, its mean over the last seconds is taken away, and what is
left is rounded so coarsely that a habit of speaking does not survive it.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.voice.rates import SPEECH_RATE, STEP

_LOWEST_HZ: Final = 65.0
_HIGHEST_HZ: Final = 400.0
# Every second sample is enough below 4 kHz.
_SKIPPED: Final = 2
_RATE: Final = SPEECH_RATE // _SKIPPED
_WINDOW: Final = 400
_FFT: Final = 1024
_LEAST_PERIODIC: Final = 0.5
_LONGEST: Final = int(_RATE / _LOWEST_HZ)
_SHORTEST: Final = int(_RATE / _HIGHEST_HZ)
# A step up or down, and the most of them.
OCTAVES_A_STEP: Final = 0.2
MOST_STEPS: Final = 1
_MEAN_WEIGHT: Final = 1 / 75
_SMOOTH: Final = 0.15
# Where nothing is voiced the melody comes back to its middle.
_RETURN: Final = 0.97
USUAL_OCTAVE: Final = float(np.log2(150.0))


class Intonation:
    """The melody of a stream of speech, a step at a time."""

    def __init__(self, octave: float = USUAL_OCTAVE) -> None:
        """Begins in silence.

        Args:
            octave: the mean of the logarithm of the pitch to come, base 2, where that is known.
        """
        self._mean = octave
        self._now = 0.0
        self._waiting = np.zeros(_WINDOW * _SKIPPED - STEP, np.float32)

    def push(self, speech: NDArray[np.float32]) -> NDArray[np.float32]:
        """Takes whole steps of speech.

        Returns:
            (n,) float32: how far the melody is from its middle, in octaves, coarse and smooth.
        """
        joined = np.concatenate([self._waiting, speech])
        self._waiting = joined[len(speech) :]
        octaves = pitches(joined)
        melody = np.empty(len(octaves), np.float32)
        for place, octave in enumerate(octaves):
            if np.isnan(octave):
                wanted = self._now * _RETURN
            else:
                self._mean += _MEAN_WEIGHT * (float(octave) - self._mean)
                steps = round((float(octave) - self._mean) / OCTAVES_A_STEP)
                wanted = OCTAVES_A_STEP * max(-MOST_STEPS, min(MOST_STEPS, steps))
            self._now += _SMOOTH * (wanted - self._now)
            melody[place] = self._now
        return melody


def pitches(speech: NDArray[np.float32]) -> NDArray[np.float32]:
    """Finds the pitch in a window of 50 ms before the end of each step.

    Args:
        speech: (50 ms - STEP + n * STEP,) float32.

    Returns:
        (n,) float32: the logarithm of the pitch, base 2; NaN where none is.
    """
    # The mean of two neighbours keeps the highest half of the spectrum out.
    halved = 0.5 * (speech[0::_SKIPPED] + speech[1::_SKIPPED])
    windows = np.lib.stride_tricks.sliding_window_view(halved, _WINDOW)[:: STEP // _SKIPPED]
    windows = (windows - windows.mean(axis=1, keepdims=True)) * np.hanning(_WINDOW).astype(np.float32)
    spectra = np.fft.rfft(windows, _FFT)
    likeness = np.fft.irfft(spectra.real**2 + spectra.imag**2, _FFT)[:, : _LONGEST + 2]
    # A window is less like itself the further it is shifted.
    likeness = likeness / (likeness[:, :1] + 1e-9) / _SELF[: _LONGEST + 2]
    inside = likeness[:, _SHORTEST : _LONGEST + 1]
    peaks = (inside >= likeness[:, _SHORTEST - 1 : _LONGEST]) & (
        inside >= likeness[:, _SHORTEST + 1 : _LONGEST + 2]
    )
    # Twice the period is as good a period: the shortest that is nearly the best counts.
    scored = np.where(peaks, inside - 0.08 * np.log2(np.arange(_SHORTEST, _LONGEST + 1) / _SHORTEST), -1.0)
    best = scored.argmax(axis=1)
    periodic = inside[np.arange(len(best)), best] > _LEAST_PERIODIC
    octaves = np.log2(_RATE / (best + _SHORTEST))
    result: NDArray[np.float32] = np.where(periodic, octaves, np.nan).astype(np.float32)
    return result


def _self_likeness() -> NDArray[np.float64]:
    spectrum = np.fft.rfft(np.hanning(_WINDOW), _FFT)
    likeness = np.fft.irfft(np.abs(spectrum) ** 2, _FFT)
    result: NDArray[np.float64] = likeness / likeness[0]
    return result


_SELF: Final = _self_likeness()
