"""The table that an attacker comes down to: one score for each trial and candidate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError

Scores = npt.NDArray[np.float64]
Persons = npt.NDArray[np.int64]

FEWEST_PERSONS = 2


@dataclass(frozen=True)
class ScoreTable:
    """Scores of trials against candidates.

    Attributes:
        scores: (trials, candidates) float64, finite; higher means more alike.
        persons: (trials,) int64: which candidate each trial truly is, as a column.
    """

    scores: Scores
    persons: Persons

    def __post_init__(self) -> None:
        """Checks the form.

        Raises:
            EvaluationError: scores_invalid, too_few_persons.
        """
        if self.scores.ndim != 2 or self.persons.shape != self.scores.shape[:1]:
            raise EvaluationError("scores_invalid")
        if self.scores.shape[1] < FEWEST_PERSONS or len(np.unique(self.persons)) < FEWEST_PERSONS:
            raise EvaluationError("too_few_persons")
        if not np.isfinite(self.scores).all():
            raise EvaluationError("scores_invalid")
        if self.persons.min() < 0 or self.persons.max() >= self.scores.shape[1]:
            raise EvaluationError("scores_invalid")

    @property
    def trials(self) -> int:
        """How many trials there are."""
        return int(self.scores.shape[0])

    @property
    def candidates(self) -> int:
        """How many persons each trial was compared with."""
        return int(self.scores.shape[1])

    @property
    def genuine(self) -> npt.NDArray[np.bool_]:
        """(trials, candidates): where trial and candidate are the same person."""
        return np.asarray(self.persons[:, None] == np.arange(self.candidates)[None, :])
