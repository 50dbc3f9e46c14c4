"""Identification: "which of these persons is it?", answered by the order of the scores.

Equal scores are put in any order with the same chance, and what is returned is the mean over those orders. So
an attacker who gives everybody the same score is right as often as chance is, not by the order of files.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from evaluation.figures.scores import Scores, ScoreTable

Shares = npt.NDArray[np.float64]


def found_within(table: ScoreTable) -> Shares:
    """Returns how surely each trial's person is among the best 1, 2, ... candidates.

    Returns:
        (trials, candidates): column k holds the chance, over the orders of equal scores, that the true
        person is among the best k + 1. Its mean over the trials is the CMC (cumulative match characteristic).
    """
    better, alike = _places(table)
    places = np.arange(1, table.candidates + 1)[None, :]
    return np.asarray(np.clip((places - better[:, None]) / alike[:, None], 0.0, 1.0))


def average_precision(scores: Scores, relevant: npt.NDArray[np.bool_]) -> float:
    """Returns the mean of the precision at each relevant one, for one trial.

    Args:
        scores: (candidates,).
        relevant: (candidates,), at least one.

    With equal scores it is the mean over their orders, in the closed form of McSherry and Najork (ECIR 2008,
    "Computing information retrieval performance measures efficiently in the presence of tied scores").
    """
    total, seen, hits = 0.0, 0, 0
    for score in -np.unique(-scores):
        group = scores == score
        size, good = int(group.sum()), int((group & relevant).sum())
        places = np.arange(size)
        # Of the others in the group that are relevant, how many stand before this place, on the mean.
        before = places * ((good - 1) / (size - 1) if size > 1 else 0.0)
        total += good / size * float(np.sum((hits + before + 1) / (seen + places + 1)))
        seen, hits = seen + size, hits + good
    return total / hits


def average_precisions(table: ScoreTable) -> Shares:
    """Returns each trial's average precision, (trials,); their mean is the mAP.

    One candidate is the right one, so it is the mean of 1 / place over the places that equal scores may take.
    """
    better, alike = _places(table)
    reciprocals = np.concatenate([[0.0], np.cumsum(1 / np.arange(1, table.candidates + 1))])
    return np.asarray((reciprocals[better + alike] - reciprocals[better]) / alike)


def first_within(scores: Scores, relevant: npt.NDArray[np.bool_], places: int) -> Shares:
    """Returns how surely a relevant one is among the best 1, 2, ... of one trial's candidates.

    The mean over trials is the CMC of person re-identification (Zheng et al. 2015, "Scalable person
    re-identification", section 5; torchreid): there every picture of a gallery is a candidate, and a trial is
    right from the place on at which the first picture of its person stands.

    Args:
        scores: (candidates,).
        relevant: (candidates,), at least one.
        places: how many, at least one.

    Returns:
        (places,): with equal scores the mean over their orders.
    """
    best = scores[relevant].max()
    group = scores == best
    better = int((scores > best).sum())
    before = np.zeros(min(better, places))
    among = by_guessing(int(group.sum()), int((group & relevant).sum()), places - len(before))
    return np.concatenate([before, among])


def by_guessing(candidates: int, relevant: int, places: int) -> Shares:
    """Returns how surely a relevant one is among the first 1, 2, ... of all in any order, (places,)."""
    drawn = np.arange(places)
    # One after the other is drawn, and none of them was relevant so far.
    missed = (candidates - relevant - drawn) / np.maximum(candidates - drawn, 1)
    return np.asarray(1 - np.cumprod(np.clip(missed, 0.0, 1.0)))


def _places(table: ScoreTable) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """For each trial, how many candidates score better than the right one, and how many as it does."""
    own = table.scores[np.arange(table.trials), table.persons][:, None]
    return (table.scores > own).sum(axis=1), (table.scores == own).sum(axis=1)
