"""One filter for what the mains leave in a sound, and for what nobody hears.

The frequency of the mains wanders by a few hundredths of a hertz, everywhere in a grid alike. Grid operators
and forensic laboratories keep its course, and a recording's hum can be laid along it: it tells when a
recording was made, and in which grid (Grigoras, "Digital audio recording analysis: the electric network
frequency criterion", 2005). Below 80 Hz and above what speech needs, recorders leave marks of their own, and
others can hide theirs.

The notches stand still, always, for 50 and for 60 Hz: one that followed the hum would write its course into
the result, and one that waited until it found some would let through what is too faint for it but not for a
laboratory. They are as wide as a grid's wandering (0.4 %), so each harmonic's is wider than the one before.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.float32]

MAINS_HZ: Final = (50.0, 60.0)
# A grid that strays further than this is in trouble; generators of a house do (docs/sound.md).
WANDERING: Final = 0.004
HIGHEST_HUM_HZ: Final = 1_020.0
LOWEST_HZ: Final = 80.0
# With this length and window, the filter falls by 80 dB within 1.25 Hz.
SECONDS: Final = 4.0
KAISER_BETA: Final = 7.857
SLOPE_HZ: Final = 1.25
# The upper end needs no such steepness; a slope this wide rings less.
TOP_SLOPE: Final = 0.03


def hum_bands() -> list[tuple[float, float]]:
    """Returns the bands in Hz that hold the mains' harmonics, above what is cut anyway."""
    bands = []
    for mains in MAINS_HZ:
        for order in range(2, int(HIGHEST_HUM_HZ / mains) + 1):
            reach = WANDERING * mains * order
            bands.append((mains * order - reach, mains * order + reach))
    return sorted(bands)


def response(rate: int, top_hz: float) -> Samples:
    """Returns the filter, symmetric, of an odd number of samples.

    Args:
        rate: in Hz.
        top_hz: what lies above goes; nothing does where the rate holds nothing above.
    """
    taps = 2 * round(SECONDS * rate / 2) + 1
    points = 1 << (4 * taps - 1).bit_length()
    hertz = np.arange(points // 2 + 1) * (rate / points)
    wanted = np.clip((hertz - LOWEST_HZ) / SLOPE_HZ, 0.0, 1.0)
    for low, high in hum_bands():
        wanted[(hertz > low - SLOPE_HZ / 2) & (hertz < high + SLOPE_HZ / 2)] = 0.0
    if top_hz < rate / 2:
        wanted *= np.clip((top_hz - hertz) / (TOP_SLOPE * top_hz), 0.0, 1.0)
    around_zero = np.fft.irfft(wanted, points)
    centred = np.roll(around_zero, taps // 2)[:taps]
    return (centred * np.kaiser(taps, KAISER_BETA)).astype(np.float32)


class BandFilter:
    """Filters one channel in blocks, without delay: the result of a sample stands where the sample stood.

    It looks half its length ahead, so the first block comes out short and `finish` gives the end.
    """

    def __init__(self, rate: int, top_hz: float) -> None:
        """Takes the sampling rate and the highest frequency that stays, both in Hz."""
        filter_ = response(rate, top_hz)
        self._points = 1 << (2 * len(filter_) - 1).bit_length()
        self.block = self._points - len(filter_) + 1
        self._filter = np.fft.rfft(filter_, self._points)
        self._past = np.zeros(len(filter_) - 1, np.float32)
        self._skip = len(filter_) // 2
        self._owed = 0

    def filter(self, block: Samples) -> Samples:
        """Returns what is ready after a block of `self.block` samples."""
        self._owed += len(block)
        together = np.concatenate([self._past, block])
        self._past = together[len(block) :]
        # Overlap-save: the first samples are wrapped around, and dropped.
        filtered = np.fft.irfft(np.fft.rfft(together) * self._filter, self._points)
        ready = filtered[len(self._past) + self._skip :].astype(np.float32)
        self._skip = 0
        self._owed -= len(ready)
        return ready

    def finish(self, rest: Samples) -> Samples:
        """Returns all that is left after the last samples, fewer than a block."""
        owed = self._owed + len(rest)
        padded = np.zeros(self.block, np.float32)
        padded[: len(rest)] = rest
        ready = self.filter(padded)
        while len(ready) < owed:
            ready = np.concatenate([ready, self.filter(np.zeros(self.block, np.float32))])
        return ready[:owed]
