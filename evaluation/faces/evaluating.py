"""Two files or two folders in, all findings about faces out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from anonymizer import AnonymizerError, Models, load_models
from evaluation.errors import EvaluationError
from evaluation.faces.added import AddedRecognizer
from evaluation.faces.attackers import Attack, attacks
from evaluation.faces.drift import paths
from evaluation.faces.finding import FaceFinder
from evaluation.faces.findings import FaceFindings, Strip
from evaluation.faces.gathering import Gathered, OnProgress, Sample, gather, moments
from evaluation.faces.pairing import pairings
from evaluation.faces.recognizers import DlibResNet, Recognizer
from evaluation.figures.attacked import Figure
from evaluation.figures.resampling import RESAMPLES, interval

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
) -> FaceFindings:
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
    if len(pairs) == 1:
        # What is no picture is told before anything is loaded.
        next(moments(pairs[0]), None)
    try:
        loaded = models or load_models()
    except AnonymizerError as error:
        raise EvaluationError(error.code, str(error)) from None
    chosen = list(recognizers) or _recognizers(manifests, loaded)
    gathered = gather(pairs, FaceFinder(loaded), chosen, on_progress)
    samples = gathered.samples
    not_tried = [] if enrolment is not None or len(pairs) > 1 else [NO_ALIKE]
    not_tried += [] if known_key is not None else [NO_KNOWN_KEY]
    found: list[Attack] = []
    try:
        found += attacks(
            samples,
            chosen,
            has_many_files=len(pairs) > 1,
            is_robust=is_robust,
            resamples=resamples,
            on_progress=on_progress,
        )
    except EvaluationError as error:
        if error.code != "too_few_persons":
            raise
        not_tried = [FEW_PEOPLE]
    return _findings(gathered, chosen, found, not_tried)


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
    gathered: Gathered, recognizers: Sequence[Recognizer], found: Sequence[Attack], not_tried: Sequence[str]
) -> FaceFindings:
    samples, first = gathered.samples, recognizers[0]
    people = sorted({sample.person for sample in samples})
    shown = [[sample for sample in samples if sample.person == person] for person in people]
    return FaceFindings(
        people=len(people),
        samples=len(samples),
        pictures=gathered.pictures,
        unreadable=gathered.unreadable,
        recognizers={each.name: each.sha256 for each in recognizers},
        attacks=tuple(found),
        not_tried=tuple(not_tried),
        detected=_detected(shown),
        drift=tuple(paths(samples, first)),
        strips=tuple(
            Strip(number, [sample.chips[first.name, "anonymized"] for sample in each])
            for number, each in enumerate(shown[:MOST_STRIPS], 1)
        ),
    )


def _detected(shown: Sequence[Sequence[Sample]]) -> Figure:
    """The share of samples that are still faces, with an interval over people."""
    counts = np.array([[sum(sample.detected for sample in each), len(each)] for each in shown], np.float64)
    drawn = np.random.default_rng(0).multinomial(len(shown), np.full(len(shown), 1 / len(shown)), RESAMPLES)
    sums = drawn @ counts
    return Figure(float(counts[:, 0].sum() / counts[:, 1].sum()), interval(sums[:, 0] / sums[:, 1]))
