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
from anonymizer.effects.removal.cells import FloatArray
from anonymizer.effects.removal.masks import grown

Pixels = npt.NDArray[np.uint8]

# Long side of the copies that are compared.
SIDE: Final = 512
# Smaller pictures tell nothing.
LEAST_SIDE: Final = 16
# Pixels of the copy: points near what is covered would see its edge.
_MARGIN: Final = 3
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
# The light may change by these factors; beyond them another one was switched on.
EXPOSURE: Final = (0.4, 2.5)
_DARK: Final = 8.0
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


def how_it_moved(luma: Pixels, plate: FloatArray, visible: Mask) -> Moved | None:
    """Compares a frame with the plate.

    Args:
        luma: (h, w) uint8, the frame's.
        plate: (h, w) float32, what the plate knows of it.
        visible: what can be compared, on the coarse grid.

    Returns:
        None where the picture is another one: another place, another focal length, a camera turned far.
    """
    each = max(1, round(max(luma.shape) / SIDE))
    size = (luma.shape[1] // each, luma.shape[0] // each)
    if min(size) < LEAST_SIDE:
        return Moved()
    now, usual = (_copy(plane, size, each) for plane in (luma, plate))
    where = cv2.resize(visible.view(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
    # Points at the edge of what is covered look a little beyond it: there they see the plate.
    now = np.where(where, _as_bright(now, usual, where), usual)
    moved = _moved(now, usual, ~grown(~where, _MARGIN))
    return None if moved is None else Moved(moved.across * each, moved.down * each)


def _copy(plane: Pixels | FloatArray, size: tuple[int, int], each: int) -> Pixels:
    whole = plane[: size[1] * each, : size[0] * each]
    small = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    return np.clip(np.asarray(small), 0, 255).astype(np.uint8)


def _as_bright(now: Pixels, usual: Pixels, where: Mask) -> Pixels:
    """Returns the frame in the plate's light: points are known again by their brightness."""
    if not where.any():
        return now
    factor = float(np.median((usual[where] + _DARK) / (now[where] + _DARK)))
    lit = (now + _DARK) * min(max(factor, EXPOSURE[0]), EXPOSURE[1]) - _DARK
    return np.asarray(np.clip(lit, 0, 255), np.uint8)


def _moved(now: Pixels, usual: Pixels, where: Mask) -> Moved | None:
    points = cv2.goodFeaturesToTrack(usual, MOST_POINTS, 0.02, 9, mask=where.astype(np.uint8))
    if points is None or len(points) < LEAST_POINTS:
        return _blank(now, usual, where)
    found, status, _ = cv2.calcOpticalFlowPyrLK(
        usual, now, points, points.copy(), winSize=(15, 15), maxLevel=3
    )
    shifts = np.asarray(found - points, np.float32)[np.asarray(status)[:, 0] == 1, 0]
    if len(shifts) < max(LEAST_POINTS, LEAST_SHARE * len(points)):
        return None
    middle = np.median(shifts, axis=0)
    alike = np.abs(shifts - middle).max(axis=1) < ALIKE
    if float(alike.mean()) < LEAST_SHARE or float(np.abs(middle).max()) > FARTHEST * now.shape[1]:
        return None
    if float(np.abs(middle).max()) < LEAST_SHIFT:
        return Moved()
    across, down = shifts[alike].mean(axis=0).tolist()
    return Moved(across, down)


def _blank(now: Pixels, usual: Pixels, where: Mask) -> Moved | None:
    if not where.any():
        return Moved()
    apart = np.abs(now[where].astype(np.int16) - usual[where])
    return None if float(np.median(apart)) > ANOTHER else Moved()
