"""All figures of one attacker, with how sure they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from evaluation.figures.identification import average_precisions, found_within
from evaluation.figures.resampling import RESAMPLES, Draws, Interval, Shares, band, draw_persons, interval
from evaluation.figures.scores import ScoreTable
from evaluation.figures.verification import FALSE_POSITIVES_ALLOWED, operating_points

# Where a ROC is drawn; fine at its foot, where few strangers are accepted.
FALSE_POSITIVE_GRID: Final = np.concatenate([[0.0], np.geomspace(0.001, 1.0, 60)])
# Comparisons whose weights are held at once: 8 bytes each.
WEIGHTS_AT_ONCE: Final = 4_000_000
SMALL_SAMPLE_PERSONS: Final = 30
FIFTH: Final = 5


@dataclass(frozen=True)
class Figure:
    """One figure and its 95 % interval.

    Attributes:
        value: a share, 0 to 1.
        within: its interval.
    """

    value: float
    within: Interval


@dataclass(frozen=True)
class Curve:
    """A curve and its 95 % band, all of one length.

    Attributes:
        across: share of false positives (ROC), or places counted from 1 (CMC).
        up: share of true positives, or of trials whose person is within these places.
        low, high: the band.
    """

    across: Shares
    up: Shares
    low: Shares
    high: Shares


@dataclass(frozen=True)
class Retrieved:
    """How soon a picture of the right person comes, in the order of all pictures of a gallery.

    So Market-1501 and torchreid count; Rank-5 and CMC of `Attacked` count people, of whom each stands where
    their best picture does. Rank-1 is the same either way, but for pictures of equal score.

    Attributes:
        rank_1, rank_5: trials with a right picture in the first place, or within the first five.
        chance_rank_1, chance_rank_5: what pictures in any order achieve, mean over the trials.
        cmc: by places, counted from 1.
    """

    rank_1: Figure
    rank_5: Figure
    chance_rank_1: float
    chance_rank_5: float
    cmc: Curve


@dataclass(frozen=True)
class Attacked:
    """What one attacker achieved.

    Attributes:
        persons: candidates in each trial.
        trials: how many.
        eer: equal error rate.
        eer_threshold: the score at it.
        tpr_at_1_fpr: genuine comparisons accepted where 1 % of the strangers are.
        rank_1, rank_5: trials whose person came first, or within the first five (or all, of fewer than five).
        mean_average_precision: over the trials.
        chance_rank_1, chance_rank_5: what guessing achieves.
        roc, cmc: the curves behind them.
        retrieved: the same over pictures; None where each candidate is compared as a whole.
    """

    persons: int
    trials: int
    eer: Figure
    eer_threshold: float
    tpr_at_1_fpr: Figure
    rank_1: Figure
    rank_5: Figure
    mean_average_precision: Figure
    chance_rank_1: float
    chance_rank_5: float
    roc: Curve
    cmc: Curve
    retrieved: Retrieved | None = None

    @property
    def is_small_sample(self) -> bool:
        """Whether there are too few persons to believe small differences."""
        return self.persons < SMALL_SAMPLE_PERSONS

    @property
    def sample_in_words(self) -> str:
        """What the number of persons allows to say."""
        counted = f"{self.persons} people, {self.trials} trials"
        if not self.is_small_sample:
            return f"{counted}."
        return (
            f"Small sample: {counted}. Believe the interval, not the figure; with so few people even the "
            "interval is somewhat too narrow."
        )


def figures_of(table: ScoreTable, resamples: int = RESAMPLES, seed: int = 0) -> Attacked:
    """Returns every figure of a table; the same for the same table and seed."""
    draws = draw_persons(table, resamples, seed)
    points = operating_points(table.scores.ravel(), table.genuine.ravel())
    rates, thresholds = points.equal_error_rate()
    eers, strict, rocs = _verified(table, draws)
    within = found_within(table)
    weights = draws.of_trials(table)
    weights /= weights.sum(axis=1, keepdims=True)
    cmcs = weights @ within
    precisions = average_precisions(table)
    fifth = min(FIFTH, table.candidates) - 1
    cmc = within.mean(axis=0)
    return Attacked(
        persons=table.candidates,
        trials=table.trials,
        eer=Figure(float(rates[0]), interval(eers)),
        eer_threshold=float(thresholds[0]),
        tpr_at_1_fpr=Figure(float(points.true_positives_at(FALSE_POSITIVES_ALLOWED)[0, 0]), interval(strict)),
        rank_1=Figure(float(cmc[0]), interval(cmcs[:, 0])),
        rank_5=Figure(float(cmc[fifth]), interval(cmcs[:, fifth])),
        mean_average_precision=Figure(float(precisions.mean()), interval(weights @ precisions)),
        chance_rank_1=1 / table.candidates,
        chance_rank_5=(fifth + 1) / table.candidates,
        roc=Curve(FALSE_POSITIVE_GRID, points.true_positives_at(*FALSE_POSITIVE_GRID)[0], *band(rocs)),
        cmc=Curve(np.arange(1.0, table.candidates + 1), cmc, *band(cmcs)),
    )


def _verified(table: ScoreTable, draws: Draws) -> tuple[Shares, Shares, Shares]:
    """Each draw's EER, true positives at 1 %, and ROC; a few draws at a time, so that memory is bounded."""
    at_once = max(1, WEIGHTS_AT_ONCE // table.scores.size)
    eers, strict, rocs = [], [], []
    for first in range(0, len(draws.counts), at_once):
        part = Draws(draws.counts[first : first + at_once])
        points = operating_points(table.scores.ravel(), table.genuine.ravel(), part.of_comparisons(table))
        eers.append(points.equal_error_rate()[0])
        strict.append(points.true_positives_at(FALSE_POSITIVES_ALLOWED)[:, 0])
        rocs.append(points.true_positives_at(*FALSE_POSITIVE_GRID))
    return np.concatenate(eers), np.concatenate(strict), np.concatenate(rocs)
