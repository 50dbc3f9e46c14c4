"""Two files or two folders in, all findings about faces out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from anonymizer import Models
from evaluation.errors import EvaluationError
from evaluation.faces.added import AddedRecognizer
from evaluation.faces.attackers import Attack, attacks
from evaluation.faces.drift import paths
from evaluation.faces.finding import FaceFinder, Finder
from evaluation.faces.findings import Detected, RecognitionFindings, Strip
from evaluation.faces.gathering import Gathered, OnProgress, Sample, gather, moments
from evaluation.faces.pairing import Pairing, pairings
from evaluation.faces.recognizers import DlibResNet, Recognizer
from evaluation.faces.subjects import FACES, Subject
from evaluation.figures.means import share_of
from evaluation.figures.resampling import RESAMPLES
from evaluation.installed import installed_models

MOST_STRIPS: Final = 24

FEW_PEOPLE: Final = (
    "No attack: whoever looks for somebody needs two people at least, and two pictures of each, which in a "
    "film lie a second apart."
)
NO_ALIKE: Final = (
    "Not tried: a gallery treated alike. Give results of the same originals under other keys (--enrolment)."
)
NO_KNOWN_KEY: Final = (
    "Not tried: who knows the key. Give results of the same originals under the same pseudonym (--known-key)."
)


def evaluate_faces(
    original: Path,
    anonymized: Path,
    *,
    enrolment: Path | None = None,
    known_key: Path | None = None,
    manifests: Sequence[Path] = (),
    is_robust: bool = True,
    on_progress: OnProgress,
    models: Models | None = None,
    recognizers: Sequence[Recognizer] = (),
    resamples: int = RESAMPLES,
) -> RecognitionFindings:
    """Attacks every face that the originals show.

    Args:
        original, anonymized: two files, or two folders with PERSON/FILE or FILE under the same names.
        enrolment: the originals made once more under other keys.
        known_key: the same under the results' own pseudonym, for everybody.
        manifests: of further recognizers.
        is_robust: whether attackers restore and learn before they compare.
        on_progress: told of each step.
        models: what detects; by default all that are installed.
        recognizers: who attacks; by default dlib's, where it is installed, and those with a manifest.
        resamples: how often persons are drawn anew for an interval.

    Raises:
        EvaluationError: files_do_not_pair, no_faces, recognizer_missing, recognizer_failed,
            comparison_mismatch, media_unreadable, or one of the anonymizer's codes.
    """
    pairs = pairings(original, anonymized, enrolment, known_key)
    loaded = loaded_for(pairs, models)
    chosen = list(recognizers) or _recognizers(manifests, loaded)
    return recognized(
        pairs,
        FACES,
        FaceFinder(loaded),
        chosen,
        is_robust=is_robust,
        resamples=resamples,
        on_progress=on_progress,
    )


def loaded_for(pairs: Sequence[Pairing], models: Models | None) -> Models:
    """Returns the models; but of a single pair, what is no picture is told before anything is loaded.

    Raises:
        EvaluationError: as `evaluate_faces`.
    """
    if len(pairs) == 1:
        next(moments(pairs[0]), None)
    return models or installed_models()


def recognized(
    pairs: Sequence[Pairing],
    subject: Subject,
    finder: Finder,
    recognizers: Sequence[Recognizer],
    *,
    is_robust: bool,
    resamples: int,
    on_progress: OnProgress,
    by_recording: bool = False,
) -> RecognitionFindings:
    """Attacks everybody whom a finder finds in the originals.

    Args:
        pairs: what is looked at.
        subject: what the finder finds.
        finder: who looks.
        recognizers: who attacks, at least one.
        is_robust, resamples, on_progress: see `evaluate_faces`.
        by_recording: see `attackers.attacks`.

    Raises:
        EvaluationError: as `evaluate_faces`.
    """
    gathered = gather(pairs, finder, recognizers, on_progress)
    views = {view for pair in pairs for view in pair.paths}
    not_tried = [] if "alike" in views or len(pairs) > 1 else [NO_ALIKE]
    not_tried += [] if "known_key" in views else [NO_KNOWN_KEY]
    found: list[Attack] = []
    try:
        found += attacks(
            gathered.samples,
            recognizers,
            has_many_files=len(pairs) > 1,
            is_robust=is_robust,
            resamples=resamples,
            on_progress=on_progress,
            by_recording=by_recording,
        )
    except EvaluationError as error:
        if error.code != "too_few_persons":
            raise
        not_tried = [FEW_PEOPLE]
    return _findings(gathered, subject, finder, recognizers, found, not_tried)


def _recognizers(manifests: Sequence[Path], models: Models) -> list[Recognizer]:
    """Those with a manifest, and dlib's; it may be missing where there is another one."""
    chosen: list[Recognizer] = [AddedRecognizer(path, models.landmarks) for path in manifests]
    try:
        return [DlibResNet(), *chosen]
    except EvaluationError:
        if not chosen:
            raise
        return chosen


def _findings(
    gathered: Gathered,
    subject: Subject,
    finder: Finder,
    recognizers: Sequence[Recognizer],
    found: Sequence[Attack],
    not_tried: Sequence[str],
) -> RecognitionFindings:
    samples, first = gathered.samples, recognizers[0]
    people = sorted({sample.person for sample in samples})
    shown = [[sample for sample in samples if sample.person == person] for person in people]
    return RecognitionFindings(
        subject=subject,
        people=len(people),
        samples=len(samples),
        pictures=gathered.pictures,
        unreadable=gathered.unreadable,
        recognizers={each.name: each.sha256 for each in recognizers},
        attacks=tuple(found),
        not_tried=tuple(not_tried),
        detectors=tuple(_detected(name, samples) for name in finder.detectors),
        drift=tuple(paths(samples, first)),
        strips=tuple(
            Strip(number, [sample.chips[first.name, "anonymized"] for sample in each])
            for number, each in enumerate(shown[:MOST_STRIPS], 1)
        ),
    )


def _detected(name: str, samples: Sequence[Sample]) -> Detected:
    """The shares of samples that a detector finds, with intervals over people."""
    persons = [sample.person for sample in samples]
    return Detected(
        name,
        share_of([name in sample.seen for sample in samples], persons),
        share_of([name in sample.detected for sample in samples], persons),
    )
