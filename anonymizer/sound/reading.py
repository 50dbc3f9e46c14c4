"""Decodes the first sound stream of a container, and nothing else of it. Every error is an error."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.stream import Discard

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.settings import Limits
from anonymizer.video.opening import AUDIO_DECODERS, Opener, has_decoder
from anonymizer.video.streams import Source


class SoundReader:
    """One container, open for its sound.

    Attributes:
        sound: the stream.
    """

    def __init__(self, stream: BinaryIO, kind: Format, limits: Limits) -> None:
        """Opens the container.

        Raises:
            AnonymizerError: see Opener.open; media_no_video, where there is no sound either.
        """
        self._source = Source(stream)
        self._kind = kind
        self._samples = 0
        self._container = Opener(self._source, kind, limits).open()
        sound = next(iter(self._container.streams.audio), None)
        if sound is None:
            raise AnonymizerError("media_no_video")
        self.sound: AudioStream = sound
        require_sound_decoder(sound)
        for other in self._container.streams:
            if other is not sound:
                other.discard = Discard.all

    @property
    def tags(self) -> dict[str, str]:
        """What the file says about itself and its sound, by FFmpeg's names."""
        return {**self.sound.metadata, **self._container.metadata}

    def frames(self) -> Iterator[AudioFrame]:
        """Decodes to the end.

        Raises:
            AnonymizerError: media_corrupt, media_truncated.
            Exception: whatever the input stream itself raised.
        """
        try:
            for packet in self._container.demux(self.sound):
                if packet.is_corrupt:
                    raise AnonymizerError("media_truncated")
                for frame in packet.decode():
                    self._samples += frame.samples
                    yield frame
        except (av.FFmpegError, ValueError):
            self._source.raise_failure()
            raise AnonymizerError("media_corrupt") from None
        self._source.raise_failure()
        promised = (self.sound.duration or 0) * (self.sound.time_base or 0) * self.sound.rate
        if self._kind is Format.FLAC and self._samples < promised:
            raise AnonymizerError("media_truncated")

    def close(self) -> None:
        """Frees the decoder."""
        self._container.close()


def require_sound_decoder(sound: AudioStream | None) -> None:
    """Checks that a sound stream can be decoded.

    Raises:
        AnonymizerError: media_unsupported.
    """
    if sound is None or not has_decoder(sound, AUDIO_DECODERS):
        raise AnonymizerError("media_unsupported", "Its audio codec is not on the list.")
