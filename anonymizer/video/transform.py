"""The whole way of one video: decode, make plain, find and cover, encode."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from time import perf_counter
from typing import BinaryIO, Literal

from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

from anonymizer.detect.contract import Detector
from anonymizer.detect.looking import Looker
from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.report import Progress, Report, Stopwatch
from anonymizer.settings import MODES, Limits, Settings
from anonymizer.video.covering import Coverer
from anonymizer.video.picture import Picture, Plain, display_matrix, orientation
from anonymizer.video.reading import Reader, start_of, time_of
from anonymizer.video.sound import SoundTrack
from anonymizer.video.writing import Mp4Writer

PROGRESS_EVERY_SECONDS = 0.1
# Two frames with one time are set a tick apart; a frame this far behind its predecessor is damage.
MAX_SECONDS_BACK = 1

OnProgress = Callable[[Progress], None]


@dataclass(frozen=True)
class Job:
    """What stays the same for every video of one kind of job."""

    settings: Settings
    limits: Limits
    detector: Detector
    device: str
    on_progress: OnProgress | None


def transform_video(source: BinaryIO, kind: Format, sink: BinaryIO, job: Job) -> Report:
    """Anonymizes one video into an MP4.

    Raises:
        AnonymizerError: with one of the media codes, or detector_failed.
        Exception: whatever the two streams themselves raise.
    """
    reader = Reader(source, kind, job.limits, job.settings.threads)
    try:
        return _Passage(reader, sink, job).run()
    finally:
        reader.close()


class _Passage:
    """One video on its way through."""

    def __init__(self, reader: Reader, sink: BinaryIO, job: Job) -> None:
        self._reader = reader
        self._sink = sink
        self._job = job
        self._watch = Stopwatch()
        self._keeps_sound = job.settings.audio == "keep" and reader.sound is not None
        if self._keeps_sound:
            reader.require_sound_decoder()
        mode, faces = MODES[job.settings.mode], job.settings.faces
        looker = Looker(job.detector, mode.scales, faces.threshold, faces.passes)
        self._coverer = Coverer(looker, faces, mode.stride, job.limits.max_buffer_bytes, self._watch)
        self._plain = Plain()
        self._clock = _Clock(job.limits)
        self._meter = _Meter(job.on_progress, reader.frames_expected)

    def run(self) -> Report:
        """Goes from the first frame to the last."""
        reader = self._reader
        frames = self._timed(reader.frames(with_sound=self._keeps_sound))
        begins, first, sound_ahead = start_of(frames, reader.sound if self._keeps_sound else None)
        plain = self._plain.frame_of(first)
        writer = Mp4Writer(
            self._sink,
            plain,
            MODES[self._job.settings.mode],
            source=reader.video,
            rate=reader.frame_rate,
            sound_source=reader.sound if self._keeps_sound else None,
            threads=self._job.settings.threads,
            transposed=orientation(display_matrix(first))[0],
        )
        try:
            self._pass_all(frames, first, plain, writer, begins, sound_ahead)
        except BaseException:
            writer.abandon()
            raise
        return self._report(plain)

    def _pass_all(
        self,
        frames: Iterator[VideoFrame | AudioFrame],
        first: VideoFrame,
        plain: VideoFrame,
        writer: Mp4Writer,
        begins: Fraction,
        sound_ahead: deque[AudioFrame],
    ) -> None:
        sound = None
        if writer.sound is not None:
            longest = self._job.limits.max_duration_seconds
            sound = SoundTrack(writer.sound, begins, longest, writer.mux_sound)
        self._clock.start(first, begins, writer.time_base)
        self._push(self._clock.picture(first, plain), writer)
        while sound is not None and sound_ahead:
            self._write_sound(sound, sound_ahead.popleft())
        for frame in frames:
            if isinstance(frame, VideoFrame):
                with self._watch.stage("decode"):
                    picture = self._clock.picture(frame, self._plain.frame_of(frame))
                self._push(picture, writer)
            elif sound is not None:
                self._write_sound(sound, frame)
        for covered in self._coverer.flush():
            self._write(covered, writer)
        with self._watch.stage("audio"):
            if sound is not None:
                sound.finish()
        with self._watch.stage("encode"):
            writer.finish()
        self._meter.finish()

    def _push(self, picture: Picture, writer: Mp4Writer) -> None:
        for covered in self._coverer.push(picture):
            self._write(covered, writer)

    def _write(self, picture: Picture, writer: Mp4Writer) -> None:
        with self._watch.stage("encode"):
            writer.write(picture)
        self._meter.count()

    def _write_sound(self, sound: SoundTrack, frame: AudioFrame) -> None:
        with self._watch.stage("audio"):
            sound.write(frame)

    def _timed(self, frames: Iterator[VideoFrame | AudioFrame]) -> Iterator[VideoFrame | AudioFrame]:
        while True:
            with self._watch.stage("decode"):
                frame = next(frames, None)
            if frame is None:
                return
            yield frame

    def _report(self, plain: VideoFrame) -> Report:
        sound: Literal["removed", "kept", "none"] = "none"
        if self._reader.sound is not None:
            sound = "kept" if self._keeps_sound else "removed"
        return Report(
            media_type="video/mp4",
            width=plain.width,
            height=plain.height,
            frames=self._clock.frames,
            frames_with_faces=self._coverer.frames_with_faces,
            tracks=self._coverer.tracks,
            audio=sound,
            duration_seconds=self._clock.duration_seconds,
            device=self._job.device,
            stage_seconds=dict(self._watch.seconds),
        )


class _Clock:
    """Carries times from the original's ticks to the result's, exactly, and counts frames."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._first = self._offset = Fraction(0)
        self._tick = Fraction(1)
        self._last_pts: int | None = None
        self._last_duration = 0
        self._first_pts = 0
        self.frames = 0

    def start(self, first: VideoFrame, begins: Fraction, tick: Fraction) -> None:
        self._first, self._tick = time_of(first), tick
        # Rounded once, for the first frame: the times between frames stay exact.
        self._offset = Fraction(round((self._first - begins) / tick))

    def picture(self, decoded: VideoFrame, plain: VideoFrame) -> Picture:
        since_first = time_of(decoded) - self._first
        self.frames += 1
        if self.frames > self._limits.max_frames or since_first > self._limits.max_duration_seconds:
            raise AnonymizerError("media_too_long")
        pts = round(since_first / self._tick + self._offset)
        if self._last_pts is None:
            self._first_pts = pts
        elif pts <= self._last_pts:
            if (self._last_pts - pts) * self._tick > MAX_SECONDS_BACK:
                raise AnonymizerError("media_corrupt")
            pts = self._last_pts + 1
        given = round(decoded.duration * (decoded.time_base or 0) / self._tick)
        usual = pts - self._last_pts if self._last_pts is not None else 0
        self._last_pts, self._last_duration = pts, given if given > 0 else max(usual, 1)
        return Picture(plain, pts, self._last_duration, float((pts - self._first_pts) * self._tick))

    @property
    def duration_seconds(self) -> float:
        ticks = (self._last_pts or 0) - self._first_pts + self._last_duration
        return float(ticks * self._tick)


class _Meter:
    """Tells how far the job has come, now and then."""

    def __init__(self, on_progress: OnProgress | None, total: int) -> None:
        self._on_progress = on_progress
        self._total = total
        self._done = 0
        self._began = perf_counter()
        self._told = 0.0

    def count(self) -> None:
        self._done += 1
        now = perf_counter()
        if self._done == 1 or now - self._told >= PROGRESS_EVERY_SECONDS:
            self._told = now
            self._tell(now)

    def finish(self) -> None:
        self._total = self._done
        self._tell(perf_counter())

    def _tell(self, now: float) -> None:
        if self._on_progress is not None:
            rate = self._done / max(now - self._began, 1e-6)
            self._on_progress(Progress(self._done, max(self._total, self._done if self._total else 0), rate))
