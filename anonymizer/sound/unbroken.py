"""Decoded sound on one unbroken clock.

Containers leave small holes and overlaps between sound frames. Encoders number samples without gaps, so holes
become silence and overlaps are cut: otherwise every hole would pull the sound ahead of the picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from anonymizer.errors import AnonymizerError

Samples = npt.NDArray[np.float32]

LEAST_RATE, MOST_RATE = 7_350, 192_000
MOST_CHANNELS: Final = 8
# Matroska rounds times to a millisecond and MP4 edit lists to a movie tick; more than this is a real hole.
TOLERANCE_SECONDS: Final = 0.02
SAMPLES_AT_ONCE: Final = 4096


class Unbroken:
    """Takes decoded frames in order and gives samples without holes.

    Attributes:
        rate: samples a second; 0 before the first frame.
        begins_at: the number of the first sample, counted from the time that becomes zero; None before it.
        next: the number of the sample after the last one.
    """

    def __init__(self, begins: Fraction, max_seconds: float, layout: str | None = None) -> None:
        """Takes the time that becomes zero, the limit, and into which layout channels are mixed.

        Args:
            begins: seconds on the file's own clock.
            max_seconds: from there on.
            layout: one of FFmpeg's names; None leaves the channels as they are.
        """
        self._begins = begins
        self._max_seconds = max_seconds
        self._planar = AudioResampler(format="fltp", layout=layout)
        self._form = ("", "")
        self.rate = 0
        self.begins_at: int | None = None
        self.next = 0

    @property
    def span(self) -> tuple[Fraction | None, Fraction | None]:
        """When the sound so far begins and ends, in seconds of the result; None where there was none."""
        if self.begins_at is None:
            return None, None
        return Fraction(self.begins_at, self.rate), Fraction(self.next, self.rate)

    def push(self, frame: AudioFrame) -> Iterator[Samples]:
        """Puts a frame where its time says, with silence before it where there is a hole.

        Returns:
            (channels, n) float32 in order, a few thousand samples at once.

        Raises:
            AnonymizerError: media_unsupported, where the sound changes its form midway or has an absurd one;
                media_too_long.
        """
        if self.rate and frame.sample_rate != self.rate:
            raise AnonymizerError("media_unsupported", "The sound changes its rate midway.")
        if not LEAST_RATE <= frame.sample_rate <= MOST_RATE or len(frame.layout.channels) > MOST_CHANNELS:
            raise AnonymizerError("media_unsupported", "The sound has too many channels, or an absurd rate.")
        if self.rate and self._form != (frame.layout.name, frame.format.name):
            raise AnonymizerError("media_unsupported", "The sound changes its form midway.")
        self.rate, self._form = frame.sample_rate, (frame.layout.name, frame.format.name)
        starts = self._start_of(frame)
        try:
            parts = [np.asarray(part.to_ndarray(), np.float32) for part in self._planar.resample(frame)]
        except (av.FFmpegError, ValueError):
            raise AnonymizerError("media_unsupported", "The sound changes its form midway.") from None
        if parts:
            yield from self._place(np.concatenate(parts, axis=1), starts)

    def _start_of(self, frame: AudioFrame) -> int | None:
        if frame.pts is None or not frame.time_base:
            return None if self.begins_at is None else self.next
        seconds = frame.pts * frame.time_base - self._begins
        if seconds > self._max_seconds:
            raise AnonymizerError("media_too_long")
        return round(seconds * self.rate)

    def _place(self, samples: Samples, starts: int | None) -> Iterator[Samples]:
        if self.begins_at is None:
            samples = samples[:, max(0, -(starts or 0)) :]
            starts = self.next = self.begins_at = max(0, starts or 0)
        ahead = (starts - self.next) if starts is not None else 0
        if ahead > TOLERANCE_SECONDS * self.rate:
            for offset in range(0, ahead, SAMPLES_AT_ONCE):
                yield self._given(
                    np.zeros((samples.shape[0], min(SAMPLES_AT_ONCE, ahead - offset)), np.float32)
                )
        elif ahead < -TOLERANCE_SECONDS * self.rate:
            samples = samples[:, -ahead:]
        for offset in range(0, samples.shape[1], SAMPLES_AT_ONCE):
            yield self._given(samples[:, offset : offset + SAMPLES_AT_ONCE])

    def _given(self, samples: Samples) -> Samples:
        self.next += samples.shape[1]
        if self.next > self._max_seconds * self.rate:
            raise AnonymizerError("media_too_long")
        return samples
