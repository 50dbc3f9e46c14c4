"""Voice effects to measure ours against: what others do, in as few lines as show what it achieves.

None of them is in the product. Each takes speech, (samples,) float32 at 16,000 Hz, and 32 bytes from which
everything random comes, and gives speech of the same length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
import pyworld
from scipy.signal import lfilter

from evaluation.voice.listening import RATE, Speech

Effect = Callable[[Speech, bytes], Speech]

LPC_ORDER: Final = 20
FRAME, HOP = 320, 160
VOCODER_EDGES: Final = np.geomspace(100, 7600, 17)
VOCODER_WINDOW: Final = 512


def nothing(speech: Speech, _seed: bytes) -> Speech:
    """The original."""
    return speech


def mcadams(speech: Speech, seed: bytes) -> Speech:
    """Moves the resonances: each pole's angle to a power, .5 to .9 by key (VoicePrivacy's B2)."""
    power = np.random.default_rng(list(seed)).uniform(0.5, 0.9)
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
    result = made[FRAME : FRAME + len(speech)]
    return _as_loud(result, speech)


def shifted(speech: Speech, seed: bytes) -> Speech:
    """Raises or lowers pitch and formants together, by 10 to 30 % each, as voice changers do."""
    generator = np.random.default_rng(list(seed))
    pitch, formants = np.exp(generator.choice([-1, 1], 2) * generator.uniform(np.log(1.1), np.log(1.3), 2))
    f0, envelope, aperiodicity = _analyzed(speech)
    bins = np.arange(envelope.shape[1])
    source = np.clip(bins / formants, 0, bins[-1])
    warped = np.stack([np.exp(np.interp(source, bins, row)) for row in np.log(envelope)])
    return _synthesized(f0 * pitch, warped, aperiodicity, speech)


def noise_vocoder(speech: Speech, seed: bytes) -> Speech:
    """Whispers: noise in 16 bands, each as loud as the speech in it. There is nothing to have a key for."""
    noise = np.random.default_rng(list(seed)).normal(size=len(speech))
    bands = np.fft.rfftfreq(VOCODER_WINDOW, 1 / RATE)
    which = np.digitize(bands, VOCODER_EDGES)
    window = np.sqrt(np.hanning(VOCODER_WINDOW + 1)[:-1])
    pads = [np.pad(each, VOCODER_WINDOW) for each in (speech.astype(np.float64), noise)]
    made = np.zeros_like(pads[0])
    for begin in range(0, len(made) - VOCODER_WINDOW, VOCODER_WINDOW // 2):
        span = slice(begin, begin + VOCODER_WINDOW)
        said, hiss = (np.fft.rfft(each[span] * window) for each in pads)
        loud, flat = (np.bincount(which, np.abs(each) ** 2, 18) for each in (said, hiss))
        gains = np.sqrt(loud / np.maximum(flat, 1e-12))
        gains[[0, 17]] = 0.0
        made[span] += window * np.fft.irfft(hiss * gains[which])
    return _as_loud(made[VOCODER_WINDOW : VOCODER_WINDOW + len(speech)], speech)


BASELINES: Final[dict[str, Effect]] = {
    "nothing": nothing,
    "McAdams, α .5 to .9 by key": mcadams,
    "pitch and formants shifted": shifted,
    "noise vocoder, 16 bands": noise_vocoder,
}


def _analyzed(speech: Speech) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    samples = speech.astype(np.float64)
    rough, times = pyworld.dio(samples, RATE)
    f0 = pyworld.stonemask(samples, rough, times, RATE)
    return f0, pyworld.cheaptrick(samples, f0, times, RATE), pyworld.d4c(samples, f0, times, RATE)


def _synthesized(f0: np.ndarray, envelope: np.ndarray, aperiodicity: np.ndarray, like: Speech) -> Speech:
    made = pyworld.synthesize(f0, np.ascontiguousarray(envelope), aperiodicity, RATE)
    return _as_loud(np.pad(made, (0, max(0, len(like) - len(made))))[: len(like)], like)


def _as_loud(made: np.ndarray, like: Speech) -> Speech:
    power = float(np.mean(made**2))
    gain = float(np.sqrt(np.mean(like.astype(np.float64) ** 2) / power)) if power > 0 else 1.0
    return np.clip(np.nan_to_num(made * gain), -1, 1).astype(np.float32)
