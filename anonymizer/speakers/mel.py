"""What the speaker encoder sees: 40 mel bands, every 10 ms.

The encoder's weights were trained on exactly these numbers, so the scale and the norm are those of Slaney's
Auditory Toolbox (1998), as librosa computes them by default: a power spectrum, not its logarithm.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

RATE: Final = 16_000
"""Samples a second of all speech in this package."""
WINDOW: Final = 400
STEP: Final = 160
"""Samples from one frame to the next: 10 ms."""
BANDS: Final = 40

# Slaney's scale: linear up to 1 kHz, logarithmic from there on.
_HERTZ_A_MEL: Final = 200 / 3
_KNEE_HERTZ: Final = 1000.0
_KNEE_MEL: Final = _KNEE_HERTZ / _HERTZ_A_MEL
_LOG_STEP: Final = np.log(6.4) / 27


def mel_frames(speech: FloatArray) -> FloatArray:
    """Gives the mel power spectrum.

    Args:
        speech: mono, 16 kHz, any length.

    Returns:
        (1 + samples // 160, 40) float32; frame n is centred on sample 160 n.
    """
    padded = np.pad(np.asarray(speech, np.float32), WINDOW // 2)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::STEP]
    spectrum = np.fft.rfft(frames * _hann(), axis=1)
    power = spectrum.real**2 + spectrum.imag**2
    mel: FloatArray = (power @ _bands().T).astype(np.float32)
    return mel


@cache
def _hann() -> FloatArray:
    phase = 2 * np.pi * np.arange(WINDOW) / WINDOW
    return (0.5 - 0.5 * np.cos(phase)).astype(np.float32)


@cache
def _bands() -> npt.NDArray[np.float64]:
    """Returns (40, 201): triangles of equal area on the mel scale, from 0 to 8 kHz."""
    edges = _hertz(np.linspace(0, _mel(RATE / 2), BANDS + 2))
    bins = np.linspace(0, RATE / 2, WINDOW // 2 + 1)
    rising = (bins - edges[:-2, None]) / np.diff(edges)[:-1, None]
    falling = (edges[2:, None] - bins) / np.diff(edges)[1:, None]
    triangles = np.maximum(0, np.minimum(rising, falling))
    bands: npt.NDArray[np.float64] = triangles * (2 / (edges[2:] - edges[:-2]))[:, None]
    return bands


def _mel(hertz: float) -> float:
    return float(_KNEE_MEL + np.log(hertz / _KNEE_HERTZ) / _LOG_STEP)


def _hertz(mel: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    beyond = _KNEE_HERTZ * np.exp(_LOG_STEP * (mel - _KNEE_MEL))
    hertz: npt.NDArray[np.float64] = np.where(mel < _KNEE_MEL, mel * _HERTZ_A_MEL, beyond)
    return hertz
