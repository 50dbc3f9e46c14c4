"""How steady the face in the result is over a film: the path of its vector.

A persona or another face should stay itself. A face that wanders from frame to frame is no pseudonym, and one
that wanders with the original follows it. The path is told by two numbers for each moment: how like the
first moment the face is, and how like the moment before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.faces.gathering import Sample, chips_of
from evaluation.faces.recognizers import Recognizer, Vectors

LEAST_MOMENTS = 4


@dataclass(frozen=True)
class Path:
    """One person's face through one film.

    Attributes:
        person: a number, from 1.
        seconds: (moments,).
        to_first: (moments,) cosine to the first moment, of the result.
        original_to_first: (moments,) the same of the original.
        step: mean of 1 - cosine from one moment to the next, of the result.
        original_step: the same of the original.
    """

    person: int
    seconds: Vectors
    to_first: Vectors
    original_to_first: Vectors
    step: float
    original_step: float


def paths(samples: Sequence[Sample], recognizer: Recognizer) -> list[Path]:
    """Returns the path of everybody who is seen in a film often enough."""
    runs: dict[tuple[str, str], list[Sample]] = {}
    for sample in samples:
        runs.setdefault((sample.source, sample.person), []).append(sample)
    found = []
    for number, each in enumerate(runs.values(), 1):
        ordered = sorted(each, key=lambda sample: sample.time)
        seconds = np.array([sample.time for sample in ordered])
        if len(np.unique(seconds)) < LEAST_MOMENTS:
            continue
        made, original = (
            recognizer.vectors(chips_of(ordered, recognizer, view)) for view in ("anonymized", "original")
        )
        found.append(
            Path(number, seconds, made @ made[0], original @ original[0], _step(made), _step(original))
        )
    return found


def _step(vectors: Vectors) -> float:
    return float(np.mean(1 - (vectors[1:] * vectors[:-1]).sum(axis=1)))
