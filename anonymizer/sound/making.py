"""The second pass over a sound track: what was heard is made anew, by plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.recovery.voices import VoiceKeeper
from anonymizer.sound.envelope import Envelope
from anonymizer.sound.figures import (
    AROUND_SECONDS,
    SoundFigures,
    is_click,
    lip_sync_off,
    loudness_off,
    seconds_of,
)
from anonymizer.sound.listening import Heard
from anonymizer.sound.loudness import Loudness
from anonymizer.sound.pieces import pieces_of
from anonymizer.sound.plan import Plan
from anonymizer.sound.rendering import Renderer, Speak
from anonymizer.sound.resampling import Resampler
from anonymizer.sound.room import ComfortNoise, Flattener, RoomCleaner

Samples = npt.NDArray[np.float32]

# Rates at which sound is made; another one is brought to the highest.
RATES: Final = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
# A made voice has nothing above it; what is kept has what people hear.
TOP_OF_VOICES_HZ, TOP_OF_SOUND_HZ = 8_000, 16_000


def made_rate(rate: int) -> int:
    """Returns the sampling rate at which a track of this rate is made."""
    return rate if rate in RATES else RATES[-1]


class Maker:
    """Takes the samples of a track once more, as they were heard, and returns what is made of them.

    Attributes:
        rate: samples a second of the result.
        begins_at: the number of its first sample, from the time that is zero.
    """

    def __init__(self, heard: Heard, plan: Plan, speak: Speak, voices: VoiceKeeper | None = None) -> None:
        """Takes what the first pass found, what is to happen, who changes voices, and who keeps them."""
        self._heard = heard
        self._plan = plan
        self._voices = voices
        self.rate = made_rate(heard.rate)
        self.begins_at = self._at_rate(heard.begins_at)
        self._channels_out = self.channels_of(heard.channels)
        self._samples = self._at_rate(heard.begins_at + heard.samples) - self.begins_at
        self._pieces = pieces_of(plan, heard.levels, self.rate, self._samples)
        keeps = any(stretch.effect == "keep" for stretch in plan.stretches)
        self._cleaner = RoomCleaner(
            self.rate, heard.channels, top_hz=TOP_OF_SOUND_HZ if keeps else TOP_OF_VOICES_HZ
        )
        self._flattener = Flattener(self.rate, heard.channels)
        # What the cleaner still holds.
        self._plain = np.zeros(0, np.float32)
        noise = ComfortNoise(self.rate)
        self._renderer = Renderer(self._pieces, self.rate, speak, noise.take)
        self._resampler = Resampler(heard.rate, self.rate, heard.channels)
        self._taken = 0
        self._original = Loudness(self.rate, heard.channels)
        self._result = Loudness(self.rate, 1)
        self._result_levels = Envelope(self.rate)
        self._end = np.zeros(0, np.float32)
        self._clicks = 0
        self._made = 0

    @staticmethod
    def channels_of(channels: int) -> int:
        """In how many channels a track of so many is heard; each has the same."""
        return 1 if channels == 1 else 2

    def push(self, samples: Samples) -> Iterator[Samples]:
        """Takes more of the track, (channels, n); returns (n,) samples of the result.

        Raises:
            AnonymizerError: media_corrupt, detector_failed.
        """
        if self._voices is not None:
            self._voices.push(samples)
        yield from self._taken_in(self._resampler.push(np.clip(samples, -1.0, 1.0)))

    def finish(self) -> Iterator[Samples]:
        """Returns what is left.

        Raises:
            AnonymizerError: media_corrupt, where the track is not as long as it was heard to be;
                detector_failed.
        """
        if self._voices is not None:
            self._voices.finish()
        yield from self._taken_in(self._resampler.flush())
        missing = self._samples - self._taken
        if 0 < missing <= self.rate // 100:
            # A resampler rounds the length of a track.
            yield from self._taken_in(np.zeros((self._heard.channels, missing), np.float32))
        yield from self._rendered(self._cleaner.flush(), self._flattener.flush())
        self._renderer.finish()

    @property
    def figures(self) -> SoundFigures:
        """What was done, once all of it is."""
        return SoundFigures(
            voices=self._heard.turns.speakers,
            seconds=seconds_of(self._plan),
            words_bleeped=None if self._heard.words is None else len(self._heard.words),
            loudness_off_lu=loudness_off(
                self._plan, self._original.steps, self._result.steps * self._channels_out
            ),
            off_seconds=lip_sync_off(self._plan, self._heard.levels, self._result_levels.levels),
            clicks=self._clicks,
            room=self._cleaner.figures,
        )

    def _taken_in(self, samples: Samples) -> Iterator[Samples]:
        spare = self._taken + samples.shape[1] - self._samples
        if 0 < spare <= self.rate // 100:
            samples = samples[:, :-spare]
        self._taken += samples.shape[1]
        self._original.push(samples)
        yield from self._rendered(self._cleaner.push(samples), self._flattener.push(samples))

    def _rendered(self, cleaned: Samples, plain: Iterable[Samples]) -> Iterator[Samples]:
        self._plain = np.concatenate([self._plain, *plain])
        ready = cleaned.shape[1]
        both = np.stack([cleaned[0], self._plain[:ready]])
        self._plain = self._plain[ready:]
        for made in self._renderer.push(both, self._original, self._channels_out):
            piece = self._pieces[self._made]
            if self._made:
                self._clicks += is_click(self._end, made, piece.full - piece.fades_in, self.rate)
            self._made += 1
            self._end = np.concatenate([self._end, made])[-round(AROUND_SECONDS * self.rate) :]
            self._result.push(made[None])
            self._result_levels.push(made)
            yield made

    def _at_rate(self, samples: int) -> int:
        return round(samples * self.rate / self._heard.rate)
