"""The words of originals and results compared, as far as the optional packages are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from evaluation.errors import EvaluationError
from evaluation.figures.attacked import Figure
from evaluation.figures.resampling import mean_by_person
from evaluation.voice import words
from evaluation.voice.findings import WordsKept
from evaluation.voice.listening import Speech
from evaluation.voice.recordings import read_speech

# Reading takes longer than all the rest: so many pairs are enough, evenly chosen.
MOST_PAIRS: Final = 40
# Of each, so much.
MOST_SAMPLES: Final = 60 * 16_000


@dataclass(frozen=True)
class Pair:
    """An original and its result.

    Attributes:
        person: whose, as a number.
        original, result: where they lie.
    """

    person: int
    original: Path
    result: Path


def words_kept(pairs: Sequence[Pair], on_pair: Callable[[int, int], None]) -> WordsKept:
    """Compares the words of at most forty pairs; `on_pair` hears how many are done, and of how many."""
    chosen = _evenly(pairs)
    read = words.recognizer() if words.is_installed(words.RECOGNIZER) else None
    measures = words.is_installed(words.STOI)
    persons, rates, weights, clear = [], [], [], []
    for done, pair in enumerate(chosen):
        on_pair(done, len(chosen))
        try:
            original, result = read_speech(pair.original), read_speech(pair.result)
        except EvaluationError:
            # It was told of when the voices were listened to.
            continue
        before, after = words.aligned(original[:MOST_SAMPLES], result[:MOST_SAMPLES])
        reference = read(before) if read else []
        errors = words.word_errors(reference, read(after)) if read and reference else 0
        persons.append(pair.person)
        rates.append(errors / max(1, len(reference)))
        weights.append(len(reference))
        clear.append(_stoi(before, after) if measures else 0.0)
    people = np.array(persons, np.int64)
    return WordsKept(
        pairs=len(persons),
        recognizer=words.RECOGNIZER if read else None,
        word_error=_mean(np.array(rates), people, np.array(weights, np.float64)) if read else None,
        stoi=_mean(np.array(clear), people, np.ones(len(clear))) if measures else None,
    )


def _stoi(before: Speech, after: Speech) -> float:
    measured = words.intelligibility(before, after)
    return measured if np.isfinite(measured) else 0.0


def _mean(values: np.ndarray, people: np.ndarray, weights: np.ndarray) -> Figure | None:
    known = weights > 0
    if not known.any():
        return None
    values, people, weights = values[known], people[known], weights[known]
    return Figure(float(np.average(values, weights=weights)), mean_by_person(values, people, weights))


def _evenly(pairs: Sequence[Pair]) -> Sequence[Pair]:
    if len(pairs) <= MOST_PAIRS:
        return pairs
    return [pairs[at] for at in np.linspace(0, len(pairs) - 1, MOST_PAIRS).round().astype(int)]
