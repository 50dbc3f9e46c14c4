"""Two pictures beside each other, each under its label."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from evaluation.comparison.changed import Mask, Pixels

MOST_ACROSS: Final = 960
GUTTER: Final = 8
PAPER: Final = (24, 26, 30)
INK: Final = (236, 236, 232)
WARNING: Final = (255, 176, 92)
HATCH_LIGHT, HATCH_DARK = 118, 104

LEFT_COVERED: Final = "ORIGINAL, COVERED"
LEFT_OPEN: Final = "ORIGINAL, NOT COVERED: FOR YOUR EYES ONLY"
RIGHT: Final = "RESULT"


def cover(picture: Pixels, mask: Mask) -> Pixels:
    """Returns a picture with hatching where the mask says so: plainly no effect of ours."""
    height, width = mask.shape
    stripe = max(4, min(height, width) // 60)
    diagonal = (np.arange(height)[:, None] + np.arange(width)[None, :]) // stripe % 2
    hatching = np.where(diagonal, HATCH_LIGHT, HATCH_DARK).astype(np.uint8)
    return np.where(mask[:, :, None], hatching[:, :, None], picture)


def side_by_side(left: Pixels, right: Pixels, *, is_open: bool) -> Pixels:
    """Returns one picture, (H, W, 3) uint8 RGB, even in both sizes.

    Args:
        left: (h, w, 3) uint8 RGB.
        right: of the same shape.
        is_open: whether the left one is the original as it is; then its label warns.
    """
    share = min(1.0, MOST_ACROSS / left.shape[1])
    across, down = (max(2, round(size * share) // 2 * 2) for size in (left.shape[1], left.shape[0]))
    band = max(20, round(0.06 * down) // 2 * 2)
    sheet = np.full((down + band, 2 * across + GUTTER, 3), PAPER, np.uint8)
    for at, picture in ((0, left), (across + GUTTER, right)):
        sheet[band:, at : at + across] = cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA)
    _write(sheet[:band, :across], LEFT_OPEN if is_open else LEFT_COVERED, WARNING if is_open else INK)
    _write(sheet[:band, across + GUTTER :], RIGHT, INK)
    return sheet


def stacked(sheets: list[Pixels]) -> Pixels:
    """Returns sheets of one size below each other."""
    return np.concatenate(sheets, axis=0)


def _write(band: npt.NDArray[np.uint8], text: str, colour: tuple[int, int, int]) -> None:
    """Puts a label into a band, as large as it fits."""
    font, (height, width) = cv2.FONT_HERSHEY_DUPLEX, band.shape[:2]
    (long, tall), _ = cv2.getTextSize(text, font, 1.0, 1)
    size = min(0.5 * height / tall, (width - height / 2) / long)
    canvas = np.ascontiguousarray(band)
    origin = (height // 4, round((height + tall * size) / 2))
    cv2.putText(canvas, text, origin, font, size, colour, 1, cv2.LINE_AA)
    band[:] = canvas
