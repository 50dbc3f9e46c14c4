"""Takes the fine noise out of a plane, and leaves edges as they are.

What differs from its surroundings by little is noise, or texture as faint as noise: it goes. What differs
by much is an edge: it stays, and with it the noise upon it. Between the two there is no step, so that no
speckles stand out. Noise and edges are told apart by the noise that is there.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

PlaneArray = npt.NDArray[np.uint8]

# Pixels across, one after the other: what the first leaves is too broad for it, and a broad one alone leaves
# more of the fine. Each leaves a hundredth of a pattern's energy, both together nothing that is found.
WINDOWS: Final = (5, 9)
SAMPLE_EVERY: Final = 8
# Of a normal distribution, the median of what lies off the mean, in deviations.
MEDIAN_OF_NORMAL: Final = 0.6745
# In deviations of the noise: up to here all of it goes, from twice as much all stays. At three, the pattern
# of a plain wall is still found in it, at three and a half no more.
REACH: Final = 3.5
# Of 255. Less would leave the pattern of a quiet camera; more would take skin and cloth with it.
LEAST_REACH, MOST_REACH = 4.0, 10.0


def noise_deviation(plane: PlaneArray) -> float:
    """Returns the standard deviation of a plane's fine noise, of 255; of a picture full of texture, more."""
    around = cv2.blur(plane, (WINDOWS[0], WINDOWS[0]))
    apart = cv2.absdiff(plane, around)[::SAMPLE_EVERY, ::SAMPLE_EVERY]
    counts = np.bincount(apart.ravel(), minlength=2)
    below = np.concatenate([[0], np.cumsum(counts)]) / apart.size
    # Each whole number stands for what lies half around it: without that, the median jumps from 1 to 2.
    edges = np.concatenate([[0], np.arange(len(counts)) + 0.5])
    return float(np.interp(0.5, below, edges)) / MEDIAN_OF_NORMAL


def reach_of(deviation: float) -> int:
    """Returns up to which difference from their surroundings pixels are smoothed, of 255."""
    return round(min(MOST_REACH, max(LEAST_REACH, REACH * deviation)))


def smooth(plane: PlaneArray, reach: int) -> PlaneArray:
    """Returns a plane, (H, W) uint8, without differences up to a reach."""
    for window in WINDOWS:
        plane = _smoothed(plane, window, reach)
    return plane


def _smoothed(plane: PlaneArray, window: int, reach: int) -> PlaneArray:
    around = cv2.blur(plane, (window, window))
    above = _kept(np.asarray(cv2.subtract(plane, around), np.uint8), reach)
    below = _kept(np.asarray(cv2.subtract(around, plane), np.uint8), reach)
    return np.asarray(cv2.subtract(cv2.add(around, above), below), np.uint8)


def _kept(difference: PlaneArray, reach: int) -> PlaneArray:
    # Saturating arithmetic on bytes: a tenth of what it costs in floats.
    beyond = cv2.subtract(difference, np.array([reach], np.float64))
    return np.asarray(cv2.min(difference, cv2.add(beyond, beyond)), np.uint8)
