"""One channel frame by frame: what Tamer decides is done, and comfort noise lies under everything."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.sound.room.comfort import QUIETEST_DBFS, ComfortNoise, level_for
from anonymizer.sound.room.echoes import AROUND, BLOCK, Bands, Tamer
from anonymizer.sound.room.framing import HOP_SECONDS, Framing, Spectra, overlapped
from anonymizer.sound.room.gathering import Gathering

Samples = npt.NDArray[np.float32]

# One block before and one after is all that a decision looks at.
assert AROUND == BLOCK
# At the very end, frames hold less than their share of sound: their energies are the last whole one's.
LAST_WHOLE: Final = 3


class Suppressor:
    """Takes samples and returns them later, at their places."""

    def __init__(self, rate: int, noise_seed: bytes | None = None) -> None:
        """Takes the sampling rate in Hz and, for tests, the seed of the noise."""
        self._framing = Framing(rate)
        self._gathering = Gathering(BLOCK * self._framing.hop)
        self._tamer = Tamer()
        self._comfort = ComfortNoise(rate, noise_seed)
        self._before = np.zeros(self._framing.hop, np.float32)
        self._half = np.zeros(self._framing.hop, np.float32)
        self._energies: list[Bands] = []
        self._waiting: Spectra | None = None
        self._skip = self._framing.hop
        self._owed = 0
        self._amplitude = 10 ** (QUIETEST_DBFS / 20)
        self.silent_seconds = 0.0
        self.comfort_dbfs = QUIETEST_DBFS

    def push(self, samples: Samples) -> Samples:
        """Returns what is ready."""
        self._owed += len(samples)
        ready = [self._next(block) for block in self._gathering.push(samples)]
        return np.concatenate(ready) if ready else np.zeros(0, np.float32)

    def finish(self) -> Samples:
        """Returns the rest; nothing can be pushed any more."""
        hop = self._framing.hop
        rest = self._gathering.rest() if self._gathering.held else np.zeros(0, np.float32)
        owed = self._owed
        padded = np.pad(rest, (0, hop + -len(rest) % hop))
        ready = [self._next(padded)]
        if self._waiting is not None:
            ready.append(self._tamed(self._waiting, None))
        return np.concatenate(ready)[:owed]

    def _next(self, block: Samples) -> Samples:
        spectra = self._framing.spectra(np.concatenate([self._before, block]))
        self._before = block[-self._framing.hop :].copy()
        energies = self._framing.energies(spectra)
        if len(spectra) < BLOCK and len(energies) > LAST_WHOLE:
            energies[1 - LAST_WHOLE :] = energies[-LAST_WHOLE]
        ready = np.zeros(0, np.float32)
        if self._waiting is not None:
            ready = self._tamed(self._waiting, energies)
        self._waiting = spectra
        self._energies = [*self._energies[-1:], energies]
        return ready

    def _tamed(self, spectra: Spectra, after: Bands | None) -> Samples:
        around = [*self._energies, *([] if after is None else [after])]
        first = len(self._energies[0]) if len(self._energies) > 1 else 0
        taming = self._tamer.tame(np.concatenate(around), first, len(spectra))
        self.silent_seconds += HOP_SECONDS * float(np.count_nonzero(~taming.spoken))
        frames = self._framing.samples(spectra * self._framing.gains(taming.gains))
        whole, self._half = overlapped(frames, self._half)
        whole += self._noise(len(whole), level_for(taming.speech_dbfs))
        ready = whole[self._skip :]
        self._skip = 0
        self._owed -= len(ready)
        return ready

    def _noise(self, samples: int, level_dbfs: float) -> Samples:
        amplitude = 10 ** (level_dbfs / 20)
        ramp = np.linspace(self._amplitude, amplitude, samples, dtype=np.float32)
        self._amplitude, self.comfort_dbfs = amplitude, level_dbfs
        return self._comfort.take(samples, 0.0) * ramp
