"""What a job tells about itself: counts and times, never content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter

from anonymizer.leaks.figures import Leaks
from anonymizer.quality.figures import Quality
from anonymizer.settings import Kind
from anonymizer.sound.figures import AudioWord, SoundFigures


@dataclass(frozen=True)
class Progress:
    """How far a job has come.

    Attributes:
        frames_done: frames written.
        frames_total: frames expected, an estimate from the container; 0 when not known.
        frames_per_second: since the first frame.
    """

    frames_done: int
    frames_total: int
    frames_per_second: float


@dataclass(frozen=True)
class Report:
    """What was done.

    Attributes:
        media_type: of the result, for example video/mp4.
        width, height: of the result, in pixels.
        frames: frames written.
        frames_with: frames in which something of a kind was covered, for each kind that was sought.
        tracks_of: things followed, by kind, each counted once from its appearance to its loss.
        audio: the weakest thing that happened to any of the sound; none where the original had none.
        duration_seconds: from the first frame to the end of the last; 0 for a still.
        device: cpu or cuda.
        stage_seconds: time spent by stage: decode, commit, detect, cover, encode, audio, check, attack.
        quality: of a video, read back; None for a still.
        recognized: in how many frames, and on how many tracks, a face was covered otherwise, or not at all,
            because it was recognized as that of somebody who is enrolled.
        sound: what happened to the sound, where it was listened to and not let through as it is.
        leaks: what the attack on the finished result found.
    """

    media_type: str
    width: int
    height: int
    frames: int
    frames_with: Mapping[Kind, int]
    tracks_of: Mapping[Kind, int]
    audio: AudioWord
    duration_seconds: float
    device: str
    stage_seconds: Mapping[str, float]
    quality: Quality | None = None
    recognized: tuple[int, int] = (0, 0)
    sound: SoundFigures | None = None
    leaks: Leaks | None = None

    @property
    def frames_with_faces(self) -> int:
        """Frames in which a face was covered."""
        return self.frames_with["face"]

    @property
    def tracks(self) -> int:
        """Faces followed."""
        return self.tracks_of["face"]


@dataclass
class Stopwatch:
    """Adds up the time that each stage takes in the thread that runs it."""

    seconds: dict[str, float] = field(
        default_factory=lambda: dict.fromkeys(
            ("decode", "commit", "detect", "cover", "encode", "audio", "check", "attack"), 0.0
        )
    )

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Counts the time inside the block towards a stage."""
        started = perf_counter()
        try:
            yield
        finally:
            self.seconds[name] += perf_counter() - started


PROGRESS_EVERY_SECONDS = 0.1


class Meter:
    """Tells how far the job has come, now and then."""

    def __init__(self, on_progress: Callable[[Progress], None] | None, total: int) -> None:
        """Takes whom to tell, and how many frames are expected; 0 when not known."""
        self._on_progress = on_progress
        self._total = total
        self._began = perf_counter()
        self._told = 0.0

    def tell_if_due(self, done: int) -> None:
        """Tells how many frames are done, unless it was told a moment ago."""
        now = perf_counter()
        if done and now - self._told >= PROGRESS_EVERY_SECONDS:
            self._told = now
            self._tell(done, max(self._total, done) if self._total else 0, now)

    def tell_the_end(self, done: int) -> None:
        """Tells that all frames are done."""
        self._tell(done, done, perf_counter())

    def _tell(self, done: int, total: int, now: float) -> None:
        if self._on_progress is not None:
            self._on_progress(Progress(done, total, done / max(now - self._began, 1e-6)))
