"""Opens a container from an allow-list.

FFmpeg is handed the demuxer by name, the decoders that it may use, and a stream that cannot open anything:
playlists, external references and other protocols have nowhere to go.
"""

from __future__ import annotations

from typing import Final, NoReturn

import av
import av.logging

# PyAV imports these when it first meets a subtitle stream; a walled child could not.
import av.subtitles.codeccontext
import av.subtitles.stream
import av.subtitles.subtitle
from av.container.input import InputContainer
from av.stream import Disposition, Stream
from av.video.stream import VideoStream

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.settings import Limits
from anonymizer.video.streams import Source

# FFmpeg's messages may quote the file.
av.logging.set_level(None)
av.logging.set_libav_level(av.logging.PANIC)


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


VIDEO_DECODERS: Final = _names(
    """
    h264 hevc vp8 libvpx vp9 libvpx-vp9 av1 libdav1d mpeg4 msmpeg4v2 msmpeg4 mpeg1video mpeg2video h263
    mjpeg gif prores dnxhd ffv1 rawvideo huffyuv ffvhuff dvvideo theora
    """
)
AUDIO_DECODERS: Final = _names(
    """
    aac aac_fixed mp3 mp3float mp2 mp2float mp1 mp1float ac3 eac3 opus libopus vorbis libvorbis flac alac
    amrnb amrwb libopencore_amrnb libopencore_amrwb adpcm_ms adpcm_ima_wav adpcm_ima_qt pcm_u8 pcm_s8
    pcm_s16le pcm_s16be pcm_s24le pcm_s24be pcm_s32le pcm_s32be pcm_f32le pcm_f32be pcm_f64le pcm_f64be
    pcm_alaw pcm_mulaw
    """
)
NO_DECODERS: Final = _names("none")
DEMUXER_NAMES: Final = {Format.MP4: "mov,mp4,m4a,3gp,3g2,mj2", Format.MATROSKA: "matroska,webm"}
ATTACHED: Final = Disposition.attached_pic | Disposition.timed_thumbnails


class Opener:
    """Opens one source."""

    def __init__(self, source: Source, kind: Format, limits: Limits) -> None:
        """Takes the source, its format, and the limits on a frame's size."""
        self._source = source
        self._kind = kind
        self._limits = limits

    def open(self) -> InputContainer:
        """Opens the container.

        Raises:
            AnonymizerError: media_corrupt, media_truncated, media_too_large or media_unsupported.
        """
        container = self._open(VIDEO_DECODERS | AUDIO_DECODERS)
        if self._kind is Format.MP4:
            self._check_index(container)
        return container

    def video_of(self, container: InputContainer) -> VideoStream:
        """Chooses the first real picture stream: no cover art, no thumbnails.

        Raises:
            AnonymizerError: media_no_video, media_too_large or media_unsupported.
        """
        video = picture_stream(container)
        if video is None:
            raise AnonymizerError("media_no_video")
        if not has_decoder(video, VIDEO_DECODERS):
            raise AnonymizerError("media_unsupported", "Its video codec is not on the list.")
        if not video.codec_context.width or not video.codec_context.height:
            self._check_declared_sizes()
        check_size(video.codec_context.width, video.codec_context.height, self._limits)
        return video

    def decoder_options(self) -> dict[str, str]:
        """Returns options that make a decoder stop at the first error, and at frames that are too large."""
        return {"err_detect": "crccheck+bitstream+buffer+explode", **self._size_guard()}

    def _open(self, decoders: frozenset[str]) -> InputContainer:
        options = {
            "protocol_whitelist": "none",
            "format_whitelist": DEMUXER_NAMES.get(self._kind, self._kind.value),
            "codec_whitelist": ",".join(sorted(decoders)),
        }
        if self._kind is Format.MP4:
            options |= {"enable_drefs": "0", "use_absolute_path": "0", "ignore_chapters": "1"}
        self._source.seek(0)
        try:
            return av.open(
                self._source,
                "r",
                format=self._kind.value,
                options=self._size_guard(),
                container_options=options,
                metadata_errors="replace",
                io_open=_refuse_to_open,
            )
        except (av.FFmpegError, ValueError):
            self._source.raise_failure()
            if decoders != NO_DECODERS:
                self._check_declared_sizes()
            raise AnonymizerError("media_corrupt") from None

    def _check_declared_sizes(self) -> None:
        """Opens the container without decoders: one that refuses a size hides it."""
        with self._open(NO_DECODERS) as bare:
            for stream in bare.streams.video:
                if _has_context(stream):
                    check_size(stream.codec_context.width, stream.codec_context.height, self._limits)

    def _check_index(self, container: InputContainer) -> None:
        """Checks that every sample of an MP4 lies within the file: a demuxer takes the rest for its end."""
        here = self._source.tell()
        size = self._source.seek(0, 2)
        self._source.seek(here)
        for stream in container.streams:
            if stream.type in {"video", "audio"}:
                for entry in stream.index_entries:
                    if entry.pos + entry.size > size:
                        raise AnonymizerError("media_truncated")

    def _size_guard(self) -> dict[str, str]:
        # Coded sizes are rounded up to whole blocks; the exact limit is checked on the frames.
        return {"max_pixels": str(self._limits.max_frame_pixels * 2)}


def picture_stream(container: InputContainer) -> VideoStream | None:
    """Returns the first real picture stream; None in a file of sound alone, which may have a cover."""
    return next((s for s in container.streams.video if not s.disposition & ATTACHED), None)


def check_size(width: int, height: int, limits: Limits) -> None:
    """Checks a frame's size.

    Raises:
        AnonymizerError: media_corrupt or media_too_large.
    """
    if width <= 0 or height <= 0:
        raise AnonymizerError("media_corrupt")
    if width * height > limits.max_frame_pixels:
        raise AnonymizerError("media_too_large")


def has_decoder(stream: Stream, allowed: frozenset[str]) -> bool:
    """Tells whether a stream has a decoder on the list."""
    return _has_context(stream) and stream.codec_context.codec.name in allowed


def _has_context(stream: Stream) -> bool:
    # PyAV types the context as always there; it is None where FFmpeg has no decoder.
    context: object = stream.codec_context
    return context is not None


def _refuse_to_open(*_: object) -> NoReturn:
    raise AnonymizerError("media_unsupported", "It refers to another file.")
