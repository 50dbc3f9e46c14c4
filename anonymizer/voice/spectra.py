"""What the networks hear: the logarithm of the power in 64 bands of the mel scale, 100 times a second."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.voice.rates import FRAME, SPEECH_RATE

BANDS: Final = 64
# 25 ms around the middle of each frame.
WINDOW: Final = 400
FFT: Final = 512
BINS: Final = FFT // 2 + 1
LOWEST_HZ: Final = 60.0
HIGHEST_HZ: Final = 7600.0
# Added to each band's power: about the noise of 16-bit samples. The logarithm of nothing would be endless.
FLOOR: Final = 1e-8
# Samples before and after a frame of 160 that its window reaches.
BEFORE: Final = (WINDOW - FRAME) // 2
AFTER: Final = WINDOW - FRAME - BEFORE


def powers(speech: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns the power spectrum of each frame.

    Args:
        speech: (BEFORE + n * FRAME + AFTER,) float32.

    Returns:
        (n, BINS) float32.
    """
    windows = np.lib.stride_tricks.sliding_window_view(speech, WINDOW)[::FRAME]
    spectra = np.fft.rfft(windows * _window(), FFT)
    result: NDArray[np.float32] = (spectra.real**2 + spectra.imag**2).astype(np.float32)
    return result


def around(speech: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns whole speech with the silence around it that powers() needs, its last frame filled up."""
    fill = -len(speech) % FRAME
    return np.pad(speech, (BEFORE, fill + AFTER))


@lru_cache(maxsize=64)
def band_weights(warp: float = 1.0) -> NDArray[np.float32]:
    """Returns the weights that sum a power spectrum into bands.

    Args:
        warp: what frequencies are multiplied by (below 4.8 kHz; from there they bend to meet the end of the
            spectrum, as in vocal tract length perturbation, Jaitly and Hinton 2013).

    Returns:
        (BINS, BANDS) float32.
    """
    edges = _hertz(np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2))
    top, knee = SPEECH_RATE / 2, 4800.0 * min(1.0, 1.0 / warp)
    warped = np.where(edges <= knee, edges * warp, top - (top - knee * warp) * (top - edges) / (top - knee))
    places = warped * FFT / SPEECH_RATE
    bins = np.arange(BINS)[:, None]
    low, middle, high = places[:-2], places[1:-1], places[2:]
    # Bands narrower than a bin still weigh the bins beside them.
    rise = (bins - low + 0.5) / np.maximum(middle - low, 1.0)
    fall = (high + 0.5 - bins) / np.maximum(high - middle, 1.0)
    weights = np.clip(np.minimum(rise, fall), 0, 1)
    result: NDArray[np.float32] = (weights / weights.sum(axis=0)).astype(np.float32)
    return result


def log_bands(spectra: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns (n, BANDS) float32: the natural logarithm of each band's mean power, from (n, BINS) powers."""
    result: NDArray[np.float32] = np.log(spectra @ band_weights() / WINDOW + FLOOR).astype(np.float32)
    return result


@lru_cache(maxsize=1)
def unfolding() -> NDArray[np.float32]:
    """Returns (BANDS, BINS) float32: brings values in bands back to bins, straight between their middles."""
    middles = np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)[1:-1]
    mels = _mel(np.arange(BINS) * SPEECH_RATE / FFT)
    places = np.clip((mels - middles[0]) / (middles[1] - middles[0]), 0, BANDS - 1)
    weights = np.maximum(0, 1 - np.abs(places[None] - np.arange(BANDS)[:, None]))
    result: NDArray[np.float32] = weights.astype(np.float32)
    return result


@lru_cache(maxsize=1)
def _window() -> NDArray[np.float32]:
    return np.hanning(WINDOW).astype(np.float32)


def _mel(hertz: float | NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(1127.0 * np.log1p(np.asarray(hertz) / 700.0))


def _hertz(mel: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(700.0 * np.expm1(mel / 1127.0))


def bend_weights(bend: float) -> NDArray[np.float64]:
    """Returns (BANDS, BANDS): what moves values in bands to where their frequency lies once it is multiplied.

    From 4.8 kHz upwards the line bends to meet the end of the spectrum.
    """
    middles = _hertz(np.linspace(_mel(LOWEST_HZ), _mel(HIGHEST_HZ), BANDS + 2)[1:-1])
    top, knee = SPEECH_RATE / 2, 4800.0 * min(1.0, bend)
    source = np.where(
        middles <= knee, middles / bend, top - (top - knee / bend) * (top - middles) / (top - knee)
    )
    places = np.interp(_mel(source), _mel(middles), np.arange(BANDS))
    return np.asarray(np.maximum(0, 1 - np.abs(places[None] - np.arange(BANDS)[:, None])))


def power_of(envelope: NDArray[np.float32]) -> NDArray[np.float32]:
    """Returns (n,) float32: how loud (n, BANDS) logarithms of power are in all, in decibels."""
    power = np.exp(envelope @ unfolding()).mean(axis=1)
    result: NDArray[np.float32] = (10 * np.log10(power)).astype(np.float32)
    return result
