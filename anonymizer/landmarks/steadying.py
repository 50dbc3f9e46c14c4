"""A filter that holds still what rests and hardly lags behind what moves.

Casiez, Roussel and Vogel, "1 Euro Filter: A Simple Speed-based Low-pass Filter for Noisy Input in Interactive
Systems" (CHI 2012): a low-pass whose cutoff rises with the speed.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float32]


class Steady:
    """Steadies arrays of one shape, each number on its own. The first one passes as it is."""

    def __init__(self, rest_hertz: float, per_speed: float, speed_hertz: float = 3.0) -> None:
        """Takes the cutoff at rest, what each unit a second adds to it, and the cutoff for the speed."""
        self._rest_hertz = rest_hertz
        self._per_speed = per_speed
        self._speed_hertz = speed_hertz
        self._value: Numbers | None = None
        self._speed: Numbers = np.zeros((), np.float32)

    def after(self, numbers: Numbers, seconds: float, unit: float = 1.0) -> Numbers:
        """Returns the steadied numbers.

        Args:
            numbers: the newest.
            seconds: since those before; without time between, they pass.
            unit: how much of them is one unit of the speed.
        """
        if self._value is None or seconds <= 0:
            self._value, self._speed = numbers.copy(), np.zeros_like(numbers)
            return numbers.copy()
        speed = (numbers - self._value) / np.float32(seconds * unit)
        self._speed = self._speed + (speed - self._speed) * np.float32(_share(self._speed_hertz, seconds))
        rate = 2 * math.pi * seconds * (self._rest_hertz + self._per_speed * np.abs(self._speed))
        made = (self._value + (numbers - self._value) * (rate / (rate + 1))).astype(np.float32)
        self._value = made
        return made.copy()


def _share(hertz: float, seconds: float) -> float:
    rate = 2 * math.pi * hertz * seconds
    return rate / (rate + 1)
