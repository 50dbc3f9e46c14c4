"""What was there before and what is there after, measured on the track itself by the same ears."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.sound.room.decays import Decays
from anonymizer.sound.room.echoes import BLOCK, NOISE_OVER_LEAST
from anonymizer.sound.room.filtering import HIGHEST_HUM_HZ, LOWEST_HZ, MAINS_HZ, WANDERING
from anonymizer.sound.room.framing import Bands, Framing
from anonymizer.sound.room.gathering import Gathering

Samples = npt.NDArray[np.float32]

LONG_SECONDS: Final = 4.0
SHORTEST_SECONDS: Final = 1.0
# What lies this far beside a harmonic is its surroundings, in Hz.
BESIDE_HZ: Final = (3.0, 9.0)
# A filter's slope belongs to neither side.
CLEAR_OF_SLOPE: Final = 0.95
NOTHING_DBFS: Final = -140.0


@dataclass(frozen=True)
class RoomFigures:
    """In decibels and seconds; None where there was nothing to measure.

    Attributes:
        seconds: how long the track is.
        hum_before_db, hum_after_db: by how much the strongest harmonic of the mains stands out of what lies
            beside it, in the mean over all stretches of four seconds. About 3 where there is none; below 0,
            there is less than beside it.
        below_before_dbfs, below_after_dbfs: the level below 80 Hz.
        above_before_dbfs, above_after_dbfs: the level above the highest frequency that stays.
        channels_apart_db: what the channels had apart, over what they had in common. After, all are equal.
        echo_before_seconds, echo_after_seconds: in which sound falls by 60 dB (decays.py: an estimate).
        silence_seconds: for how long nothing is heard but comfort noise.
        comfort_dbfs: the level of that noise in the end.
    """

    seconds: float
    hum_before_db: float | None
    hum_after_db: float | None
    below_before_dbfs: float | None
    below_after_dbfs: float | None
    above_before_dbfs: float | None
    above_after_dbfs: float | None
    channels_apart_db: float | None
    echo_before_seconds: float | None
    echo_after_seconds: float | None
    silence_seconds: float
    comfort_dbfs: float

    def as_facts(self) -> dict[str, float | None]:
        """Returns the figures by name, to two digits after the point."""
        return {name: None if value is None else round(value, 2) for name, value in asdict(self).items()}


class Ears:
    """Hears a track, before or after, and keeps no sample of it."""

    def __init__(self, rate: int, top_hz: float) -> None:
        """Takes the sampling rate and the highest frequency that shall stay, in Hz."""
        self._rate, self._top_hz = rate, top_hz
        self._long = Gathering(round(LONG_SECONDS * rate))
        self._framing = Framing(rate)
        self._short = Gathering(BLOCK * self._framing.hop)
        self._decays = Decays()
        self._least: Bands | None = None
        points = round(LONG_SECONDS * rate)
        self._window = np.hanning(points).astype(np.float32)
        self._power = np.zeros(points // 2 + 1)
        self._log_power = np.zeros(points // 2 + 1)
        self._stretches = 0

    def hear(self, samples: Samples) -> None:
        """Takes the next samples, (n,)."""
        for stretch in self._long.push(samples):
            self._take_spectrum(stretch)
        for block in self._short.push(samples):
            self._take_decays(block)

    def finish(self) -> None:
        """Takes what is left, where it is long enough to tell anything."""
        if self._long.held >= (
            SHORTEST_SECONDS * self._rate if self._stretches == 0 else len(self._window) / 2
        ):
            rest = self._long.rest()
            self._take_spectrum(np.pad(rest, (0, len(self._window) - len(rest))))

    @property
    def hum_db(self) -> float | None:
        """By how much the strongest harmonic stands out of its surroundings."""
        if not self._stretches:
            return None
        levels = self._log_power / self._stretches
        strongest = None
        for mains in MAINS_HZ:
            for order in range(1, int(HIGHEST_HUM_HZ / mains) + 1):
                centre, reach = mains * order, WANDERING * mains * order + 0.25
                line = levels[self._bins(centre - reach, centre + reach)]
                sides = [
                    levels[self._bins(centre + side * reach + low, centre + side * reach + high)]
                    for side, low, high in ((-1, -BESIDE_HZ[1], -BESIDE_HZ[0]), (1, *BESIDE_HZ))
                ]
                stands_out = float(line.max() - np.median(np.concatenate(sides)))
                strongest = stands_out if strongest is None else max(strongest, stands_out)
        return strongest

    @property
    def below_dbfs(self) -> float | None:
        """The level below what stays."""
        return self._level(0.0, CLEAR_OF_SLOPE * LOWEST_HZ)

    @property
    def above_dbfs(self) -> float | None:
        """The level above what stays; None where the rate holds nothing there."""
        return self._level(self._top_hz, self._rate / 2) if self._top_hz < self._rate / 2 else None

    @property
    def echo_seconds(self) -> float | None:
        """How long sound takes to fall by 60 dB."""
        return self._decays.seconds

    def _take_spectrum(self, stretch: Samples) -> None:
        spectrum = np.fft.rfft(stretch * self._window)
        power = np.square(np.abs(spectrum), dtype=np.float64)
        self._power += power
        self._log_power += 10 * np.log10(power + 1e-12)
        self._stretches += 1

    def _take_decays(self, block: Samples) -> None:
        energies = self._framing.energies(self._framing.spectra(block))
        smooth = np.stack([np.convolve(band, np.ones(3) / 3, "valid") for band in energies.T], axis=1)
        least = smooth.min(axis=0)
        noise = least if self._least is None else np.minimum(least, self._least)
        self._least = least
        self._decays.push(smooth, np.repeat(NOISE_OVER_LEAST * noise[None], len(smooth), axis=0))

    def _level(self, low: float, high: float) -> float | None:
        if not self._stretches:
            return None
        # By Parseval; the window takes three eighths of the power.
        energy = 2 * float(self._power[self._bins(low, high)].sum()) / len(self._window) ** 2 / 0.375
        return float(10 * np.log10(energy / self._stretches + 10 ** (NOTHING_DBFS / 10)))

    def _bins(self, low: float, high: float) -> slice:
        return slice(max(0, round(low * LONG_SECONDS)), max(1, round(high * LONG_SECONDS) + 1))
