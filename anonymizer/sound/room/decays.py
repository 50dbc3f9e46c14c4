"""How fast sound dies away in a room, from the sound alone.

Whoever has recorded in a room knows how long it echoes, band by band, and finds the room again by it (Moore,
Brookes and Naylor, "Room identification using roomprints", 2014). After a word ends, its energy falls along
a line that cannot be steeper than the room's. The steep ones among all falls are therefore the room's
(after Lebart, Boucher and Denbigh, "A new method based on spectral subtraction for speech dereverberation",
2001). It is an estimate: on dry speech it says what the voice's own words take to end.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.sound.room.framing import HOP_SECONDS

Bands = npt.NDArray[np.float64]

# Frames over which a line is laid: 0.13 s. Shorter ones are the gaps within words.
LINE: Final = 8
# The energy falls by at least so much along it, and stays above the noise by so much, in decibels.
LEAST_FALL_DB: Final = 5.0
ABOVE_NOISE_DB: Final = 8.0
# The steepest of all falls are chance; this share from there on is the room.
SHARE: Final = 0.25
SECONDS: Final = np.geomspace(0.08, 4.0, 80)
# What is believed before anything was heard, and how firmly (in falls).
BELIEVED_SECONDS: Final = 0.3
BELIEF: Final = 30.0
ENOUGH: Final = 60


class Decays:
    """Collects the falls of a track, and says what its echo time is."""

    def __init__(self) -> None:
        """Begins with what a furnished room has."""
        self._counts = np.zeros(len(SECONDS))
        self._last: Bands | None = None

    def push(self, energies: Bands, noise: Bands) -> None:
        """Takes energies of frames in bands and what is steady of them, both (k, bands)."""
        levels = 10 * np.log10(np.maximum(energies, 1e-14))
        above = levels > 10 * np.log10(np.maximum(noise, 1e-14)) + ABOVE_NOISE_DB
        usable = np.where(above, levels, np.nan)
        if self._last is not None:
            usable = np.concatenate([self._last, usable])
        self._last = usable[-(LINE - 1) :]
        if len(usable) < LINE:
            return
        runs = np.lib.stride_tricks.sliding_window_view(usable, LINE, axis=0)
        along = np.arange(LINE) - (LINE - 1) / 2
        # NaN wherever one of the frames is not above the noise: such a run counts for nothing.
        slopes = runs @ along / float(along @ along)
        straight = np.sqrt(
            np.mean((runs - runs.mean(-1, keepdims=True) - slopes[..., None] * along) ** 2, -1)
        )
        falls = -slopes * (LINE - 1)
        good = (falls > LEAST_FALL_DB) & (straight < 0.25 * falls)
        seconds = 60 * HOP_SECONDS / -slopes[good]
        self._counts += np.histogram(seconds, bins=np.append(SECONDS, np.inf))[0]

    @property
    def seconds(self) -> float | None:
        """The time in which sound falls by 60 dB; None where too little was heard."""
        return _quantile(self._counts) if self._counts.sum() >= ENOUGH else None

    @property
    def believed_seconds(self) -> float:
        """The same, leaning on a furnished room's until enough was heard."""
        prior = np.zeros(len(SECONDS))
        prior[int(np.searchsorted(SECONDS, BELIEVED_SECONDS))] = BELIEF
        return _quantile(self._counts + prior)


def _quantile(counts: Bands) -> float:
    return float(SECONDS[int(np.searchsorted(np.cumsum(counts), SHARE * counts.sum()))])
