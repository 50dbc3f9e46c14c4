"""Verification: "is this the same person?", answered by a threshold on the score.

A false positive is somebody else taken for the person, a false negative the person taken for somebody else.
The equal error rate (EER) is where both rates meet as the threshold moves; between two thresholds that the
scores offer, rates are joined by a straight line, as if a coin decided between the two (Fawcett 2006, "An
introduction to ROC analysis"). Equal scores are accepted or refused together, so an attacker who gives the
same score to everybody has an EER of one half, as chance has.

Comparisons may have weights, whole sets of them at once, as drawing persons anew asks for (resampling.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from evaluation.figures.scores import Scores

FALSE_POSITIVES_ALLOWED: Final = 0.01
Weights = npt.NDArray[np.float64]


@dataclass(frozen=True)
class OperatingPoints:
    """What each threshold gives, from "accept nobody" to "accept everybody".

    Attributes:
        thresholds: (points,) float64, falling; the first is above every score.
        false_positives: (sets, points) share of strangers who are accepted, rising from 0 to 1.
        true_positives: (sets, points) share of genuine comparisons that are accepted, rising from 0 to 1.
    """

    thresholds: Scores
    false_positives: Weights
    true_positives: Weights

    def equal_error_rate(self) -> tuple[Weights, Scores]:
        """Returns the EER of each set, and the threshold at it."""
        rows = np.arange(len(self.false_positives))
        gap = self.false_positives - (1 - self.true_positives)
        # The gap rises from -1 to 1, so there is a first point at or above 0, and one below before it.
        after = np.argmax(gap >= 0, axis=1)
        before = after - 1
        below, above = gap[rows, before], gap[rows, after]
        share = -below / (above - below)
        rates = self.false_positives
        eer = rates[rows, before] + share * (rates[rows, after] - rates[rows, before])
        return np.asarray(eer), np.asarray(self.thresholds[after])

    def true_positives_at(self, *allowed: float) -> Weights:
        """Returns each set's largest share of true positives with no more false ones than allowed.

        Without interpolation: only thresholds count that an attacker could have set.

        Returns:
            (sets, shares allowed).
        """
        # Sums of weights carry rounding.
        most = np.array(allowed) + 1e-12
        return np.array(
            [
                true[np.searchsorted(false, most, side="right") - 1]
                for false, true in zip(self.false_positives, self.true_positives, strict=True)
            ]
        )


def operating_points(
    scores: Scores, genuine: npt.NDArray[np.bool_], weights: Weights | None = None
) -> OperatingPoints:
    """Returns what each threshold gives.

    Args:
        scores: (comparisons,), higher means more alike.
        genuine: (comparisons,) whether both sides are one person; some are and some are not.
        weights: (sets, comparisons), not negative; in every set, some for genuine ones and some for others.
            By default one set, in which all count alike.
    """
    order = np.argsort(-scores, kind="stable")
    ordered = scores[order]
    # Where a run of equal scores ends.
    ends = np.flatnonzero(np.append(ordered[1:] != ordered[:-1], True))
    counted = np.ones((1, len(scores))) if weights is None else weights
    is_genuine = genuine[order]

    def accepted(of: npt.NDArray[np.bool_]) -> Weights:
        sums = np.cumsum(np.where(of, counted[:, order], 0.0), axis=1)
        shares = sums[:, ends] / sums[:, -1:]
        return np.asarray(np.concatenate([np.zeros((len(shares), 1)), shares], axis=1))

    return OperatingPoints(
        thresholds=np.concatenate([[np.inf], ordered[ends]]),
        false_positives=accepted(~is_genuine),
        true_positives=accepted(is_genuine),
    )
