"""What a phonetician would measure of a voice: the spectrum's shape, the pitch, the pace.

These figures know nothing of speakers by themselves: alone they are a weak attacker. With what is learned
from anonymized speech of other people (evaluation.figures.discriminant), they see what a network for
speakers was never shown: a mean spectrum, an habitual pitch, a way of pausing that an effect lets through.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.voice.listening import RATE, Speech, Vector

Frames = npt.NDArray[np.float64]

WINDOW: Final = 512
STEP: Final = 160
BANDS: Final = 32
CEPSTRA: Final = 20
# Frames this far under the loudest count as pauses.
PAUSE_DB: Final = 35.0
LOWEST_PITCH, HIGHEST_PITCH = 60.0, 400.0
# Of the autocorrelation's peak: from here a frame is voiced.
VOICED: Final = 0.45
PITCH_WINDOW: Final = 1024
SIZE: Final = 4 * CEPSTRA + 10


def acoustics(speech: Speech) -> Vector:
    """Returns the figures, (90,), each roughly between -3 and 3; zeros for digital silence."""
    if len(speech) < PITCH_WINDOW or not speech.any():
        return np.zeros(SIZE)
    power = _power(speech)
    loudness = 10 * np.log10(power.sum(axis=1) + 1e-12)
    spoken = loudness > loudness.max() - PAUSE_DB
    shapes = _cepstra(power[spoken])
    changes = np.diff(shapes, axis=0) if len(shapes) > 1 else np.zeros_like(shapes)
    return np.concatenate(
        [
            shapes.mean(axis=0) / 4,
            shapes.std(axis=0) / 4,
            changes.std(axis=0),
            np.mean(shapes**3, axis=0) / (1e-6 + np.mean(shapes**2, axis=0) ** 1.5) / 2,
            _pitch(speech),
            _pace(loudness, spoken),
        ]
    )


def _power(speech: Speech) -> Frames:
    """(frames, bands): power in bands of equal width on the mel scale."""
    frames = np.lib.stride_tricks.sliding_window_view(speech.astype(np.float64), WINDOW)[::STEP]
    power = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) ** 2
    edges = 700 * (10 ** (np.linspace(0, 2595 * np.log10(1 + RATE / 2 / 700), BANDS + 2) / 2595) - 1)
    bins = np.fft.rfftfreq(WINDOW, 1 / RATE)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return np.asarray(power @ np.clip(np.minimum(rising, falling), 0, None))


def _cepstra(power: Frames) -> Frames:
    """(frames, 20): the spectrum's shape without its loudness (DCT-II of log bands, from the first on)."""
    angles = np.pi / BANDS * (np.arange(BANDS) + 0.5)[:, None] * np.arange(1, CEPSTRA + 1)[None, :]
    return np.asarray(np.log(power + 1e-10) @ np.cos(angles) * np.sqrt(2 / BANDS))


def _pitch(speech: Speech) -> Vector:
    """Five figures of the pitch, by autocorrelation: level, spread, extremes, how often there is one."""
    frames = np.lib.stride_tricks.sliding_window_view(speech.astype(np.float64), PITCH_WINDOW)[:: 2 * STEP]
    frames = frames - frames.mean(axis=1, keepdims=True)
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(PITCH_WINDOW), 2 * PITCH_WINDOW, axis=1)) ** 2
    likeness = np.fft.irfft(spectrum, axis=1)
    first, last = round(RATE / HIGHEST_PITCH), round(RATE / LOWEST_PITCH)
    best = likeness[:, first:last].argmax(axis=1) + first
    strength = likeness[np.arange(len(best)), best] / np.maximum(likeness[:, 0], 1e-12)
    voiced = strength > VOICED
    if not voiced.any():
        return np.zeros(5)
    octaves = np.log2(RATE / best[voiced] / 150)
    low, middle, high = np.quantile(octaves, [0.1, 0.5, 0.9])
    return np.array([2 * middle, 4 * octaves.std(), 2 * low, 2 * high, 2 * voiced.mean()])


def _pace(loudness: Frames, spoken: npt.NDArray[np.bool_]) -> Vector:
    """Five figures of the pace: how much is spoken, in how many stretches, how fast loudness changes."""
    centred = np.where(spoken, loudness - loudness[spoken].mean(), 0.0)
    spectrum = np.abs(np.fft.rfft(centred * np.hanning(len(centred)))) ** 2
    rates = np.fft.rfftfreq(len(centred), STEP / RATE)
    total = spectrum[(rates > 0.5) & (rates < 20)].sum() + 1e-9
    slow, middle = (
        spectrum[(rates > low) & (rates < high)].sum() / total for low, high in ((0.5, 3), (3, 6))
    )
    stretches = np.count_nonzero(np.diff(spoken.astype(np.int8)) > 0) * RATE / (STEP * len(spoken))
    return np.array([2 * spoken.mean(), stretches, 3 * slow, 3 * middle, loudness[spoken].std() / 5])
