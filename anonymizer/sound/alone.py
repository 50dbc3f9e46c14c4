"""A file of sound alone: its voices changed, into an M4A that says nothing else.

AAC in MP4, as the sound of a video: every phone and browser plays it, and content credentials fit into it.
What a policy says of pictures has nothing to act upon; a cover, a title and a speaker's name are gone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fractions import Fraction
from itertools import chain
from time import perf_counter
from typing import BinaryIO, Final, cast

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container.core import Flags as ContainerFlags
from av.packet import Packet

from anonymizer.errors import AnonymizerError
from anonymizer.intake.captured import month_of_video
from anonymizer.intake.sniff import Format
from anonymizer.leaks.attack import Finished, attack_sound
from anonymizer.quality.figures import MOST_SOUND_OFF_MS, Check, MadeSound, Quality
from anonymizer.report import Progress, Report, Stopwatch
from anonymizer.review.session import Session
from anonymizer.settings import Limits
from anonymizer.sound.figures import AudioWord, SoundFigures, word_of
from anonymizer.sound.job import SoundJob
from anonymizer.sound.listening import Heard
from anonymizer.sound.making import Maker
from anonymizer.sound.reading import SoundReader
from anonymizer.sound.track import Form, SoundTrack, form_of
from anonymizer.video.opening import Opener, picture_stream
from anonymizer.video.reading import time_of
from anonymizer.video.streams import Sink, Source
from anonymizer.video.writing import TICKS_PER_SECOND, add_sound

MEDIA_TYPE: Final = "audio/mp4"
PROGRESS_EVERY_SECONDS: Final = 0.5


def is_sound_alone(source: BinaryIO, kind: Format, limits: Limits) -> bool:
    """Tells whether a file holds sound and no picture, and leaves the stream at its start.

    Raises:
        AnonymizerError: see Opener.open.
    """
    container = Opener(Source(source), kind, limits).open()
    try:
        return picture_stream(container) is None and bool(container.streams.audio)
    finally:
        container.close()
        source.seek(0)


def transform_sound(
    source: BinaryIO,
    kind: Format,
    sink: BinaryIO,
    job: SoundJob,
    open_session: Callable[[], Session],
    on_progress: Callable[[Progress], None] | None,
) -> Report:
    """Anonymizes a file of sound alone, and reads the result back.

    Raises:
        AnonymizerError: with one of the media codes, media_no_video also where all sound is to be removed and
            nothing would be left; model_missing, detector_failed or result_unreadable.
        Exception: whatever the two streams themselves raise.
    """
    if not job.settings.hears:
        raise AnonymizerError("media_no_video", "It holds sound alone, and all of that is to be removed.")
    began = perf_counter()
    watch = Stopwatch()
    session = open_session()
    heard: Heard | None = None
    if job.listens:
        with watch.stage("audio"):
            heard = _listen(source, kind, job)
        if heard is None:
            raise AnonymizerError("media_empty")
    plan = job.plan(heard, session) if heard is not None else None
    maker = job.maker(heard, plan) if heard is not None and plan is not None else None
    with watch.stage("encode"):
        track, month = _make(source, kind, sink, job, maker, on_progress)
    figures = maker.figures if maker is not None else None
    with watch.stage("check"):
        quality = _check(sink, track, figures)
    with watch.stage("attack"):
        listens = job.attack(sink, heard, plan)
        seconds = perf_counter() - began
        leaks = attack_sound(Finished(sink, MEDIA_TYPE, month, seconds, listens), job.settings)
    session.finish(0, 0, 0, ())
    if on_progress is not None:
        on_progress(Progress(0, 0, 0.0))
    audio: AudioWord = "kept" if figures is None else word_of(figures)
    return Report(
        media_type=MEDIA_TYPE,
        width=0,
        height=0,
        frames=0,
        frames_with=dict.fromkeys(job.settings.sought, 0),
        tracks_of=dict.fromkeys(job.settings.sought, 0),
        audio=audio,
        duration_seconds=float((track.span[1] or 0) - (track.span[0] or 0)),
        device=job.models.device,
        stage_seconds=dict(watch.seconds),
        quality=quality,
        sound=figures,
        leaks=leaks,
    )


def _listen(source: BinaryIO, kind: Format, job: SoundJob) -> Heard | None:
    reader = SoundReader(source, kind, job.limits)
    try:
        begins, frames = _begun(reader)
        return job.listen(frames, begins)
    finally:
        reader.close()
        source.seek(0)


def _make(
    source: BinaryIO,
    kind: Format,
    sink: BinaryIO,
    job: SoundJob,
    maker: Maker | None,
    on_progress: Callable[[Progress], None] | None,
) -> tuple[SoundTrack, str | None]:
    """Returns what was written, and the month that the file says."""
    reader = SoundReader(source, kind, job.limits)
    try:
        begins, frames = _begun(reader)
        month = month_of_video(reader.tags) if job.settings.captured == "month" else None
        writer = _Writer(sink, form_of(reader.sound, maker), month)
        try:
            track = SoundTrack(writer.sound, begins, job.limits.max_duration_seconds, writer.mux, maker)
            told = perf_counter()
            for frame in frames:
                track.write(frame)
                if on_progress is not None and perf_counter() - told >= PROGRESS_EVERY_SECONDS:
                    told = perf_counter()
                    on_progress(Progress(0, 0, 0.0))
            track.finish()
        except BaseException:
            writer.abandon()
            raise
        writer.finish()
        return track, month
    finally:
        reader.close()


def _begun(reader: SoundReader) -> tuple[Fraction, Iterator[AudioFrame]]:
    """Returns when a track begins on its own clock, and its frames.

    Raises:
        AnonymizerError: media_empty, where there is none.
    """
    frames = reader.frames()
    first = next(frames, None)
    if first is None:
        raise AnonymizerError("media_empty")
    return time_of(first), chain([first], frames)


class _Writer:
    """One M4A being written."""

    def __init__(self, stream: BinaryIO, form: Form, month: str | None) -> None:
        self._sink = Sink(stream)
        self._container = av.open(
            self._sink,
            "w",
            format="mp4",
            container_options={"movie_timescale": str(TICKS_PER_SECOND)},
        )
        self._container.flags |= cast("int", ContainerFlags.bitexact.value)
        if month is not None:
            self._container.metadata["date"] = month
        self.sound = add_sound(self._container, form)
        self._container.start_encoding()

    def mux(self, packets: Iterable[Packet[AudioStream]]) -> None:
        for packet in packets:
            self._container.mux_one(packet)

    def finish(self) -> None:
        self._container.close()

    def abandon(self) -> None:
        self._sink.closed = True
        self._container.close()


def _check(sink: BinaryIO, track: SoundTrack, figures: SoundFigures | None) -> Quality:
    """Reads every packet of the result.

    Raises:
        AnonymizerError: result_unreadable.
    """
    sink.seek(0)
    begins, ends, size = Fraction(0), Fraction(0), 0
    try:
        with av.open(sink, "r", format="mp4") as container:
            sound = container.streams.audio[0]
            frame = Fraction(sound.codec_context.frame_size or 0, sound.codec_context.sample_rate)
            for packet in container.demux(sound):
                if packet.pts is None or packet.size == 0:
                    continue
                tick = packet.time_base or Fraction(0)
                begins = min(begins, packet.pts * tick)
                ends = max(ends, (packet.pts + (packet.duration or 0)) * tick)
                size += packet.size
    except (av.FFmpegError, IndexError):
        raise AnonymizerError("result_unreadable") from None
    wanted_begins, wanted_ends = track.span
    # What the encoder puts before and after the sound, to fill its packets, is no shift.
    early = max(abs(begins - (wanted_begins or 0)) - frame, Fraction(0))
    late = max(abs(ends - (wanted_ends or 0)) - 2 * frame, Fraction(0))
    made, off = MadeSound.of(figures), round(1000 * max(early, late))
    held: dict[Check, bool] = {"sound": off <= MOST_SOUND_OFF_MS, **made.held}
    return Quality(
        encodings=1,
        frames_missing=0,
        duration_off_ms=off,
        sound_off_ms=off,
        frames_read=0,
        frames_black=0,
        frames_frozen=0,
        ssim=None,
        ssim_worst=None,
        cover_gaps=0,
        bits_per_second=round(size * 8 / float(max(ends - begins, Fraction(1, 1000)))),
        original_bits_per_second=0,
        short=tuple(sorted(check for check, holds in held.items() if not holds)),
        lip_sync_off_ms=made.lip_sync_off_ms,
        loudness_off_lu=made.loudness_off_lu,
        sound_clicks=made.sound_clicks,
    )
