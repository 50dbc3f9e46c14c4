"""A square of a scene, turned upright and brought to a network's size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.contract import Image
from anonymizer.effects.colours import rgb_of
from anonymizer.effects.region import Plane
from anonymizer.landmarks.networks import Points

# A picture that is this much finer than the crop is first made coarser, by the mean of its pixels.
FINER: Final = 2.0
# No square is larger than this many times the picture: a network that sees so much of nothing sees nobody.
LARGEST: Final = 3.0


@dataclass(frozen=True)
class Square:
    """A square in the picture, perhaps turned.

    Attributes:
        x, y: its middle in luma pixels.
        side: in luma pixels.
        turn: radians by which it is turned clockwise: what is upright in it leans right in the picture.
        mirrored: whether its left and right are exchanged.
    """

    x: float
    y: float
    side: float
    turn: float = 0.0
    mirrored: bool = False

    def picture_of(self, points: Points, crop_side: int) -> Points:
        """Brings points, (N, 2 or 3) in pixels of a crop, into the picture; depth is scaled alike."""
        made = points.astype(np.float32)
        way = self.to_picture(crop_side)
        made[:, :2] = made[:, :2] @ way[:, :2].T + way[:, 2]
        made[:, 2:] *= self.side / crop_side
        return made

    def to_picture(self, crop_side: int) -> npt.NDArray[np.float32]:
        """Returns (2, 3): from a crop's pixels to the picture's."""
        share = self.side / crop_side
        cosine, sine = math.cos(self.turn) * share, math.sin(self.turn) * share
        across = -1 if self.mirrored else 1
        turning = np.array([[cosine * across, -sine], [sine * across, cosine]])
        shift = np.array([self.x, self.y]) - turning @ np.array([crop_side / 2, crop_side / 2])
        return np.hstack([turning, shift[:, None]]).astype(np.float32)


def crop_of(planes: Sequence[Plane], width: int, height: int, square: Square, crop_side: int) -> Image | None:
    """Returns a square of a scene as (crop_side, crop_side, 3) uint8 RGB.

    Beyond the picture its edge goes on.

    Args:
        planes: the scene's.
        width, height: of the scene, in luma pixels.
        square: what is wanted.
        crop_side: its size in the crop.

    Returns:
        None where the square lies wholly outside, or is out of all proportion.
    """
    if not 1 <= square.side <= LARGEST * max(width, height):
        return None
    reach = square.side / 2 * (abs(math.cos(square.turn)) + abs(math.sin(square.turn))) + 2
    left, top = (max(0, math.floor(v - reach) // 2 * 2) for v in (square.x, square.y))
    right, bottom = (min(size, math.ceil(v + reach)) for v, size in ((square.x, width), (square.y, height)))
    if right - left < 2 or bottom - top < 2:
        return None
    finer = square.side / crop_side / FINER
    size = None
    if finer > 1:
        size = max(2, round((right - left) / finer)), max(2, round((bottom - top) / finer))
    part = rgb_of(planes, left, top, right, bottom, size)
    across, down = (right - left) / part.shape[1], (bottom - top) / part.shape[0]
    # A pixel's number stands for its middle.
    to_part = np.array(
        [[1 / across, 0, (0.5 - left) / across - 0.5], [0, 1 / down, (0.5 - top) / down - 0.5]]
    )
    whole = to_part @ np.vstack([square.to_picture(crop_side), [0, 0, 1]])
    crop = cv2.warpAffine(
        part,
        whole,
        (crop_side, crop_side),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(crop, np.uint8)
