"""The sound of the result, in AAC: let through as it is, or made anew."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

import numpy as np
import numpy.typing as npt
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.packet import Packet

from anonymizer.sound.making import Maker
from anonymizer.sound.unbroken import SAMPLES_AT_ONCE, Unbroken

Samples = npt.NDArray[np.float32]

AAC_RATES: Final = frozenset(
    (96000, 88200, 64000, 48000, 44100, 32000, 24000, 22050, 16000, 12000, 11025, 8000, 7350)
)
OTHER_RATE: Final = 48000
LAYOUTS: Final = {1: "mono", 2: "stereo", 6: "5.1"}
BITS_PER_CHANNEL: Final = 80_000


@dataclass(frozen=True)
class Form:
    """The form of an encoded track.

    Attributes:
        rate: samples a second.
        layout: FFmpeg's name.
        lossless: FLAC of 24 bits, and not AAC.
    """

    rate: int
    layout: str
    lossless: bool = False

    @property
    def bit_rate(self) -> int:
        """Bits a second."""
        channels = next(count for count, layout in LAYOUTS.items() if layout == self.layout)
        return BITS_PER_CHANNEL * channels


def form_of(source: AudioStream, maker: Maker | None) -> Form:
    """Returns the form of the result.

    Args:
        source: the original. Its rate stays where AAC has it; mono, stereo and 5.1 stay, anything else is
            mixed to stereo.
        maker: where it is made anew, which has a form of its own.
    """
    if maker is not None:
        return Form(maker.rate, LAYOUTS[maker.channels_of(source.codec_context.channels)])
    rate = source.codec_context.sample_rate
    layout = LAYOUTS.get(source.codec_context.channels, "stereo")
    return Form(rate if rate in AAC_RATES else OTHER_RATE, layout)


class SoundTrack:
    """Takes decoded sound frames in order and hands encoded packets on."""

    def __init__(
        self,
        stream: AudioStream,
        begins: Fraction,
        max_seconds: float,
        mux: Callable[[list[Packet[AudioStream]]], None],
        maker: Maker | None,
    ) -> None:
        """Takes where it all goes.

        Args:
            stream: AAC.
            begins: the time in seconds that becomes zero.
            max_seconds: from there on.
            mux: takes packets.
            maker: makes the sound anew; None lets it through.
        """
        self._stream = stream
        self._mux = mux
        self._maker = maker
        layout = None if maker is not None else stream.codec_context.layout.name
        self._clock = Unbroken(begins, max_seconds, layout)
        self._channels = stream.codec_context.channels
        self._encoded = 0

    @property
    def span(self) -> tuple[Fraction | None, Fraction | None]:
        """When the sound so far begins and ends, in seconds of the result; None where there was none."""
        if self._clock.begins_at is None or self._maker is None:
            return self._clock.span
        rate, begins = self._maker.rate, self._maker.begins_at
        return Fraction(begins, rate), Fraction(begins + self._encoded, rate)

    def write(self, frame: AudioFrame) -> None:
        """Takes a frame.

        Raises:
            AnonymizerError: media_unsupported, media_too_long; what a maker raises.
        """
        for samples in self._clock.push(frame):
            if self._maker is None:
                self._encode(samples, self._clock.rate, self._clock.begins_at or 0)
            else:
                self._take(self._maker.push(samples))

    def finish(self) -> None:
        """Hands on what is left.

        Raises:
            AnonymizerError: what a maker raises.
        """
        if self._maker is not None:
            self._take(self._maker.finish())
        if self._encoded:
            self._mux(self._stream.encode(None))

    def _take(self, made: Iterator[Samples]) -> None:
        if self._maker is None:
            raise AssertionError("nothing is made where all is let through")
        for piece in made:
            for offset in range(0, len(piece), SAMPLES_AT_ONCE):
                part = np.repeat(piece[None, offset : offset + SAMPLES_AT_ONCE], self._channels, axis=0)
                self._encode(part, self._maker.rate, self._maker.begins_at)

    def _encode(self, samples: Samples, rate: int, begins_at: int) -> None:
        layout = self._stream.codec_context.layout
        frame = AudioFrame.from_ndarray(np.ascontiguousarray(samples), format="fltp", layout=layout)
        frame.sample_rate, frame.pts = rate, begins_at + self._encoded
        frame.time_base = Fraction(1, rate)
        self._encoded += samples.shape[1]
        self._mux(self._stream.encode(frame))
