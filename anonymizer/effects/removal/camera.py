"""Whether the camera stands still, and how far it was moved if not.

Points that stand out in the plate are looked for in the new frame (Lucas and Kanade, "An Iterative Image
Registration Technique", 1981). Most of them moving alike is the camera; what moves on its own is not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.region import Mask

Pixels = npt.NDArray[np.uint8]

# Long side of the copies that are compared.
SIDE: Final = 512
MOST_POINTS: Final = 80
# With fewer, the picture is too blank to tell by points.
LEAST_POINTS: Final = 8
# Pixels of the copy. Standing still, the median of the points moves by less than .03 (measured).
LEAST_SHIFT: Final = 0.12
ALIKE: Final = 0.6
# Of the points, those that must move alike.
LEAST_SHARE: Final = 0.5
# Farther than this in one step nothing of the plate is worth keeping. Of the copy's width.
FARTHEST: Final = 0.1
# Of 255: a blank picture that differs by more, in its median, is another one.
ANOTHER: Final = 30.0


@dataclass(frozen=True)
class Moved:
    """How a picture lies against the plate.

    Attributes:
        across, down: how far its content has moved, in pixels of the picture.
    """

    across: float = 0.0
    down: float = 0.0

    @property
    def is_still(self) -> bool:
        """Nothing has moved."""
        return self.across == 0 and self.down == 0


def how_it_moved(now: Pixels, usual: Pixels, where: Mask, pixels_each: float) -> Moved | None:
    """Compares two pictures.

    Args:
        now, usual: (h, w) uint8 luma, copies of the frame and of the plate.
        where: (h, w), what can be compared.
        pixels_each: pixels of the picture in one of a copy.

    Returns:
        None where the picture is another one: another place, another focal length, a camera turned far.
    """
    points = cv2.goodFeaturesToTrack(usual, MOST_POINTS, 0.02, 9, mask=where.astype(np.uint8))
    if points is None or len(points) < LEAST_POINTS:
        return _blank(now, usual, where)
    found, status, _ = cv2.calcOpticalFlowPyrLK(usual, now, points, None, winSize=(15, 15), maxLevel=3)
    shifts = (found - points)[status[:, 0] == 1, 0]
    if len(shifts) < max(LEAST_POINTS, LEAST_SHARE * len(points)):
        return None
    middle = np.median(shifts, axis=0)
    alike = np.abs(shifts - middle).max(axis=1) < ALIKE
    if float(alike.mean()) < LEAST_SHARE or float(np.abs(middle).max()) > FARTHEST * now.shape[1]:
        return None
    if float(np.abs(middle).max()) < LEAST_SHIFT:
        return Moved()
    across, down = shifts[alike].mean(axis=0) * pixels_each
    return Moved(float(across), float(down))


def _blank(now: Pixels, usual: Pixels, where: Mask) -> Moved | None:
    if not where.any():
        return Moved()
    apart = np.abs(now[where].astype(np.int16) - usual[where])
    return None if float(np.median(apart)) > ANOTHER else Moved()
