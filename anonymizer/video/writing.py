"""H.264 and AAC in a plain MP4 that holds nothing but pictures and sound.

No creation time (but the month, where a policy keeps it), no encoder's name, no captions, no supplemental
messages (x264 signs its work in one), no handler names but the muxer's neutral ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import BinaryIO, Final, cast

import av
from av.audio.stream import AudioStream
from av.bitstream import BitStreamFilterContext
from av.codec.context import Flags as CodecFlags
from av.container.core import Flags as ContainerFlags
from av.container.output import OutputContainer
from av.packet import Packet
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from anonymizer.errors import AnonymizerError
from anonymizer.modes import Mode
from anonymizer.sound.track import Form
from anonymizer.video.picture import PIXEL_FORMAT, Picture
from anonymizer.video.streams import Sink

H264_SUPPLEMENTAL_MESSAGE: Final = 6
# One clock for all: the original's tells which camera or program wrote it (a phone 600 ticks, an editor
# 30,000). 2^7 * 3^2 * 5^4 holds every usual rate exactly, and milliseconds; other times move by less than a
# microsecond. A finer one would not hold a slide of half an hour: MP4 counts a frame's ticks in 31 bits.
TICKS_PER_SECOND: Final = 720_000
# Pictures a second under which none is coded out of turn: what waits for several slides to be shown waits for
# more than 31 bits of ticks.
SLIDES: Final = Fraction(1, 60)


class Mp4Writer:
    """One MP4 being written.

    Attributes:
        time_base: seconds per tick of the pictures' times.
        sound: the AAC stream, or None.
    """

    def __init__(
        self,
        stream: BinaryIO,
        first: VideoFrame,
        mode: Mode,
        *,
        source: VideoStream,
        rate: Fraction,
        sound: Form | None,
        threads: int,
        transposed: bool,
        month: str | None = None,
    ) -> None:
        """Opens the encoders.

        Args:
            stream: writable and seekable.
            first: a plain frame, for its size and colours.
            mode: quality and speed.
            source: the original's pictures, for the shape of a pixel.
            rate: frames per second, for the encoder's rate control only.
            sound: the form of the sound, where there is any.
            threads: the encoder's.
            transposed: whether the picture was turned by a quarter, and with it its pixels.
            month: of capture, such as "2019-08", where the result shall say it.
        """
        self._sink = Sink(stream)
        self.time_base = Fraction(1, TICKS_PER_SECOND)
        self._container = av.open(
            self._sink,
            "w",
            format="mp4",
            container_options={
                # Edit lists count in movie ticks: with a picture's tick, no start or end is rounded.
                "movie_timescale": str(TICKS_PER_SECOND),
                "video_track_timescale": str(TICKS_PER_SECOND),
            },
        )
        self._container.flags |= cast("int", ContainerFlags.bitexact.value)
        if month is not None:
            self._container.metadata["date"] = month
        self._video = self._container.add_stream("libx264", rate=rate)
        self._set_up_video(first, mode, threads, _pixel_shape(source, transposed=transposed), rate)
        self.sound = add_sound(self._container, sound) if sound is not None else None
        self._container.start_encoding()
        self._strip = BitStreamFilterContext(
            f"filter_units=remove_types={H264_SUPPLEMENTAL_MESSAGE}", self._video
        )
        self._durations: dict[int, int] = {}

    def _set_up_video(
        self, first: VideoFrame, mode: Mode, threads: int, shape: Fraction | None, rate: Fraction
    ) -> None:
        context = self._video.codec_context
        context.width, context.height, context.pix_fmt = first.width, first.height, PIXEL_FORMAT
        context.time_base = self.time_base
        context.thread_count = threads
        context.color_range, context.colorspace = first.color_range, first.colorspace
        context.color_primaries, context.color_trc = first.color_primaries, first.color_trc
        if shape is not None:
            context.sample_aspect_ratio = shape
        context.flags |= CodecFlags.bitexact
        context.options = {"preset": mode.preset, "crf": str(mode.crf), "a53cc": "0", "udu_sei": "0"}
        if rate < SLIDES:
            context.options["bf"] = "0"

    def write(self, picture: Picture) -> None:
        """Encodes a picture; its time must be later than the last one's."""
        frame = picture.frame
        frame.pts, frame.time_base = picture.pts, self.time_base
        self._durations[picture.pts] = picture.duration
        self._mux_video(self._video.encode(frame))

    def finish(self) -> None:
        """Encodes what is left and completes the file."""
        self._mux_video(self._video.encode(None))
        for packet in self._strip.filter(None):
            self._mux_one(packet)
        self._container.close()

    def abandon(self) -> None:
        """Leaves the file as it is: unusable."""
        self._sink.closed = True
        self._container.close()

    def mux_sound(self, packets: Iterable[Packet[AudioStream]]) -> None:
        """Takes encoded sound."""
        for packet in packets:
            self._container.mux_one(packet)

    def _mux_video(self, packets: Iterable[Packet[VideoStream]]) -> None:
        for packet in packets:
            packet.duration = self._durations.pop(packet.pts or 0, 0)
            for stripped in self._strip.filter(packet):
                self._mux_one(stripped)

    def _mux_one(self, packet: Packet[VideoStream]) -> None:
        packet.stream = self._video
        packet.time_base = self.time_base
        try:
            self._container.mux_one(packet)
        except av.PatchWelcomeError:
            # Pictures so far apart that what lies between decoding and showing one does not fit in 31 bits.
            raise AnonymizerError("media_unsupported") from None


def add_sound(container: OutputContainer, form: Form) -> AudioStream:
    """Adds a stream that says nothing of its encoder: AAC, or FLAC."""
    if form.lossless:
        flac = container.add_stream("flac", rate=form.rate, layout=form.layout)
        flac.codec_context.format = "s32"
        flac.codec_context.flags |= CodecFlags.bitexact
        return flac
    sound = container.add_stream("aac", rate=form.rate, layout=form.layout)
    sound.codec_context.bit_rate = form.bit_rate
    sound.codec_context.flags |= CodecFlags.bitexact
    return sound


def _pixel_shape(source: VideoStream, *, transposed: bool) -> Fraction | None:
    shape = source.sample_aspect_ratio
    if not shape or shape <= 0 or shape == 1:
        return None
    return 1 / shape if transposed else shape
