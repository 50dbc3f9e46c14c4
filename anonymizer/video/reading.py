"""Decodes the first picture and the first sound stream of a container, and nothing else of it.

Every error is an error: no frame is concealed, skipped or repeated.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO, Final

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.stream import Discard
from av.video.frame import VideoFrame

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.settings import Limits
from anonymizer.sound.reading import require_sound_decoder
from anonymizer.video.opening import Opener, check_size
from anonymizer.video.streams import Source

MAX_SOUND_FRAMES_AHEAD: Final = 10_000
# Five frames of 4K, 46 of 720p: about 60 MB.
MOST_PIXELS_PASSED: Final = 40 * 1024 * 1024


class Reader:
    """One container, open for decoding.

    Attributes:
        video: the picture stream.
        sound: the sound stream, or None.
        picture_bytes: of the pictures that were read so far, as they are coded.
    """

    def __init__(self, stream: BinaryIO, kind: Format, limits: Limits, threads: int) -> None:
        """Opens the container.

        Raises:
            AnonymizerError: see Opener.open.
        """
        self._source = Source(stream)
        self._limits = limits
        self._pixels_passed = 0
        self.picture_bytes = 0
        opener = Opener(self._source, kind, limits)
        self._container = opener.open()
        self.video = opener.video_of(self._container)
        self.sound = next(iter(self._container.streams.audio), None)
        for other in self._container.streams:
            if other not in (self.video, self.sound):
                other.discard = Discard.all
        context = self.video.codec_context
        context.thread_count = threads
        context.thread_type = "AUTO"
        context.options = opener.decoder_options()

    def require_sound_decoder(self) -> None:
        """Checks that the sound can be decoded.

        Raises:
            AnonymizerError: media_unsupported.
        """
        require_sound_decoder(self.sound)

    @property
    def frame_rate(self) -> Fraction:
        """Frames per second, a guess; 25 where the file tells nothing sensible."""
        rate = self.video.guessed_rate
        return rate if rate and 0 < rate <= 1000 else Fraction(25)

    @property
    def tags(self) -> dict[str, str]:
        """What the container and its pictures say about themselves, unchecked, by FFmpeg's names."""
        return {**self.video.metadata, **self._container.metadata}

    @property
    def frames_expected(self) -> int:
        """Number of frames, an estimate from the container; 0 when not known."""
        if self.video.frames:
            return self.video.frames
        duration = self._container.duration
        return round(duration / av.time_base * self.frame_rate) if duration and duration > 0 else 0

    def frames(self, *, with_sound: bool) -> Iterator[VideoFrame | AudioFrame]:
        """Decodes to the end. Pictures come in order of display, all with a time.

        Raises:
            AnonymizerError: media_corrupt, media_truncated, media_too_large.
            Exception: whatever the input stream itself raised.
        """
        streams = (self.video, self.sound) if with_sound and self.sound else (self.video,)
        try:
            for packet in self._container.demux(*streams):
                if packet.is_corrupt:
                    raise AnonymizerError("media_truncated")
                self.picture_bytes += packet.size if packet.stream is self.video else 0
                for frame in packet.decode():
                    if isinstance(frame, VideoFrame):
                        check_size(frame.width, frame.height, self._limits)
                        self._free_frames_passed(frame.width * frame.height)
                        yield frame
                    elif isinstance(frame, AudioFrame):
                        yield frame
        except (av.FFmpegError, ValueError):
            self._source.raise_failure()
            raise AnonymizerError("media_corrupt") from None
        self._source.raise_failure()

    def _free_frames_passed(self, pixels: int) -> None:
        # A frame whose side data was asked for and that side data refer to each other: only the collector
        # of cycles frees them, and to its mind so few objects are nothing. At 4K each is 12 MB.
        self._pixels_passed += pixels
        if self._pixels_passed >= MOST_PIXELS_PASSED:
            self._pixels_passed = 0
            gc.collect()

    def close(self) -> None:
        """Frees the decoders."""
        self._container.close()


def start_of(
    frames: Iterator[VideoFrame | AudioFrame], sound: AudioStream | None
) -> tuple[Fraction, VideoFrame, deque[AudioFrame]]:
    """Decodes to the first picture.

    Returns:
        The time in seconds at which the result begins (the first picture's or the sound's, whichever is
        earlier), the first picture, and the sound decoded on the way to it.

    Raises:
        AnonymizerError: media_no_video, media_corrupt.
    """
    ahead: deque[AudioFrame] = deque()
    for frame in frames:
        if isinstance(frame, AudioFrame):
            ahead.append(frame)
            if len(ahead) > MAX_SOUND_FRAMES_AHEAD:
                raise AnonymizerError("media_corrupt")
            continue
        begins = time_of(frame)
        if ahead and ahead[0].pts is not None:
            begins = min(begins, time_of(ahead[0]))
        elif sound is not None and sound.start_time is not None and sound.time_base:
            # A start below zero is the sound codec's run-up, which its decoder drops.
            begins = min(begins, max(sound.start_time * sound.time_base, min(Fraction(0), begins)))
        return begins, frame, ahead
    raise AnonymizerError("media_no_video")


def time_of(frame: VideoFrame | AudioFrame) -> Fraction:
    """Returns a frame's time in seconds, exactly.

    Raises:
        AnonymizerError: media_corrupt, where it has none.
    """
    if frame.pts is None or frame.time_base is None:
        raise AnonymizerError("media_corrupt")
    return frame.pts * frame.time_base
