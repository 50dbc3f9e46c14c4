"""The whole way of one video: decode, make plain, find and cover, encode."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from time import perf_counter
from typing import BinaryIO

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from anonymizer.camera.suppressing import Suppressor
from anonymizer.effects.casting import Cast, OnScene
from anonymizer.effects.operator import Cover, Scene
from anonymizer.intake.captured import month_of_video
from anonymizer.intake.sniff import Format
from anonymizer.leaks.attack import Attack, AttackVoices, Finished
from anonymizer.modes import MODES, Mode
from anonymizer.native.passing import Passing, UntouchedKeeper
from anonymizer.native.telling import FrameTeller
from anonymizer.quality.figures import LEAST_SSIM, Expected, Quality, judged
from anonymizer.quality.readback import Contents, read_back
from anonymizer.quality.witness import Witness
from anonymizer.report import Meter, Progress, Report, Stopwatch
from anonymizer.review.deciding import Decided
from anonymizer.review.session import Session
from anonymizer.settings import Limits, Settings
from anonymizer.sound.figures import AudioWord, word_of
from anonymizer.sound.job import SoundJob
from anonymizer.sound.listening import Heard
from anonymizer.sound.making import Maker
from anonymizer.sound.reading import SoundReader
from anonymizer.sound.track import SoundTrack, form_of
from anonymizer.video.clock import Clock
from anonymizer.video.covering import Coverer
from anonymizer.video.lane import Lane
from anonymizer.video.picture import Picture, Plain, display_matrix, orientation
from anonymizer.video.reading import Reader, start_of
from anonymizer.video.writing import Mp4Writer

# Covered frames that wait for the encoder: as many as keep it busy while the detector looks, and no more
# than memory has room for.
WAITING_BYTES = 16 * 1024 * 1024
LEAST_WAITING, MOST_WAITING = 2, 8

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Job:
    """What stays the same for every video of one kind of job.

    Attributes:
        settings: what to do.
        limits: what it may cost.
        open: opens what finds and what covers, which remember one passage of one video; somebody else is
            shown every frame as well.
        device: cpu or cuda.
        on_progress: is told how far the job is.
        sound: what to do with the sound.
        teller: gives who tells the original's frames; None once they were told.
        untouched: is shown every frame before and after.
    """

    settings: Settings
    limits: Limits
    open: Callable[[OnScene], tuple[Session, Cast]]
    device: str
    on_progress: OnProgress | None
    sound: SoundJob
    teller: Callable[[], FrameTeller | None] = lambda: None
    untouched: UntouchedKeeper | None = None


def transform_video(source: BinaryIO, kind: Format, sink: BinaryIO, job: Job) -> Report:
    """Anonymizes one video into an MP4, reads it back, and makes it once more, finer, where it falls short.

    What is delivered then is attacked; what that says is in the report.

    Raises:
        AnonymizerError: with one of the media codes, detector_failed or result_unreadable.
        Exception: whatever the two streams themselves raise.
    """
    began = perf_counter()
    mode = MODES[job.settings.mode]
    if job.settings.lossless:
        mode = mode.lossless()
    heard, seconds_heard = _listen(source, kind, job)
    source.seek(0)
    passed = _pass_once(source, kind, sink, job, mode, heard)
    report = passed.report
    seconds = {**report.stage_seconds, "audio": report.stage_seconds["audio"] + seconds_heard}
    report = replace(report, stage_seconds=seconds)
    if report.quality is not None and report.quality.can_be_finer and not mode.is_lossless:
        # The frames are gone: memory holds a few of them at a time. So all is done again, from the original.
        for stream in (source, sink):
            stream.seek(0)
        sink.truncate()
        passed = _pass_once(source, kind, sink, job, mode.finer(), heard)
        report = _after(report, passed.report)
    return passed.attacked(report, perf_counter() - began)


def _after(first: Report, again: Report) -> Report:
    """Returns the report of a video that was encoded twice."""
    seconds = {name: spent + first.stage_seconds[name] for name, spent in again.stage_seconds.items()}
    quality = None if again.quality is None else replace(again.quality, encodings=2)
    return replace(again, quality=quality, stage_seconds=seconds)


def _listen(source: BinaryIO, kind: Format, job: Job) -> tuple[Heard | None, float]:
    """Hears the whole sound, where that must be; returns also for how many seconds it took."""
    if not job.sound.listens:
        return None, 0.0
    began = perf_counter()
    reader = Reader(source, kind, job.limits, job.settings.threads)
    try:
        if reader.sound is None:
            return None, 0.0
        reader.require_sound_decoder()
        begins, _, _ = start_of(reader.frames(with_sound=True), reader.sound)
    finally:
        reader.close()
    source.seek(0)
    sound = SoundReader(source, kind, job.limits)
    try:
        return job.sound.listen(sound.frames(), begins), perf_counter() - began
    finally:
        sound.close()


def _pass_once(
    source: BinaryIO, kind: Format, sink: BinaryIO, job: Job, mode: Mode, heard: Heard | None
) -> _Passed:
    reader = Reader(source, kind, job.limits, job.settings.threads)
    try:
        return _Passage(reader, sink, job, mode, heard).run()
    finally:
        reader.close()


@dataclass(frozen=True)
class _Passed:
    """A finished video, and what is needed to attack it."""

    report: Report
    sink: BinaryIO
    attack: Attack
    contents: Contents
    month: str | None
    attack_voices: AttackVoices | None

    def attacked(self, report: Report, job_seconds: float) -> Report:
        """Attacks it, if it is what is delivered; adds what was found to the job's report."""
        began = perf_counter()
        finished = Finished(self.sink, report.media_type, self.month, job_seconds, self.attack_voices)
        decode_seconds = self.report.stage_seconds["decode"] / max(1, self.report.frames)
        leaks = self.attack.on_video(finished, self.contents, decode_seconds)
        seconds = dict(report.stage_seconds)
        seconds["attack"] += perf_counter() - began
        return replace(report, leaks=leaks, stage_seconds=seconds)


class _Passage:
    """One video on its way through."""

    def __init__(self, reader: Reader, sink: BinaryIO, job: Job, mode: Mode, heard: Heard | None) -> None:
        self._reader = reader
        self._sink = sink
        self._job = job
        self._mode = mode
        self._watch = Stopwatch()
        # What was to be heard and could not be is let through by nobody.
        self._has_sound = job.settings.hears and reader.sound is not None
        self._has_sound &= heard is not None or not job.sound.listens
        if self._has_sound:
            reader.require_sound_decoder()
        self._witness = Witness()
        self._suppressor = Suppressor() if job.settings.sensor_noise == "suppress" else None
        self._shot = 0
        self._session, cast = job.open(self._see)
        self._maker: Maker | None = None
        plan = job.sound.plan(heard, self._session) if heard is not None else None
        if heard is not None and plan is not None:
            self._maker = job.sound.maker(heard, plan, self._session.keeper)
        self._attack_voices = job.sound.attack(sink, heard, plan)
        with self._watch.stage("attack"):
            self._attack = Attack(self._session, job.settings, job.sound.models)
        self._teller = job.teller()
        self._passing = Passing(job.untouched) if job.untouched is not None else None
        self._coverer = Coverer(
            self._session, cast, job.limits.max_buffer_bytes, self._watch, self._decided, self._painted
        )
        self._plain = Plain(as_decoded=job.settings.evidence)
        self._clock = Clock(job.limits)
        self._meter = Meter(job.on_progress, reader.frames_expected)

    def run(self) -> _Passed:
        """Goes from the first frame to the last."""
        reader = self._reader
        frames = self._timed(reader.frames(with_sound=self._has_sound))
        begins, first, sound_ahead = start_of(frames, reader.sound if self._has_sound else None)
        plain = self._plain.frame_of(first)
        month = month_of_video(reader.tags) if self._job.settings.captured == "month" else None
        writer = Mp4Writer(
            self._sink,
            plain,
            self._mode,
            source=reader.video,
            rate=reader.frame_rate,
            sound=form_of(reader.sound, self._maker) if self._has_sound and reader.sound else None,
            threads=self._job.settings.threads,
            transposed=orientation(display_matrix(first))[0],
            month=month,
        )
        frame_bytes = plain.width * plain.height * 3 // 2
        lane = Lane(min(MOST_WAITING, max(LEAST_WAITING, WAITING_BYTES // frame_bytes)))
        leave = _Exit(writer, lane, self._watch)
        try:
            self._pass_all(frames, first, plain, leave, begins, sound_ahead)
        except BaseException as failure:
            lane.abandon(failure)
            writer.abandon()
            raise
        with self._watch.stage("check"):
            contents, quality = self._check(leave)
        report = self._report(plain, quality)
        return _Passed(report, self._sink, self._attack, contents, month, self._attack_voices)

    def _pass_all(
        self,
        frames: Iterator[VideoFrame | AudioFrame],
        first: VideoFrame,
        plain: VideoFrame,
        leave: _Exit,
        begins: Fraction,
        sound_ahead: deque[AudioFrame],
    ) -> None:
        leave.begin_sound(begins, self._job.limits.max_duration_seconds, self._maker)
        self._clock.start(first, begins, leave.time_base)
        self._push(self._clock.picture(first, plain), leave)
        while sound_ahead:
            leave.sound(sound_ahead.popleft())
        for frame in frames:
            if isinstance(frame, AudioFrame):
                leave.sound(frame)
                continue
            with self._watch.stage("decode"):
                picture = self._clock.picture(frame, self._plain.frame_of(frame))
            self._push(picture, leave)
        self._leave(self._coverer.flush(), leave)
        leave.finish()
        self._meter.tell_the_end(leave.pictures_done)

    def _push(self, picture: Picture, leave: _Exit) -> None:
        self._leave(self._coverer.push(picture), leave)

    def _decided(self, scene: Scene, decided: Decided) -> None:
        self._attack.decided(scene, decided)
        if self._passing is not None:
            self._passing.decided(scene)

    def _painted(self, scene: Scene, decided: Decided) -> None:
        if self._passing is not None:
            self._passing.painted(scene, decided)

    def _see(self, scene: Scene, covers: Sequence[Cover]) -> None:
        self._shot = scene.shot
        self._witness.see(scene, covers)
        self._attack.see(scene, covers)

    def _leave(self, ready: Iterator[Picture], leave: _Exit) -> None:
        for covered in ready:
            if self._suppressor is not None:
                with self._watch.stage("cover"):
                    self._suppressor.apply(covered.planes, self._shot, covered.time)
            with self._watch.stage("cover"):
                self._session.film()
            self._witness.sent(covered, changed=self._suppressor is not None)
            self._attack.left(covered.time, covered.pts)
            leave.picture(covered)
            self._meter.tell_if_due(leave.pictures_done)

    def _check(self, leave: _Exit) -> tuple[Contents, Quality]:
        contents, looks = read_back(self._sink, self._witness, self._job.settings.threads)
        sound_begins, sound_ends, sound_frame = leave.sound_span
        expected = Expected(
            ends=self._clock.ends,
            sound_begins=sound_begins,
            sound_ends=sound_ends,
            sound_frame=sound_frame,
            original_picture_bytes=self._reader.picture_bytes,
            least_ssim=1.0 if self._mode.is_lossless else LEAST_SSIM[self._job.settings.mode],
        )
        figures = self._maker.figures if self._maker is not None else None
        return contents, judged(contents, looks, self._witness, expected, figures)

    def _timed(self, frames: Iterator[VideoFrame | AudioFrame]) -> Iterator[VideoFrame | AudioFrame]:
        while True:
            with self._watch.stage("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            if isinstance(frame, VideoFrame):
                self._tell(frame)
            yield frame

    def _tell(self, frame: VideoFrame) -> None:
        with self._watch.stage("commit"):
            if self._teller is not None:
                self._teller.tell(frame)
            if self._passing is not None:
                self._passing.decoded(frame)

    def _report(self, plain: VideoFrame, quality: Quality) -> Report:
        figures = self._maker.figures if self._maker is not None else None
        audio: AudioWord = "none"
        if self._reader.sound is not None and not self._job.settings.hears:
            audio = "removed"
        elif self._has_sound:
            audio = "kept" if figures is None else word_of(figures)
        return Report(
            media_type="video/mp4",
            width=plain.width,
            height=plain.height,
            frames=self._clock.frames,
            frames_with=dict(self._coverer.frames_with),
            tracks_of=dict(self._coverer.tracks),
            audio=audio,
            duration_seconds=self._clock.duration_seconds,
            device=self._job.device,
            stage_seconds=dict(self._watch.seconds),
            quality=quality,
            recognized=self._session.recognized,
            sound=figures,
        )


class _Exit:
    """Where covered pictures and sound leave: encoded in a thread of their own, in order."""

    def __init__(self, writer: Mp4Writer, lane: Lane, watch: Stopwatch) -> None:
        self._writer = writer
        self._lane = lane
        self._watch = watch
        self._sound: SoundTrack | None = None
        self.time_base = writer.time_base
        self.pictures_done = 0

    def begin_sound(self, begins: Fraction, max_seconds: float, maker: Maker | None) -> None:
        if self._writer.sound is not None:
            self._sound = SoundTrack(self._writer.sound, begins, max_seconds, self._writer.mux_sound, maker)

    @property
    def sound_span(self) -> tuple[Fraction | None, Fraction | None, Fraction]:
        """When the sound begins and ends, and how long one packet of it is, in seconds."""
        if self._sound is None or self._writer.sound is None:
            return None, None, Fraction(0)
        packet = Fraction(
            self._writer.sound.codec_context.frame_size, self._writer.sound.codec_context.sample_rate
        )
        return *self._sound.span, packet

    def picture(self, covered: Picture) -> None:
        self._lane.put(lambda: self._encode_picture(covered))

    def sound(self, frame: AudioFrame) -> None:
        self._lane.put(lambda: self._encode_sound(frame))

    def finish(self) -> None:
        self._lane.put(self._complete)
        self._lane.close()

    def _encode_picture(self, covered: Picture) -> None:
        with self._watch.stage("encode"):
            self._writer.write(covered)
        self.pictures_done += 1

    def _encode_sound(self, frame: AudioFrame) -> None:
        with self._watch.stage("audio"):
            if self._sound is not None:
                self._sound.write(frame)

    def _complete(self) -> None:
        with self._watch.stage("audio"):
            if self._sound is not None:
                self._sound.finish()
        with self._watch.stage("encode"):
            self._writer.finish()
