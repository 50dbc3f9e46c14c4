"""What a face is painted with: soft shapes in an atlas, and colours mixed in by their share."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.meshes import ATLAS_SIDE, Points2, atlas_points

# (ATLAS_SIDE, ATLAS_SIDE, 3), RGB from 0 to 255.
Canvas = npt.NDArray[np.float32]
# (ATLAS_SIDE, ATLAS_SIDE), 0 to 1: how much of a colour each pixel gets.
Share = npt.NDArray[np.float32]
Colour = tuple[float, float, float]

_SHIFT: Final = 4
# A smaller share than this changes no colour.
_UNSEEN: Final = 0.002
# A blob ends at so many times its reach.
_REACHES: Final = 2.5


def mix(canvas: Canvas, share: Share, colour: Colour) -> None:
    """Mixes a colour into a canvas, in place."""
    left, top, across, down = cv2.boundingRect((share > _UNSEEN).astype(np.uint8))
    part = canvas[top : top + down, left : left + across]
    part += share[top : top + down, left : left + across, None] * (np.array(colour, np.float32) - part)


def tone(canvas: Canvas, share: Share, factor: Colour) -> None:
    """Makes a canvas lighter or darker by a factor for each colour, in place."""
    canvas *= 1 + share[:, :, None] * (np.array(factor, np.float32) - 1)


def times(colour: Colour, factor: float) -> Colour:
    """Returns a lighter or darker colour."""
    red, green, blue = (min(255.0, value * factor) for value in colour)
    return red, green, blue


def blob(middle: Sequence[float], across: float, down: float) -> Share:
    """Returns a soft ellipse; at its reach a third is left."""
    share = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.float32)
    (left, right), (top, bottom) = (
        (max(0, int(v - _REACHES * reach)), max(0, int(v + _REACHES * reach) + 2))
        for v, reach in ((middle[0], across), (middle[1], down))
    )
    part = share[top:bottom, left:right]
    rows, columns = np.ogrid[top : top + part.shape[0], left : left + part.shape[1]]
    part[:] = np.exp(-(((columns - middle[0]) / across) ** 2 + ((rows - middle[1]) / down) ** 2))
    return share


def disc(middle: Sequence[float], across: float, down: float) -> Share:
    """Returns an ellipse with a clean edge."""
    rows, columns = np.ogrid[:ATLAS_SIDE, :ATLAS_SIDE]
    distance = np.sqrt(((columns - middle[0]) / across) ** 2 + ((rows - middle[1]) / down) ** 2)
    return np.asarray(np.clip((1 - distance) * min(across, down) / 1.6 + 0.5, 0, 1), np.float32)


def area(numbers: Sequence[int], blur: float) -> Share:
    """Returns what lies within points of the mesh."""
    return polygon(atlas_points()[list(numbers)], blur)


def polygon(points: npt.NDArray[Any], blur: float) -> Share:
    """Returns what lies within points, (N, 2)."""
    mask = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.uint8)
    cv2.fillPoly(mask, [fixed(points)], 255, cv2.LINE_AA, _SHIFT)
    return _soft(mask, blur)


def line(numbers: Sequence[int], width: int, blur: float) -> Share:
    """Returns a line through points of the mesh."""
    mask = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.uint8)
    cv2.polylines(mask, [fixed(atlas_points()[list(numbers)])], False, 255, width, cv2.LINE_AA, _SHIFT)
    return _soft(mask, blur)


def hair(strokes: npt.NDArray[np.uint8], root: Points2, tip: Points2, value: int) -> None:
    """Draws one hair into (ATLAS_SIDE, ATLAS_SIDE) uint8, in place."""
    (x1, y1), (x2, y2) = (fixed(point).tolist() for point in (root, tip))
    cv2.line(strokes, (x1, y1), (x2, y2), value, 1, cv2.LINE_AA, _SHIFT)


def triangle(values: Share, corners: Points2, value: float) -> None:
    """Fills a triangle, (3, 2), with a value, in place."""
    cv2.fillConvexPoly(values, fixed(corners), value, cv2.LINE_8, _SHIFT)


def fixed(points: npt.NDArray[Any]) -> npt.NDArray[np.int32]:
    """Returns coordinates as OpenCV takes them: in sixteenths of a pixel."""
    return np.round(np.asarray(points) * (1 << _SHIFT)).astype(np.int32)


def _soft(mask: npt.NDArray[np.uint8], blur: float) -> Share:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur).astype(np.float32) / 255, np.float32)
