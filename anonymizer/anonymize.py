"""The one entry: a stream in, a stream out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

import cv2

from anonymizer.detect.finders import Finder, open_finders
from anonymizer.effects.casting import Cast, OnScene
from anonymizer.effects.operator import Cover, Scene
from anonymizer.enrolled.collecting import Collecting, Collector
from anonymizer.enrolled.embedding import FaceEmbedder
from anonymizer.enrolled.gallery import Gallery
from anonymizer.enrolled.portraits import open_gallery, open_portraits
from anonymizer.enrolled.recognizing import recognition_of
from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format, sniff
from anonymizer.intake.wholeness import check_whole
from anonymizer.keeping import Keeper
from anonymizer.leaks.again import Freedom, wider
from anonymizer.leaks.floors import can_mend, misses
from anonymizer.models import Models
from anonymizer.native.passing import UntouchedKeeper
from anonymizer.native.telling import Committer, FrameTeller, tell_sound
from anonymizer.report import Progress, Report
from anonymizer.review.review import Review
from anonymizer.review.session import Session
from anonymizer.settings import Limits, Settings
from anonymizer.sound.alone import is_sound_alone, transform_sound
from anonymizer.sound.job import SoundJob
from anonymizer.still import transform_still
from anonymizer.video.transform import Job, transform_video

# OpenCV's worker threads would be created in the warm parent and be missing in its children.
cv2.setNumThreads(1)


def anonymize(
    source: BinaryIO,
    sink: BinaryIO,
    *,
    settings: Settings,
    models: Models,
    limits: Limits,
    on_progress: Callable[[Progress], None] | None = None,
    review: Review | None = None,
    keeper: Keeper | None = None,
    committer: Committer | None = None,
    untouched: UntouchedKeeper | None = None,
    collector: Collector | None = None,
) -> Report:
    """Anonymizes one video or still, and attacks the result.

    A result that does not hold is made once more, wider and more sensitive (anonymizer/leaks).

    Reads and writes nothing but the two streams, and opens no file. Needs no thread to exist beforehand.

    Args:
        source: the original: readable, seekable, binary; read from its start.
        sink: takes the result: writable, readable (a video is read back), seekable, binary, empty.
        settings: what to do.
        models: from load_models.
        limits: what it may cost.
        on_progress: called now and then, in this thread, and once at the end.
        review: is given a record and a sheet, and may bring an earlier record and decisions.
        keeper: is given what is covered, and may keep it.
        committer: is told what the original is made of, once.
        untouched: is shown every frame before and after, where the settings ask for evidence.
        collector: is given vectors of all faces or voices that are followed.

    Returns:
        Counts and times. Only when it returns is the sink's content a result.

    Raises:
        AnonymizerError: the media could not be anonymized, or the result does not hold; the sink has been
            emptied.
        Exception: whatever the two streams and the keeper themselves raise, unchanged.
    """
    try:
        kind = sniff(source)
        check_whole(source, kind, limits)
        alone = kind.may_be_sound and is_sound_alone(source, kind, limits)
        gallery = None if alone else open_gallery(models, settings)
        if settings.evidence and (kind.is_still or alone):
            raise AnonymizerError("evidence_impossible")
        job = _Job(
            source,
            sink,
            kind,
            models,
            limits,
            on_progress,
            review,
            keeper,
            gallery,
            alone,
            _told(source, kind, limits, committer),
            untouched if settings.evidence else None,
            collector,
            None if alone else _embedder(models, settings, gallery, collector),
        )
        report = job.make(settings)
        missed = _misses(report, settings)
        if not missed:
            return report
        _raise_the_worst([code for code in missed if not can_mend(code, settings)])
        for stream in (source, sink):
            stream.seek(0)
        sink.truncate()
        for told in (keeper, job.untouched):
            if told is not None:
                told.again()
        again = job.make(wider(settings, models, job.freedom, missed))
        _raise_the_worst(_misses(again, settings))
        return _after(report, again)
    except AnonymizerError:
        sink.seek(0)
        sink.truncate()
        raise


def _misses(report: Report, settings: Settings) -> tuple[str, ...]:
    return () if report.leaks is None else misses(report.leaks, settings.leaks)


def _raise_the_worst(missed: Sequence[str]) -> None:
    if missed:
        raise AnonymizerError(missed[0])


def _after(first: Report, again: Report) -> Report:
    """Returns the report of a result that was covered twice: its own figures, and the time of both rounds."""
    seconds = {name: spent + first.stage_seconds[name] for name, spent in again.stage_seconds.items()}
    if again.leaks is None or first.leaks is None:
        raise AssertionError("every result is attacked")
    leaks = replace(again.leaks, rounds=2, seconds=again.leaks.seconds + first.leaks.seconds)
    return replace(again, stage_seconds=seconds, leaks=leaks)


@dataclass(frozen=True)
class _Job:
    """What stays the same for both rounds of a job."""

    source: BinaryIO
    sink: BinaryIO
    kind: Format
    models: Models
    limits: Limits
    on_progress: Callable[[Progress], None] | None
    review: Review | None
    keeper: Keeper | None
    gallery: Gallery | None
    is_sound_alone: bool
    committers: Iterator[Committer]
    untouched: UntouchedKeeper | None
    collector: Collector | None
    embedder: FaceEmbedder | None

    @property
    def freedom(self) -> Freedom:
        """What a second round may change."""
        if self.review is None:
            return "all"
        return "covers alone" if self.review.replays else "not the times"

    def make(self, settings: Settings) -> Report:
        """Makes and attacks the result once, from the beginning of the source."""
        kind, models = self.kind, self.models
        if self.collector is not None:
            self.collector.begin()
        # A finer encoding covers the same as the first, and only the first one is told to the keeper.
        keepers = iter([self.keeper])

        def opened(on_scene: OnScene | None) -> tuple[Session, Cast]:
            session = self._session(settings)
            session.keeper = next(keepers, None)
            hears = _both(on_scene, session.keeper)
            return session, Cast(models, settings, hears, also=session.wanted)

        if kind.is_still:
            report = transform_still(
                self.source,
                kind,
                self.sink,
                settings,
                self.limits,
                *opened(None),
                models,
                next(self.committers, None),
            )
            if self.on_progress is not None:
                self.on_progress(Progress(1, 1, 0.0))
            return report
        replayed = self.review.replayed_turns if self.review is not None else None
        hears_voices = self.collector is not None and self.collector.kind == "voice"
        voices = self.collector.voices if self.collector is not None and hears_voices else None
        sound = SoundJob(settings, self.limits, models, self.review is not None, replayed, voices)
        if self.is_sound_alone:

            def open_session() -> Session:
                return opened(None)[0]

            return transform_sound(self.source, kind, self.sink, sound, open_session, self.on_progress)
        job = Job(
            settings,
            self.limits,
            opened,
            models.device,
            self.on_progress,
            sound,
            self._teller,
            self.untouched,
        )
        return transform_video(self.source, kind, self.sink, job)

    def _teller(self) -> FrameTeller | None:
        committer = next(self.committers, None)
        return FrameTeller(committer) if committer is not None else None

    def _session(self, settings: Settings) -> Session:
        def look() -> tuple[Finder, ...]:
            if self.is_sound_alone:
                return ()
            return open_finders(self.models, settings, is_still=self.kind.is_still)

        recognition = recognition_of(self.gallery, is_still=self.kind.is_still)
        if self.collector is not None and self.embedder is not None:
            recognition = Collecting(recognition, self.embedder, self.collector)
        if self.review is not None:
            return self.review.open(settings, look, recognition)
        return Session(
            look(), as_role=settings.as_role, recognition=recognition, roles=settings.roles_enrolled
        )


def _embedder(
    models: Models, settings: Settings, gallery: Gallery | None, collector: Collector | None
) -> FaceEmbedder | None:
    """What makes vectors for a collector of faces; what recognizes who is enrolled serves for both."""
    if collector is None or collector.kind != "face":
        return None
    return gallery.embedder if gallery is not None else open_portraits(models, settings.threads)[0]


def _told(source: BinaryIO, kind: Format, limits: Limits, committer: Committer | None) -> Iterator[Committer]:
    """Tells the sound at once; gives who is to be told the pictures, for the first passage alone."""
    if committer is None:
        return iter(())
    if not kind.is_still:
        tell_sound(source, kind, limits, committer)
    return iter([committer])


def _both(on_scene: OnScene | None, keeper: Keeper | None) -> OnScene | None:
    if keeper is None:
        return on_scene
    covered = keeper.covered

    def hear(scene: Scene, covers: Sequence[Cover]) -> None:
        if on_scene is not None:
            on_scene(scene, covers)
        covered(scene, covers)

    return hear
