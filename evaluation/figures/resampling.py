"""How sure a figure is: persons are drawn anew, again and again, and the figure with them (bootstrap).

Trials of one person are alike, so it is persons that are drawn, with all of their trials (the two-level
bootstrap of Poh and Bengio 2007 without its lower level). A person who is drawn twice is not a stranger to
themselves. Intervals are percentiles. With few persons they come out too narrow: with ten, an interval that
says 95 % holds the true figure in about nine cases of ten, and the reports say that a sample is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.figures.scores import ScoreTable

LEVEL: Final = 0.95
RESAMPLES: Final = 1000
Shares = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Interval:
    """Where a figure lies with 95 % confidence.

    Attributes:
        low, high: of the figure's own unit.
    """

    low: float
    high: float


@dataclass(frozen=True)
class Draws:
    """Persons drawn anew from the table.

    Attributes:
        counts: (draws, candidates) how often each person was drawn. In each draw at least two different
            persons with trials were.
    """

    counts: Shares

    def of_trials(self, table: ScoreTable) -> Shares:
        """(draws, trials): how often each trial counts."""
        return np.asarray(self.counts[:, table.persons])

    def of_comparisons(self, table: ScoreTable) -> Shares:
        """(draws, trials × candidates): how often each comparison counts, rows of the table one by one."""
        trials = self.counts[:, table.persons]
        pairs = trials[:, :, None] * self.counts[:, None, :]
        # The person's own comparison goes with the trial: it is one person, however often drawn.
        weights = np.where(table.genuine[None], trials[:, :, None], pairs)
        return np.asarray(weights.reshape(len(trials), -1))


def draw_persons(table: ScoreTable, draws: int = RESAMPLES, seed: int = 0) -> Draws:
    """Draws as many persons as there are, with replacement, so many times; the same for the same seed."""
    generator = np.random.default_rng(seed)
    persons = table.candidates
    with_trials = np.bincount(table.persons, minlength=persons) > 0
    kept: list[Shares] = []
    while len(kept) < draws:
        counts = generator.multinomial(persons, np.full(persons, 1 / persons)).astype(np.float64)
        # Without a trial, or without a stranger, there is nothing to count.
        if ((counts > 0) & with_trials).any() and (counts > 0).sum() > 1:
            kept.append(counts)
    return Draws(np.array(kept))


def interval(figures: Shares) -> Interval:
    """Returns the interval that holds the middle 95 % of a figure's draws, (draws,)."""
    low, high = np.quantile(figures, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


def band(curves: Shares) -> tuple[Shares, Shares]:
    """Returns the lower and upper edge of a curve's draws, (draws, points) in, (points,) each out."""
    low, high = np.quantile(curves, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return np.asarray(low), np.asarray(high)


def mean_by_person(
    values: Shares, persons: npt.NDArray[np.int64], weights: Shares, seed: int = 0
) -> Interval:
    """Returns the interval of a weighted mean, persons drawn anew.

    Args:
        values: (recordings,).
        persons: (recordings,) who each is.
        weights: (recordings,), positive.
    """
    _, members = np.unique(persons, return_inverse=True)
    count = int(members.max()) + 1
    sums = np.bincount(members, weights * values, count)
    totals = np.bincount(members, weights, count)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    return interval(drawn @ sums / (drawn @ totals))
