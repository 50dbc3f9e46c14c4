"""Two files or two folders in, all findings about people out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from anonymizer import Models
from evaluation.errors import EvaluationError
from evaluation.faces.evaluating import loaded_for, recognized
from evaluation.faces.finding import Finder
from evaluation.faces.findings import RecognitionFindings
from evaluation.faces.gathering import OnProgress
from evaluation.faces.pairing import pairings
from evaluation.faces.subjects import PEOPLE
from evaluation.figures.resampling import RESAMPLES
from evaluation.people.embedding import PersonRecognizer
from evaluation.people.finding import PeopleFinder


def evaluate_people(
    original: Path,
    anonymized: Path,
    *,
    manifests: Sequence[Path],
    enrolment: Path | None = None,
    known_key: Path | None = None,
    is_robust: bool = True,
    on_progress: OnProgress,
    models: Models | None = None,
    finder: Finder | None = None,
    resamples: int = RESAMPLES,
) -> RecognitionFindings:
    """Attacks every body that the originals show.

    Args:
        original, anonymized: two files, or two folders with PERSON/FILE or FILE under the same names.
        manifests: of re-identifiers.
        enrolment: the originals made once more under other keys.
        known_key: the same under the results' own pseudonym, for everybody.
        is_robust: whether attackers restore and learn before they compare.
        on_progress: told of each step.
        models: what detects; by default all that are installed.
        finder: who looks for people; by default every finder that is installed.
        resamples: how often persons are drawn anew for an interval.

    Raises:
        EvaluationError: reidentifier_missing, files_do_not_pair, no_people, recognizer_failed,
            comparison_mismatch, media_unreadable, or one of the anonymizer's codes.
    """
    if not manifests:
        raise EvaluationError("reidentifier_missing")
    recognizers = [PersonRecognizer(path) for path in manifests]
    pairs = pairings(original, anonymized, enrolment, known_key)
    return recognized(
        pairs,
        PEOPLE,
        finder or PeopleFinder(loaded_for(pairs, models)),
        recognizers,
        is_robust=is_robust,
        resamples=resamples,
        on_progress=on_progress,
        by_recording=True,
    )
