"""What an effect gets to work on: one rectangle of one plane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Patch:
    """A rectangle of one plane, to be changed in place where the mask says so, and nowhere else.

    Attributes:
        pixels: (h, w) uint8, a writable view into the plane.
        mask: (h, w) bool, true where the cover lies.
        face_width: width of the detected face in this plane's pixels.
        block: width in this plane's pixels of an eighth or more of the cover; the same area in every plane.
        neutral: the value of mid-grey in this plane.
    """

    pixels: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.bool_]
    face_width: float
    block: int
    neutral: int
