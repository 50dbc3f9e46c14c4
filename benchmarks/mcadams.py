"""McAdams' effect, the baseline B2 of the VoicePrivacy challenges (Patino et al., 2021): bent resonances."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.signal import lfilter

from evaluation.voice.listening import Speech

LPC_ORDER: Final = 20
FRAME, HOP = 320, 160


def bent(speech: Speech, power: float) -> Speech:
    """Moves the resonances of speech, each pole's angle to a power; 1 changes nothing.

    Args:
        speech: (samples,) float32 at 16,000 Hz.
        power: .5 to .9, for the challenges.
    """
    window = np.sqrt(np.hanning(FRAME + 1)[:-1])
    padded = np.pad(speech.astype(np.float64), FRAME)
    made = np.zeros_like(padded)
    for begin in range(0, len(padded) - FRAME, HOP):
        frame = padded[begin : begin + FRAME] * window
        spectrum = np.abs(np.fft.rfft(frame, 2 * FRAME)) ** 2
        likeness = np.fft.irfft(spectrum)[: LPC_ORDER + 1]
        if likeness[0] < 1e-9:
            continue
        likeness[0] *= 1 + 1e-6
        lags = np.abs(np.subtract.outer(np.arange(LPC_ORDER), np.arange(LPC_ORDER)))
        whitening = np.concatenate([[1.0], -np.linalg.solve(likeness[lags], likeness[1:])])
        poles = np.roots(whitening)
        angles = np.angle(poles)
        turned = np.abs(poles) * np.exp(1j * np.sign(angles) * np.abs(angles) ** power)
        moved = np.real(np.poly(np.where(np.abs(poles.imag) > 1e-9, turned, poles)))
        made[begin : begin + FRAME] += window * lfilter([1.0], moved, lfilter(whitening, [1.0], frame))
    return np.asarray(made[FRAME : FRAME + len(speech)])
