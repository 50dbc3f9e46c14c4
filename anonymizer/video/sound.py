"""The sound on one unbroken clock, in AAC.

Containers leave small holes and overlaps between sound frames. The encoder numbers samples without gaps, so
holes become silence and overlaps are cut: otherwise every hole would pull the sound ahead of the picture.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Final

import av
import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler
from av.audio.stream import AudioStream
from av.packet import Packet

from anonymizer.errors import AnonymizerError

AAC_RATES: Final = frozenset(
    (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
)
OTHER_RATE: Final = 48000
LAYOUTS: Final = {1: "mono", 2: "stereo", 6: "5.1"}
BITS_PER_CHANNEL: Final = 80_000
# Matroska rounds times to a millisecond and MP4 edit lists to a movie tick; more than this is a real hole.
TOLERANCE_SECONDS: Final = 0.02
SAMPLES_AT_ONCE: Final = 4096


def output_rate(source: AudioStream) -> int:
    """Returns the sampling rate of the result: the original's where AAC has it."""
    rate = source.codec_context.sample_rate
    return rate if rate in AAC_RATES else OTHER_RATE


def output_layout(source: AudioStream) -> str:
    """Returns the channel layout of the result: mono, stereo or 5.1; anything else is mixed to stereo."""
    return LAYOUTS.get(source.codec_context.channels, "stereo")


class SoundTrack:
    """Takes decoded sound frames in order and hands encoded packets on."""

    def __init__(
        self,
        stream: AudioStream,
        begins: Fraction,
        max_seconds: float,
        mux: Callable[[list[Packet[AudioStream]]], None],
    ) -> None:
        """Takes the AAC stream, the time in seconds that becomes zero, the limit, and where packets go."""
        self._stream = stream
        self._begins = begins
        self._max_seconds = max_seconds
        self._mux = mux
        self._planar = AudioResampler(format="fltp", layout=stream.codec_context.layout)
        self._rate = 0
        self._next: int | None = None
        self._begins_at: int | None = None

    @property
    def span(self) -> tuple[Fraction | None, Fraction | None]:
        """When the sound so far begins and ends, in seconds of the result; None where there was none."""
        if self._begins_at is None or self._next is None:
            return None, None
        return Fraction(self._begins_at, self._rate), Fraction(self._next, self._rate)

    def write(self, frame: AudioFrame) -> None:
        """Puts a frame where its time says, with silence before it where there is a hole.

        Raises:
            AnonymizerError: media_unsupported, where the sound changes its form midway; media_too_long.
        """
        if self._rate and frame.sample_rate != self._rate:
            raise AnonymizerError("media_unsupported", "The sound changes its rate midway.")
        self._rate = frame.sample_rate
        starts = self._start_of(frame)
        try:
            parts = [np.asarray(part.to_ndarray(), np.float32) for part in self._planar.resample(frame)]
        except (av.FFmpegError, ValueError):
            raise AnonymizerError("media_unsupported", "The sound changes its form midway.") from None
        if parts:
            self._place(np.concatenate(parts, axis=1), starts)

    def finish(self) -> None:
        """Hands on what the encoder still holds."""
        if self._next is not None:
            self._mux(self._stream.encode(None))

    def _start_of(self, frame: AudioFrame) -> int | None:
        if frame.pts is None or not frame.time_base:
            return self._next
        seconds = frame.pts * frame.time_base - self._begins
        if seconds > self._max_seconds:
            raise AnonymizerError("media_too_long")
        return round(seconds * self._rate)

    def _place(self, samples: npt.NDArray[np.float32], starts: int | None) -> None:
        if self._next is None:
            samples = samples[:, max(0, -(starts or 0)) :]
            starts = self._next = self._begins_at = max(0, starts or 0)
        ahead = (starts - self._next) if starts is not None else 0
        if ahead > TOLERANCE_SECONDS * self._rate:
            for offset in range(0, ahead, SAMPLES_AT_ONCE):
                silence = np.zeros((samples.shape[0], min(SAMPLES_AT_ONCE, ahead - offset)), np.float32)
                self._encode(silence)
        elif ahead < -TOLERANCE_SECONDS * self._rate:
            samples = samples[:, -ahead:]
        for offset in range(0, samples.shape[1], SAMPLES_AT_ONCE):
            self._encode(samples[:, offset : offset + SAMPLES_AT_ONCE])

    def _encode(self, samples: npt.NDArray[np.float32]) -> None:
        layout = self._stream.codec_context.layout
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = self._rate, self._next
        frame.time_base = Fraction(1, self._rate)
        self._next = (self._next or 0) + samples.shape[1]
        self._mux(self._stream.encode(frame))
