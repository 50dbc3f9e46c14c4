"""Who attacks, and what each of them knows; from vectors of voices to a table of scores.

All have the result, and recordings in which they know who speaks. They differ in what they made of those:

ignorant   compares with original recordings: does not know that, or how, the voice was anonymized
lazy       sends those through the same system, under keys of their own, and compares like with like
semi       is lazy, and has learned from anonymized speech of other people what still tells voices apart
linked     holds several results, and asks which are of one person

A candidate is enrolled with all of their recordings but the one that is tried: never with the same words. The
one left out is left out for every candidate, so that all are known equally well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError
from evaluation.figures.discriminant import Discriminant
from evaluation.figures.scores import ScoreTable

Vectors = npt.NDArray[np.float64]
Voices = Mapping[str, Mapping[str, Vectors]]
"""Vectors of voices by speaker, then by recording; the same name of both is the same words."""

ATTACKERS: Final = ("ignorant", "lazy", "semi", "linked")


@dataclass(frozen=True)
class _Compared:
    """Trials and the candidates of each: (trials, size), (trials, candidates, size), (trials, candidates)."""

    trials: Vectors
    enrolled: Vectors
    counts: Vectors
    persons: npt.NDArray[np.int64]


def score(trials: Voices, enrolment: Voices, discriminant: Discriminant | None = None) -> ScoreTable:
    """Returns what an attacker makes of trials.

    Args:
        trials: results, by speaker.
        enrolment: what the attacker compares with, by speaker; whoever is in it is a candidate.
        discriminant: what the attacker has learned. Without it, the cosine between vectors.

    Raises:
        EvaluationError: too_few_persons.
    """
    compared = _compared(trials, enrolment)
    if discriminant is not None:
        scores = discriminant.scores(compared.trials, compared.enrolled, compared.counts)
    else:
        lengths = np.linalg.norm(compared.trials, axis=1)[:, None] * np.linalg.norm(compared.enrolled, axis=2)
        products = np.einsum("ts,tcs->tc", compared.trials, compared.enrolled)
        scores = products / np.maximum(lengths, 1e-12)
    # Beyond this, differences are of rounding: voices that are the same must score the same.
    return ScoreTable(np.round(scores, 9), compared.persons)


def _compared(trials: Voices, enrolment: Voices) -> _Compared:
    # With one recording, nothing is left when the one that is tried is left out.
    candidates = sorted(name for name, voices in enrolment.items() if len(voices) > 1)
    columns = {name: column for column, name in enumerate(candidates)}
    rows, models, counts, persons = [], [], [], []
    for speaker in sorted(set(trials) & set(candidates)):
        for name, vector in trials[speaker].items():
            place = _place(enrolment[speaker], name)
            chosen = [_without(enrolment[each], place) for each in candidates]
            rows.append(vector)
            models.append([np.mean(each, axis=0) for each in chosen])
            counts.append([len(each) for each in chosen])
            persons.append(columns[speaker])
    if len(candidates) < 2 or len(set(persons)) < 2:
        raise EvaluationError("too_few_persons")
    return _Compared(
        np.array(rows), np.array(models), np.array(counts, np.float64), np.array(persons, np.int64)
    )


def _place(voices: Mapping[str, Vectors], name: str) -> int | None:
    """Which of a speaker's recordings has the words that are tried; None where none has."""
    names = sorted(voices)
    return names.index(name) if name in voices else None


def _without(voices: Mapping[str, Vectors], place: int | None) -> Sequence[Vectors]:
    left_out = None if place is None else place % len(voices)
    return [voices[name] for at, name in enumerate(sorted(voices)) if at != left_out]
