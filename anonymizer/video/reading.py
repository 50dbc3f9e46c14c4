"""Opens a container from an allow-list and decodes its first picture and first sound stream, nothing else.

FFmpeg is handed the demuxer by name and a stream that cannot open anything: playlists, external references
and other protocols have nowhere to go. Every error is an error: no frame is concealed, skipped or repeated.
"""

from __future__ import annotations

import io
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import BinaryIO, Final, NoReturn

import av
import av.logging
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.stream import Discard, Disposition, Stream
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.settings import Limits

# FFmpeg's messages may quote the file.
av.logging.set_level(None)
av.logging.set_libav_level(av.logging.PANIC)

VIDEO_DECODERS: Final = frozenset(
    (
        "h264",
        "hevc",
        "vp8",
        "libvpx",
        "vp9",
        "libvpx-vp9",
        "av1",
        "libdav1d",
        "mpeg4",
        "msmpeg4v2",
        "msmpeg4",
        "mpeg1video",
        "mpeg2video",
        "h263",
        "mjpeg",
        "gif",
        "prores",
        "dnxhd",
        "ffv1",
        "rawvideo",
        "huffyuv",
        "ffvhuff",
        "dvvideo",
        "theora",
    )
)
AUDIO_DECODERS: Final = frozenset(
    (
        "aac",
        "aac_fixed",
        "mp3",
        "mp3float",
        "mp2",
        "mp2float",
        "mp1",
        "mp1float",
        "ac3",
        "eac3",
        "opus",
        "libopus",
        "vorbis",
        "libvorbis",
        "flac",
        "alac",
        "amrnb",
        "amrwb",
        "libopencore_amrnb",
        "libopencore_amrwb",
        "adpcm_ms",
        "adpcm_ima_wav",
        "adpcm_ima_qt",
        "pcm_u8",
        "pcm_s8",
        "pcm_s16le",
        "pcm_s16be",
        "pcm_s24le",
        "pcm_s24be",
        "pcm_s32le",
        "pcm_s32be",
        "pcm_f32le",
        "pcm_f32be",
        "pcm_f64le",
        "pcm_f64be",
        "pcm_alaw",
        "pcm_mulaw",
    )
)
NO_DECODERS: Final = frozenset({"none"})
DEMUXER_NAMES: Final = {Format.MP4: "mov,mp4,m4a,3gp,3g2,mj2", Format.MATROSKA: "matroska,webm"}
ATTACHED: Final = Disposition.attached_pic | Disposition.timed_thumbnails
MAX_SOUND_FRAMES_AHEAD: Final = 10_000


class Source:
    """The input as FFmpeg sees it. It remembers a failed read, which a demuxer might take for the end."""

    def __init__(self, stream: BinaryIO) -> None:
        """Takes a readable, seekable binary stream."""
        self._stream = stream
        self.failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """Reads up to `size` bytes."""
        try:
            return self._stream.read(size)
        except Exception as error:
            self.failure = error
            raise

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Moves to an offset."""
        try:
            return self._stream.seek(offset, whence)
        except Exception as error:
            self.failure = error
            raise

    def tell(self) -> int:
        """Returns the offset."""
        return self._stream.tell()


class Reader:
    """One container, open for decoding.

    Attributes:
        video: the picture stream.
        sound: the sound stream, or None.
    """

    def __init__(self, stream: BinaryIO, kind: Format, limits: Limits, threads: int) -> None:
        """Opens the container.

        Raises:
            AnonymizerError: media_corrupt, media_no_video, media_too_large or media_unsupported.
        """
        self._source = Source(stream)
        self._limits = limits
        self._container = self._open(kind, VIDEO_DECODERS | AUDIO_DECODERS)
        self.video = self._choose_video(kind)
        self.sound = next(iter(self._container.streams.audio), None)
        for other in self._container.streams:
            if other not in (self.video, self.sound):
                other.discard = Discard.all
        context = self.video.codec_context
        context.thread_count = threads
        context.thread_type = "AUTO"
        context.options = {"err_detect": "crccheck+bitstream+buffer+explode", **self._size_guard()}

    def _open(self, kind: Format, decoders: frozenset[str]) -> InputContainer:
        container_options = {
            "protocol_whitelist": "none",
            "format_whitelist": DEMUXER_NAMES.get(kind, kind.value),
            "codec_whitelist": ",".join(sorted(decoders)),
        }
        if kind is Format.MP4:
            container_options |= {"enable_drefs": "0", "use_absolute_path": "0", "ignore_chapters": "1"}
        self._source.seek(0)
        try:
            return av.open(
                self._source,
                "r",
                format=kind.value,
                options=self._size_guard(),
                container_options=container_options,
                metadata_errors="replace",
                io_open=_refuse_to_open,
            )
        except (av.FFmpegError, ValueError):
            self._raise_own_failure()
            if decoders != NO_DECODERS:
                self._check_declared_sizes(kind)
            raise AnonymizerError("media_corrupt") from None

    def _check_declared_sizes(self, kind: Format) -> None:
        """Opens the container without decoders: one that refuses a size hides it."""
        with self._open(kind, NO_DECODERS) as bare:
            for stream in bare.streams.video:
                if _has_context(stream):
                    self._check_size(stream.codec_context.width, stream.codec_context.height)

    def _size_guard(self) -> dict[str, str]:
        # Coded sizes are rounded up to whole blocks; the exact limit is checked on the frames.
        return {"max_pixels": str(self._limits.max_frame_pixels * 2)}

    def _choose_video(self, kind: Format) -> VideoStream:
        pictures = [s for s in self._container.streams.video if not s.disposition & ATTACHED]
        if not pictures:
            raise AnonymizerError("media_no_video")
        video = pictures[0]
        if not _has_context(video) or video.codec_context.codec.name not in VIDEO_DECODERS:
            raise AnonymizerError("media_unsupported", "Its video codec is not on the list.")
        if not video.codec_context.width or not video.codec_context.height:
            self._check_declared_sizes(kind)
        self._check_size(video.codec_context.width, video.codec_context.height)
        return video

    def require_sound_decoder(self) -> None:
        """Checks that the sound can be decoded.

        Raises:
            AnonymizerError: media_unsupported.
        """
        sound = self.sound
        if sound is None or not _has_context(sound) or sound.codec_context.codec.name not in AUDIO_DECODERS:
            raise AnonymizerError("media_unsupported", "Its audio codec is not on the list.")

    @property
    def frame_rate(self) -> Fraction:
        """Frames per second, a guess; 25 where the file tells nothing sensible."""
        rate = self.video.guessed_rate
        return rate if rate and 0 < rate <= 1000 else Fraction(25)

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
                for frame in packet.decode():
                    if isinstance(frame, VideoFrame):
                        self._check_size(frame.width, frame.height)
                        yield frame
                    elif isinstance(frame, AudioFrame):
                        yield frame
        except (av.FFmpegError, ValueError):
            self._raise_own_failure()
            raise AnonymizerError("media_corrupt") from None
        self._raise_own_failure()

    def close(self) -> None:
        """Frees the decoders."""
        self._container.close()

    def _check_size(self, width: int, height: int) -> None:
        if width <= 0 or height <= 0:
            raise AnonymizerError("media_corrupt")
        if width * height > self._limits.max_frame_pixels:
            raise AnonymizerError("media_too_large")

    def _raise_own_failure(self) -> None:
        if self._source.failure is not None:
            raise self._source.failure


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
            begins = min(begins, sound.start_time * sound.time_base)
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


def _has_context(stream: Stream) -> bool:
    # PyAV types the context as always there; it is None where FFmpeg has no decoder.
    context: object = stream.codec_context
    return context is not None


def _refuse_to_open(*_: object) -> NoReturn:
    raise AnonymizerError("media_unsupported", "It refers to another file.")
