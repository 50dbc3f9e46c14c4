"""The mean of what was measured, with how sure it is: by people, or by recordings, drawn anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.figures.attacked import SMALL_SAMPLE_PERSONS, Figure
from evaluation.figures.resampling import mean_by_person


@dataclass(frozen=True)
class Measured:
    """A mean.

    Attributes:
        mean: with its 95 % interval.
        count: how many values.
        drawn: how many people or recordings they are of; of one alone, the values themselves were drawn.
    """

    mean: Figure
    count: int
    drawn: int

    @property
    def is_small_sample(self) -> bool:
        """Whether too few were drawn to believe small differences."""
        return self.drawn < SMALL_SAMPLE_PERSONS


def mean_of(values: Sequence[float], units: Sequence[str]) -> Measured | None:
    """Returns a mean; None of nothing.

    Args:
        values: what was measured.
        units: whose each value is, or of which recording. Values of one unit are alike, so units are drawn
            with all of their values. Where there is only one, its values are: then the interval says how the
            figure varies within it, and nothing about other recordings.
    """
    if not values:
        return None
    numbers = np.unique(units, return_inverse=True)[1].astype(np.int64)
    drawn = int(numbers.max()) + 1
    if drawn == 1:
        numbers = np.arange(len(values))
    measured = np.asarray(values, np.float64)
    within = mean_by_person(measured, numbers, np.ones(len(measured)))
    return Measured(Figure(float(measured.mean()), within), len(measured), drawn)


def share_of(hits: Sequence[bool], units: Sequence[str]) -> Figure:
    """Returns how often something is so, at least one value given; units as `mean_of`."""
    found = mean_of([float(hit) for hit in hits], units)
    assert found is not None
    return found.mean
