"""The attack on one passage's result: opened before it, told of every frame, run on the finished file.

A job may have several passages: an encoding that falls short is made again, finer, and what does not hold is
covered again, wider. Each has its own attack; the ones whose result is thrown away are never run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import BinaryIO, Final

from anonymizer.detect.contract import Image
from anonymizer.effects.operator import Cover, Scene
from anonymizer.leaks.attacking import SHARE_OF_THE_JOB, Budget, attack_still, attack_video
from anonymizer.leaks.checked import Checked, cadence_of
from anonymizer.leaks.eyes import open_attackers
from anonymizer.leaks.figures import Leaks
from anonymizer.leaks.gathering import Gatherer
from anonymizer.leaks.metadata import metadata_left
from anonymizer.leaks.tally import Tally
from anonymizer.leaks.voices import VoiceFindings
from anonymizer.models import Models
from anonymizer.quality.readback import Contents
from anonymizer.review.deciding import Decided
from anonymizer.review.session import Session
from anonymizer.settings import Settings

# Of the time for attacks, where a job has pictures as well.
SHARE_OF_VOICES: Final = 0.4


# Attacks the voices of a result, for so many seconds; None where nobody can, or nothing was made anew.
AttackVoices = Callable[[float], VoiceFindings | None]


@dataclass(frozen=True)
class Finished:
    """A finished file.

    Attributes:
        stream: readable and seekable.
        media_type: what it is.
        month: that it may say; None where it may say none.
        job_seconds: what the job took so far.
        attack_voices: None where no sound was made anew.
    """

    stream: BinaryIO
    media_type: str
    month: str | None
    job_seconds: float
    attack_voices: AttackVoices | None = None


class Attack:
    """One passage of a video or a still. Each frame in order is decided about, is seen, and leaves."""

    def __init__(self, session: Session, settings: Settings, models: Models) -> None:
        """Opens everybody who attacks. Call it after the fork.

        Raises:
            AnonymizerError: detector_failed, device_unavailable.
        """
        began = perf_counter()
        self._settings = settings
        self._is_exhaustive = settings.leaks.look == "exhaustive"
        kinds = [[sought.kind for sought in finder.sought] for finder in session.finders]
        checked = Checked([cadence_of(settings, each) for each in kinds])
        self._gatherer = Gatherer(session.looks, checked, keeps_all=self._is_exhaustive)
        self._attackers = open_attackers(models, settings, settings.threads)
        self._seconds = perf_counter() - began

    def decided(self, scene: Scene, decided: Decided) -> None:
        """Takes the next frame, in which nothing is covered yet, and what becomes of it."""
        self._gatherer.see(scene, decided)

    def see(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Takes it again, as those who cover are given it."""
        began = perf_counter()
        self._attackers.portraits.see(scene, covers)
        self._seconds += perf_counter() - began

    def left(self, time: float, pts: int) -> None:
        """Takes a frame as it leaves.

        Args:
            time: seconds.
            pts: when it is shown, in ticks of the result.
        """
        self._gatherer.left(time, pts)

    def on_video(self, finished: Finished, contents: Contents, decode_seconds: float) -> Leaks:
        """Attacks a finished video.

        Args:
            finished: the file.
            contents: what its packets tell.
            decode_seconds: what a frame takes to be decoded, about.

        Raises:
            AnonymizerError: result_unreadable, or detector_failed.
            Exception: whatever the stream itself raises.
        """
        began = perf_counter()
        may_take = finished.job_seconds * SHARE_OF_THE_JOB
        voices = _attacked(finished, may_take * SHARE_OF_VOICES)
        left = may_take - self._seconds - (perf_counter() - began)
        tally = attack_video(
            finished.stream,
            contents,
            self._gatherer.samples,
            self._attackers,
            self._settings.keep,
            Budget(None if self._is_exhaustive else left, decode_seconds),
            self._settings.threads,
        )
        return self._leaks(finished, tally, voices, self._seconds + perf_counter() - began)

    def on_still(self, finished: Finished, views: Sequence[Image]) -> Leaks:
        """Attacks a finished still.

        Args:
            finished: the file.
            views: (H, W, 3) uint8 RGB: every way in which it may show something.

        Raises:
            AnonymizerError: result_unreadable, or detector_failed.
        """
        began = perf_counter()
        (sample,) = self._gatherer.samples
        tally = attack_still(views, sample.covered, self._attackers, self._settings.keep)
        return self._leaks(finished, tally, None, self._seconds + perf_counter() - began)

    def _leaks(self, finished: Finished, tally: Tally, voices: VoiceFindings | None, seconds: float) -> Leaks:
        return _leaks(
            finished,
            tally,
            voices,
            frames_unchecked=self._gatherer.frames_unchecked,
            attackers=frozenset(self._attackers.names),
            independent=self._attackers.independent,
            is_exhaustive=self._is_exhaustive,
            seconds=seconds,
        )


def attack_sound(finished: Finished, settings: Settings) -> Leaks:
    """Attacks a finished file of sound alone.

    Raises:
        AnonymizerError: result_unreadable, or detector_failed.
    """
    began = perf_counter()
    voices = _attacked(finished, finished.job_seconds * SHARE_OF_THE_JOB)
    return _leaks(
        finished,
        Tally(),
        voices,
        frames_unchecked=0,
        attackers=frozenset(),
        independent=frozenset(),
        is_exhaustive=settings.leaks.look == "exhaustive",
        seconds=perf_counter() - began,
    )


def _attacked(finished: Finished, seconds: float) -> VoiceFindings | None:
    return None if finished.attack_voices is None else finished.attack_voices(seconds)


def _leaks(
    finished: Finished,
    tally: Tally,
    voices: VoiceFindings | None,
    *,
    frames_unchecked: int,
    attackers: frozenset[str],
    independent: frozenset[str],
    is_exhaustive: bool,
    seconds: float,
) -> Leaks:
    if voices is not None:
        attackers, independent = attackers | set(voices.attackers), independent | voices.independent
    began = perf_counter()
    metadata = metadata_left(finished.stream, finished.media_type, month=finished.month)
    return Leaks(
        rounds=1,
        frames_attacked=tally.frames_attacked,
        frames_unchecked=frames_unchecked,
        faces_open=tally.faces_open,
        faces_attacked=tally.faces_attacked,
        faces_under=tally.faces_under,
        identities_compared=tally.identities_compared,
        identities_matched=tally.identities_matched,
        texts_open=tally.texts_open,
        voice_windows=None if voices is None else voices.windows,
        voice_matched=None if voices is None else voices.matched,
        metadata_left=metadata,
        attackers=tuple(sorted(attackers)),
        independent=tuple(sorted(independent)),
        exhaustive=is_exhaustive,
        seconds=seconds + perf_counter() - began,
    )
