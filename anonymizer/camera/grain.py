"""New noise from no sensor: a picture without any looks like wax, and shows that something was taken out."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

PlaneArray = npt.NDArray[np.uint8]

# Of 255. Coders drop what is finer; more costs bits.
LEAST_DEVIATION, MOST_DEVIATION = 0.8, 2.0
# Of the noise that was there.
SHARE: Final = 0.6
# The sheet is larger than a picture by this, and laid on it at a new place in each frame.
SPARE: Final = 256


class Grain:
    """A sheet of noise for pictures of one size."""

    def __init__(self, random: np.random.Generator, width: int, height: int, deviation: float) -> None:
        """Draws the sheet, for a noise of a deviation that was there before."""
        wanted = min(MOST_DEVIATION, max(LEAST_DEVIATION, SHARE * deviation))
        drawn = random.standard_normal((height + SPARE, width + SPARE), np.float32) * np.float32(wanted)
        rounded = np.clip(np.rint(drawn), -127, 127).astype(np.int16)
        self._random = random
        # In two sheets, because bytes have no sign: a tenth of what it costs with one.
        self._above = np.maximum(rounded, 0).astype(np.uint8)
        self._below = np.maximum(-rounded, 0).astype(np.uint8)

    def place(self) -> tuple[int, int]:
        """Returns a new place of the sheet; planes of one picture that shall look grey share it."""
        top, left = self._random.integers(0, SPARE, 2)
        return int(top), int(left)

    def add(self, plane: PlaneArray, place: tuple[int, int]) -> PlaneArray:
        """Returns a plane, (H, W) uint8, with the grain upon it."""
        rows, columns = (
            slice(begins, begins + size) for begins, size in zip(place, plane.shape, strict=True)
        )
        brighter = cv2.add(plane, self._above[rows, columns])
        return np.asarray(cv2.subtract(brighter, self._below[rows, columns]), np.uint8)
