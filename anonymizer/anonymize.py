"""The one entry: a stream in, a stream out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import BinaryIO

import cv2

from anonymizer.detect.finders import Finder, open_finders
from anonymizer.effects.casting import Cast, OnScene
from anonymizer.effects.operator import Cover, Scene
from anonymizer.enrolled.portraits import open_gallery
from anonymizer.enrolled.recognizing import recognition_of
from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import sniff
from anonymizer.intake.wholeness import check_whole
from anonymizer.keeping import Keeper
from anonymizer.models import Models
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
) -> Report:
    """Anonymizes one video or still.

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

    Returns:
        Counts and times. Only when it returns is the sink's content a result.

    Raises:
        AnonymizerError: the media could not be anonymized; the sink has been emptied.
        Exception: whatever the two streams and the keeper themselves raise, unchanged.
    """
    # A second passage covers the same as the first, and only the first one is told to the keeper.
    keepers = iter([keeper])
    try:
        kind = sniff(source)
        check_whole(source, kind, limits)

        alone = kind.may_be_sound and is_sound_alone(source, kind, limits)
        gallery = None if alone else open_gallery(models, settings)

        def opened(on_scene: OnScene | None) -> tuple[Session, Cast]:
            def look() -> tuple[Finder, ...]:
                return () if alone else open_finders(models, settings, is_still=kind.is_still)

            recognition = recognition_of(gallery, is_still=kind.is_still)
            if review is not None:
                session = review.open(settings, look, recognition)
            else:
                session = Session(
                    look(),
                    as_role=settings.as_role,
                    recognition=recognition,
                    roles=settings.roles_enrolled,
                )
            session.keeper = next(keepers, None)
            hears = _both(on_scene, session.keeper)
            return session, Cast(models, settings, hears, also=session.wanted)

        if kind.is_still:
            report = transform_still(source, kind, sink, settings, limits, *opened(None), models.device)
            if on_progress is not None:
                on_progress(Progress(1, 1, 0.0))
            return report
        replayed = review.replayed_turns if review is not None else None
        sound = SoundJob(settings, limits, models, review is not None, replayed)
        if alone:
            return transform_sound(source, kind, sink, sound, lambda: opened(None)[0], on_progress)
        job = Job(settings, limits, opened, models.device, on_progress, sound)
        return transform_video(source, kind, sink, job)
    except AnonymizerError:
        sink.seek(0)
        sink.truncate()
        raise


def _both(on_scene: OnScene | None, keeper: Keeper | None) -> OnScene | None:
    if keeper is None:
        return on_scene
    covered = keeper.covered

    def hear(scene: Scene, covers: Sequence[Cover]) -> None:
        if on_scene is not None:
            on_scene(scene, covers)
        covered(scene, covers)

    return hear
