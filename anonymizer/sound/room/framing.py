"""Short overlapping frames, and their energies in bands as wide as the ear's."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]
Spectra = npt.NDArray[np.complex64]
Bands = npt.NDArray[np.float64]

HOP_SECONDS: Final = 0.016
LOWEST_HZ, HIGHEST_HZ = 80.0, 16_000.0
# Glasberg and Moore (1990): one step of this scale is about as wide as what the ear tells apart.
STEPS_APART: Final = 1.0


class Framing:
    """Frames of two hops, each overlapping the next by one; and bands across them.

    Attributes:
        hop: samples from frame to frame.
        bands: how many there are.
    """

    def __init__(self, rate: int) -> None:
        """Takes the sampling rate in Hz."""
        self.hop = round(HOP_SECONDS * rate)
        self._window = np.sqrt(np.hanning(2 * self.hop + 1)[:-1]).astype(np.float32)
        self._spread = _triangles(rate, self.hop)
        self.bands = len(self._spread)
        # An energy is what a sine of that level has, 1 being full scale, whatever the rate.
        self._scale = 2.0 / float(np.sum(np.square(self._window))) / (2 * self.hop)

    def spectra(self, samples: Samples) -> Spectra:
        """Returns (k, hop + 1) of (hop * (k + 1),) samples."""
        halves = samples.reshape(-1, self.hop)
        frames = np.concatenate([halves[:-1], halves[1:]], axis=1)
        return np.fft.rfft(frames * self._window, axis=1).astype(np.complex64)

    def energies(self, spectra: Spectra) -> Bands:
        """Returns (k, bands)."""
        power: Bands = np.square(np.abs(spectra).astype(np.float64)) @ self._spread.T
        return power * self._scale

    def gains(self, gains: Bands) -> Samples:
        """Returns gains for each frequency, (k, hop + 1), of gains for each band, (k, bands)."""
        return (gains @ self._spread).astype(np.float32)

    def samples(self, spectra: Spectra) -> Samples:
        """Returns (k, 2 * hop) samples of each frame, to be added where frames overlap."""
        frames = np.fft.irfft(spectra, 2 * self.hop, axis=1).astype(np.float32)
        return frames * self._window


def overlapped(frames: Samples, before: Samples) -> tuple[Samples, Samples]:
    """Adds frames up: returns what is whole, (k * hop,), and the half that waits for the next frame.

    Args:
        frames: (k, 2 * hop).
        before: (hop,), the half that waited.
    """
    hop = len(before)
    whole = frames[:, :hop].copy()
    whole[0] += before
    whole[1:] += frames[:-1, hop:]
    return whole.reshape(-1), frames[-1, hop:].copy()


def _triangles(rate: int, hop: int) -> Bands:
    hertz = np.arange(hop + 1) * (rate / (2 * hop))
    top = min(HIGHEST_HZ, rate / 2)
    place = _erb(np.clip(hertz, LOWEST_HZ, top))
    ends = _erb(np.array([LOWEST_HZ, top]))
    centres = np.linspace(ends[0], ends[1], 1 + round((ends[1] - ends[0]) / STEPS_APART))
    width = centres[1] - centres[0]
    # Each frequency belongs to two neighbours, with weights that sum to one.
    return np.asarray(np.maximum(0.0, 1.0 - np.abs(centres[:, None] - place[None]) / width))


def _erb(hertz: Bands) -> Bands:
    return np.asarray(21.4 * np.log10(1 + 0.00437 * hertz))
