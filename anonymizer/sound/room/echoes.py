"""Steady noise and late echoes taken down, and where nobody speaks, everything.

A room's early echoes make a voice fuller and stay; what arrives later than 50 ms is predicted from what was
heard before and from the room's echo time, and subtracted (Lebart 2001; Habets, "Single- and multi-microphone
speech dereverberation using spectral enhancement", 2007). What is steady over two seconds is no speech
and goes the same way. Where neither leaves anything, the sound is closed altogether: what is heard there is
comfort noise, not the room at a lower level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.sound.room.decays import Decays
from anonymizer.sound.room.framing import HOP_SECONDS

Bands = npt.NDArray[np.float64]

# Frames, 16 ms each.
BLOCK: Final = 64
AROUND: Final = 64
SMOOTHED: Final = 3
# What is steady is looked for in longer means: the least of short ones is chance.
STEADY: Final = 8
# When late echoes begin.
LATE: Final = 3
HANG: Final = 12
AHEAD: Final = 4

LEAST_GAIN: Final = 0.1
# Steady noise varies around its least.
NOISE_OVER_LEAST: Final = 2.0
# Taken off twice, rooms of 0.2 to 1.5 s all end with the same 0.3 s; taken off once, with 0.34 to 0.48 s.
OVER: Final = 2.0
# Lebart's prediction counts the direct sound as if it echoed too; part of it is enough.
LATE_SHARE: Final = 0.7
# Louder than the steady noise by this in some bands at once: somebody speaks.
SPOKEN_DB: Final = 9.0
SPOKEN_BANDS: Final = 4
# This far below the loudest of the last seconds, nobody speaks whose words could be told.
TOO_FAINT_DB: Final = 45.0
FORGETTING_DB: Final = 1.5
QUIETEST: Final = 1e-14


@dataclass(frozen=True)
class Taming:
    """What shall happen to a block of frames.

    Attributes:
        gains: (k, bands), 0 to 1.
        spoken: (k,) bool.
        noise: (k, bands), the steady energy.
        speech_dbfs: how loud speech was lately.
    """

    gains: Bands
    spoken: npt.NDArray[np.bool_]
    noise: Bands
    speech_dbfs: float


class Tamer:
    """Takes energies block by block, with what surrounds each block, and says what shall happen."""

    def __init__(self) -> None:
        """Begins with a room that nobody has spoken in."""
        self.decays = Decays()
        self._speech_dbfs = -120.0
        self._spoken_for = 0
        self._last_gains: Bands | None = None

    def tame(self, energies: Bands, first: int, frames: int) -> Taming:
        """Decides on a block.

        Args:
            energies: (n, bands) of the block and up to AROUND frames before and after it.
            first: where in them the block begins.
            frames: how many frames it has.
        """
        smooth = _smoothed(energies, SMOOTHED)
        block = slice(first, first + frames)
        noise = NOISE_OVER_LEAST * _least_around(_smoothed(energies, STEADY))[block]
        heard = energies[block]
        self.decays.push(smooth[block], noise)
        late = self._late(smooth, first, frames)
        left = 1 - OVER * (noise + late) / np.maximum(smooth[block], QUIETEST)
        gains = np.sqrt(np.maximum(left, LEAST_GAIN**2))
        spoken = self._spoken(smooth, noise, heard, first, frames)
        gains = self._eased(np.where(spoken[:, None], gains, 0.0))
        return Taming(gains, spoken, noise, self._speech_dbfs)

    def _late(self, smooth: Bands, first: int, frames: int) -> Bands:
        seconds = self.decays.believed_seconds
        share = LATE_SHARE * 10 ** (-6 * LATE * HOP_SECONDS / seconds)
        before = np.zeros((frames, smooth.shape[1]))
        begins = max(0, LATE - first)
        before[begins:] = smooth[first - LATE + begins : first - LATE + frames]
        return share * before

    def _spoken(
        self, smooth: Bands, noise: Bands, heard: Bands, first: int, frames: int
    ) -> npt.NDArray[np.bool_]:
        levels = 10 * np.log10(np.maximum(heard.sum(1), QUIETEST))
        self._speech_dbfs = max(float(levels.max(initial=-120.0)), self._speech_dbfs - FORGETTING_DB)
        ahead = smooth[first : first + frames + AHEAD]
        floor = np.concatenate([noise, np.repeat(noise[-1:], len(ahead) - frames, axis=0)])
        stands_out = np.sum(ahead > 10 ** (SPOKEN_DB / 10) * floor, axis=1) >= SPOKEN_BANDS
        loud = 10 * np.log10(np.maximum(ahead.sum(1), QUIETEST)) > self._speech_dbfs - TOO_FAINT_DB
        now = stands_out & loud
        spoken = np.zeros(frames, bool)
        for at in range(frames):
            # Opened before a word begins, and closed some time after it ends.
            if now[at : at + AHEAD + 1].any():
                self._spoken_for = HANG
            else:
                self._spoken_for = max(0, self._spoken_for - 1)
            spoken[at] = self._spoken_for > 0
        return spoken

    def _eased(self, gains: Bands) -> Bands:
        """Neighbours in time and in pitch go together: gains that jump sound like running water."""
        last = gains[:1] if self._last_gains is None else self._last_gains[None]
        timed = np.concatenate([last, gains])
        self._last_gains = gains[-1].copy()
        eased = 0.5 * (timed[1:] + timed[:-1])
        wide = np.pad(eased, ((0, 0), (1, 1)), "edge")
        return np.asarray(0.25 * wide[:, :-2] + 0.5 * wide[:, 1:-1] + 0.25 * wide[:, 2:])


def _smoothed(energies: Bands, frames: int) -> Bands:
    padded = np.pad(energies, ((frames - 1, 0), (0, 0)), "edge")
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, frames, axis=0).mean(-1))


def _least_around(smooth: Bands) -> Bands:
    padded = np.pad(smooth, ((AROUND, AROUND), (0, 0)), constant_values=np.inf)
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, 2 * AROUND + 1, axis=0).min(-1))
