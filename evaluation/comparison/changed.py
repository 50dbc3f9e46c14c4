"""Where two pictures differ beyond what an encoder does.

Encoders change every pixel a little, and their changes cancel out over a block; a cover changes the mean of
blocks. So means are compared. Blocks of a small difference count beside those of a large one: a blur leaves
parts of a face almost as they were, which is also why outlines are filled, and rounded where they nearly are.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]

BLOCK: Final = 8
# Differences of a block's mean, of 255. x264 at crf 25 stays under 5 on the clips that were looked at, but
# for single blocks of what moves fast.
CERTAIN: Final = 12.0
POSSIBLE: Final = 5.0
# In blocks: how far from a certain one a possible one counts, and how far apart parts of one cover may be.
REACH_BLOCKS: Final = 3
GAP_BLOCKS: Final = 1
# An outline that fills this much of its convex hull is that of one round thing.
ROUND_SHARE: Final = 0.8


def changed(original: Pixels, result: Pixels) -> Mask:
    """Returns what of a picture was changed.

    Args:
        original: (H, W, 3) uint8 RGB.
        result: of the same shape.

    Returns:
        (H, W), whole outlines with a margin of a block.
    """
    height, width = original.shape[:2]
    size = (-(-width // BLOCK), -(-height // BLOCK))
    before, after = (
        cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        for picture in (original, result)
    )
    difference = np.abs(before - after).max(axis=2)
    certain = (difference > CERTAIN).astype(np.uint8)
    near = cv2.dilate(certain, _disc(REACH_BLOCKS))
    blocks = _filled(certain | near & (difference > POSSIBLE).astype(np.uint8))
    # Between the blocks' middles the outline is drawn smoothly; a whole block around it was added before.
    fine = cv2.resize(blocks * np.uint8(255), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(fine > 100)


def _filled(blocks: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Joins what is close, fills each outline, and adds a block around it."""
    joined = cv2.morphologyEx(blocks, cv2.MORPH_CLOSE, _disc(GAP_BLOCKS))
    outlines, _ = cv2.findContours(joined, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = np.zeros_like(blocks)
    for outline in outlines:
        hull = cv2.convexHull(outline)
        is_round = cv2.contourArea(outline) >= ROUND_SHARE * cv2.contourArea(hull)
        cv2.drawContours(filled, [hull if is_round else outline], -1, 1, cv2.FILLED)
    return np.asarray(cv2.dilate(filled, np.ones((3, 3), np.uint8)), np.uint8)


def _disc(radius: int) -> npt.NDArray[np.uint8]:
    size = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, size), np.uint8)
