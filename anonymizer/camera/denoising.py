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

WINDOW: Final = 5
SAMPLE_EVERY: Final = 8
# Of a normal distribution, the median of what lies off the mean, in deviations.
MEDIAN_OF_NORMAL: Final = 0.6745
# In deviations of the noise: up to here all of it goes, from twice as much all stays.
REACH: Final = 3.0
# Of 255. Less would leave the pattern of a quiet camera; more would take skin and cloth with it.
LEAST_REACH, MOST_REACH = 4.0, 10.0


def noise_deviation(plane: PlaneArray) -> float:
    """Returns the standard deviation of a plane's fine noise, of 255; of a picture full of texture, more."""
    sampled = plane - cv2.GaussianBlur(plane, (WINDOW, WINDOW), 0).astype(np.int16)
    return float(np.median(np.abs(sampled[::SAMPLE_EVERY, ::SAMPLE_EVERY]))) / MEDIAN_OF_NORMAL


def reach_of(deviation: float) -> int:
    """Returns up to which difference from their surroundings pixels are smoothed, of 255."""
    return round(min(MOST_REACH, max(LEAST_REACH, REACH * deviation)))


def smooth(plane: PlaneArray, reach: int) -> PlaneArray:
    """Returns a plane, (H, W) uint8, without differences up to a reach."""
    around = cv2.GaussianBlur(plane, (WINDOW, WINDOW), 0)
    above = _kept(np.asarray(cv2.subtract(plane, around), np.uint8), reach)
    below = _kept(np.asarray(cv2.subtract(around, plane), np.uint8), reach)
    return np.asarray(cv2.subtract(cv2.add(around, above), below), np.uint8)


def _kept(difference: PlaneArray, reach: int) -> PlaneArray:
    # Saturating arithmetic on bytes: a tenth of what it costs in floats.
    beyond = cv2.subtract(difference, np.array([reach], np.float64))
    return np.asarray(cv2.min(difference, cv2.add(beyond, beyond)), np.uint8)
