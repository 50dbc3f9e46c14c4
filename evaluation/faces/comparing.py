"""Trials against a gallery: which of the people that an attacker has pictures of is it?

A person's score is that of their most similar picture in the gallery, so Rank-1 says how often the nearest
picture is of the right person. Mean average precision is over pictures, as person re-identification has it
(Zheng et al. 2015, "Scalable person re-identification", and torchreid): of each trial, the mean of the
precision at every picture of the person. Rank-5 and the CMC are told both ways. What may not be compared is
as if it were not there: a picture never stands in the gallery against itself, nor, where people have several
recordings, one of the same camera.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.errors import EvaluationError
from evaluation.figures.attacked import FIFTH, Attacked, Curve, Figure, Retrieved, figures_of
from evaluation.figures.identification import average_precision, by_guessing, first_within
from evaluation.figures.resampling import RESAMPLES, Shares, band, draw_persons, interval
from evaluation.figures.scores import Scores, ScoreTable

# As far as torchreid looks.
MOST_PLACES: Final = 50


@dataclass(frozen=True)
class Compared:
    """Pictures that are tried, against pictures that an attacker has.

    Attributes:
        scores: (trials, gallery) higher means more alike.
        trial_persons: who each trial is.
        gallery_persons: who each picture of the gallery is.
        allowed: (trials, gallery) whether the picture may be used against the trial.
    """

    scores: Scores
    trial_persons: Sequence[str]
    gallery_persons: Sequence[str]
    allowed: npt.NDArray[np.bool_]

    def attacked(self, resamples: int = RESAMPLES) -> Attacked:
        """Returns all figures.

        Raises:
            EvaluationError: too_few_persons.
        """
        persons = sorted(set(self.gallery_persons))
        trials, gallery = np.array(self.trial_persons), np.array(self.gallery_persons)
        own = (trials[:, None] == gallery[None, :]) & self.allowed
        # Rounding: what is the same must score the same.
        usable = np.where(self.allowed, np.round(self.scores, 9), -np.inf)
        best = np.stack([usable[:, gallery == person].max(axis=1) for person in persons], axis=1)
        # A trial counts where the gallery has the person at all, and somebody else.
        kept = own.any(axis=1) & np.isfinite(best).all(axis=1)
        if not kept.any():
            raise EvaluationError("too_few_persons")
        table = ScoreTable(best[kept], np.searchsorted(persons, trials[kept]).astype(np.int64))
        rows = np.flatnonzero(kept)
        weights = draw_persons(table, resamples).of_trials(table)
        weights /= weights.sum(axis=1, keepdims=True)
        pictures = [(usable[row, self.allowed[row]], own[row, self.allowed[row]]) for row in rows]
        precisions = np.array([average_precision(scores, right) for scores, right in pictures])
        return replace(
            figures_of(table, resamples),
            mean_average_precision=Figure(float(precisions.mean()), interval(weights @ precisions)),
            retrieved=_retrieved(pictures, weights),
        )


def _retrieved(pictures: Sequence[tuple[Scores, npt.NDArray[np.bool_]]], weights: Shares) -> Retrieved:
    """How soon a right picture comes.

    Args:
        pictures: of each trial the scores of what it is compared with, and which are of its person.
        weights: (draws, trials), rows of sum one.
    """
    places = min(MOST_PLACES, max(len(scores) for scores, _ in pictures))
    within = np.array([first_within(scores, right, places) for scores, right in pictures])
    guessed = np.mean([by_guessing(len(right), int(right.sum()), places) for _, right in pictures], axis=0)
    drawn, fifth = weights @ within, min(FIFTH, places) - 1
    cmc = within.mean(axis=0)
    return Retrieved(
        rank_1=Figure(float(cmc[0]), interval(drawn[:, 0])),
        rank_5=Figure(float(cmc[fifth]), interval(drawn[:, fifth])),
        chance_rank_1=float(guessed[0]),
        chance_rank_5=float(guessed[fifth]),
        cmc=Curve(np.arange(1.0, places + 1), cmc, *band(drawn)),
    )


def together(compared: Sequence[Compared]) -> Compared:
    """Returns what several attackers find together: the mean of their scores, each brought to one measure.

    They have the same trials and the same gallery, in the same order.
    """
    sums = [_measured(each.scores, each.allowed) for each in compared]
    return replace(compared[0], scores=np.mean(sums, axis=0))


def _measured(scores: Scores, allowed: npt.NDArray[np.bool_]) -> Scores:
    """Brings scores to mean 0 and deviation 1 within each trial: recognizers count differently."""
    counted = np.where(allowed, scores, np.nan)
    means, deviations = (of(counted, axis=1, keepdims=True) for of in (np.nanmean, np.nanstd))
    return np.asarray((scores - means) / np.maximum(deviations, 1e-9))
