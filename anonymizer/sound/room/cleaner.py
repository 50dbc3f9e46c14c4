"""The whole way of a track, in pieces of any length: the result depends on the sound, not on the pieces."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.errors import AnonymizerError
from anonymizer.sound.room.figures import Ears, RoomFigures
from anonymizer.sound.room.filtering import BandFilter
from anonymizer.sound.room.flattening import Flattener
from anonymizer.sound.room.gathering import Gathering
from anonymizer.sound.room.suppressing import Suppressor

Samples = npt.NDArray[np.float32]

SLOWEST, FASTEST = 8_000, 96_000
MOST_CHANNELS: Final = 8
# What a sound that nobody can hear above begins with, for whoever keeps the original voice.
TOP_HZ: Final = 16_000.0


class RoomCleaner:
    """Cleans one track.

    Samples come out late, up to fifteen seconds of them at once, each at its place: in all there are as
    many as went in. What is held meanwhile does not grow with the length of the track.
    """

    def __init__(
        self, rate: int, channels: int, top_hz: float = TOP_HZ, noise_seed: bytes | None = None
    ) -> None:
        """Prepares for a track.

        Args:
            rate: in Hz.
            channels: how many come, and go.
            top_hz: what lies above is cut.
            noise_seed: for tests; without one, no comfort noise is like another.

        Raises:
            AnonymizerError: media_unsupported.
        """
        if not (SLOWEST <= rate <= FASTEST and 1 <= channels <= MOST_CHANNELS):
            raise AnonymizerError("media_unsupported", "The sound has an unusual rate or number of channels.")
        self._rate, self._channels = rate, channels
        self._flattener = Flattener(rate, channels)
        self._filter = BandFilter(rate, top_hz)
        self._filtering = Gathering(self._filter.block)
        self._suppressor = Suppressor(rate, noise_seed)
        self._before, self._after = Ears(rate, top_hz), Ears(rate, top_hz)
        self._heard = 0
        self._figures: RoomFigures | None = None

    def push(self, samples: Samples) -> Samples:
        """Takes (channels, n) and returns what is ready, (channels, m), with the same in each channel.

        Raises:
            AnonymizerError: media_corrupt, where a sample is no number; media_unsupported, where the number
                of channels changes.
        """
        if samples.ndim != 2 or samples.shape[0] != self._channels:
            raise AnonymizerError("media_unsupported", "The sound changes its form midway.")
        if not np.isfinite(samples).all():
            raise AnonymizerError("media_corrupt", "A sample of the sound is no number.")
        self._heard += samples.shape[1]
        # Beyond full scale, a player clips too.
        within = np.clip(samples, -1.0, 1.0)
        ready = [self._filtered(flat) for flat in self._flattener.push(within)]
        return self._out(np.concatenate(ready) if ready else np.zeros(0, np.float32))

    def flush(self) -> Samples:
        """Returns the rest, (channels, m), and sums up; nothing can be pushed any more."""
        ready = [self._filtered(flat) for flat in self._flattener.flush()]
        rest = self._filtering.rest() if self._filtering.held else np.zeros(0, np.float32)
        ready += [self._suppressor.push(self._filter.finish(rest)), self._suppressor.finish()]
        out = self._out(np.concatenate(ready))
        self._before.finish()
        self._after.finish()
        self._figures = RoomFigures(
            seconds=self._heard / self._rate,
            hum_before_db=self._before.hum_db,
            hum_after_db=self._after.hum_db,
            below_before_dbfs=self._before.below_dbfs,
            below_after_dbfs=self._after.below_dbfs,
            above_before_dbfs=self._before.above_dbfs,
            above_after_dbfs=self._after.above_dbfs,
            channels_apart_db=self._flattener.difference_db,
            echo_before_seconds=self._before.echo_seconds,
            echo_after_seconds=self._after.echo_seconds,
            silence_seconds=min(self._suppressor.silent_seconds, self._heard / self._rate),
            comfort_dbfs=self._suppressor.comfort_dbfs,
        )
        return out

    @property
    def figures(self) -> RoomFigures:
        """What was measured.

        Raises:
            RuntimeError: before `flush`.
        """
        if self._figures is None:
            raise RuntimeError("the track has not ended")
        return self._figures

    def _filtered(self, block: Samples) -> Samples:
        self._before.hear(block)
        ready = [self._suppressor.push(self._filter.filter(each)) for each in self._filtering.push(block)]
        return np.concatenate(ready) if ready else np.zeros(0, np.float32)

    def _out(self, ready: Samples) -> Samples:
        one = np.clip(ready, -1.0, 1.0)
        self._after.hear(one)
        return np.repeat(one[None], self._channels, axis=0)
