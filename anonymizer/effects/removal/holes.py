"""A guess at what was never seen, by the nearest background that was.

Made on a small copy (Telea, "An Image Inpainting Technique Based on the Fast Marching Method", 2004), so that
its cost does not depend on the picture's size. It is a guess and looks like one: smooth, without detail.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.region import Mask

FloatArray = npt.NDArray[np.float32]

# Long side of the small copy.
SIDE: Final = 240
RADIUS: Final = 4.0
# Of a small pixel's area, what must be known for it to count.
LEAST_KNOWN: Final = 0.5


def guessed(planes: Sequence[FloatArray], known: Mask) -> list[FloatArray] | None:
    """Fills in what is not known.

    Args:
        planes: one or three, of any sizes, all of one picture.
        known: (rows, columns) on the coarse grid.

    Returns:
        A small copy of each plane, float32, without holes; None where nothing is known at all.
    """
    rows, columns = known.shape
    share = min(1.0, SIDE / max(rows, columns))
    size = (max(1, round(columns * share)), max(1, round(rows * share)))
    weight = np.asarray(cv2.resize(known.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
    holes = weight < LEAST_KNOWN
    if holes.all():
        return None
    small = []
    for plane in planes:
        full = cv2.resize(known.view(np.uint8), plane.shape[::-1], interpolation=cv2.INTER_NEAREST)
        total = cv2.resize(plane * full, size, interpolation=cv2.INTER_AREA)
        share_known = cv2.resize(full.astype(np.float32), size, interpolation=cv2.INTER_AREA)
        small.append(np.asarray(total / np.maximum(share_known, 1e-3), np.float32))
    if not holes.any():
        return small
    # The fast march takes one or three planes of bytes.
    stacked = np.clip(np.stack(small, axis=2), 0, 255).astype(np.uint8)
    filled = cv2.inpaint(
        stacked if len(small) == 3 else stacked[:, :, 0], holes.view(np.uint8), RADIUS, cv2.INPAINT_TELEA
    ).reshape(size[1], size[0], len(small))
    smooth = cv2.GaussianBlur(filled, (0, 0), 1.5).reshape(filled.shape).astype(np.float32)
    for place, plane in enumerate(small):
        np.copyto(plane, smooth[:, :, place], where=holes)
    return small
