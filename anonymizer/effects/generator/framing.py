"""The square that a generator fills, upright with the head, and its face brought into the picture."""

from __future__ import annotations

import math
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.colours import Rgb
from anonymizer.effects.generator.network import MadeFace
from anonymizer.effects.mean_face import Mesh
from anonymizer.effects.region import Mask
from anonymizer.effects.swap.blending import cover_edge
from anonymizer.landmarks.expression import Pose

FloatArray = npt.NDArray[np.float32]

# The square's side, in widths of the face at the ears; the face is in its middle.
SIDE: Final = 1.7
# Without alpha the middle of the square counts, as an ellipse of this half width and height.
_ELLIPSE: Final = (0.36, 0.46)
_SOFT: Final = 0.10
# Along the cover's edge, as a share of the square.
_RIM: Final = 0.05


def into_square(pose: Pose) -> npt.NDArray[np.float64]:
    """Returns (2, 3): from the picture's pixels to 0 to 1 across and down the square."""
    side = SIDE * pose.size
    cosine, sine = math.cos(pose.roll) / side, math.sin(pose.roll) / side
    turning = np.array([[cosine, sine], [-sine, cosine]])
    shift = np.array([0.5, 0.5]) - turning @ np.array([pose.x, pose.y])
    return np.hstack([turning, shift[:, None]])


def landmarks_in(mesh: Mesh, pose: Pose, wanted: tuple[tuple[int, ...], ...]) -> FloatArray:
    """Returns (N, 2): where points of a mesh in the picture lie in the square."""
    way = into_square(pose)
    points = [mesh[list(numbers), :2].mean(axis=0) for numbers in wanted]
    if not points:
        return np.zeros((0, 2), np.float32)
    return np.asarray(np.stack(points) @ way[:, :2].T + way[:, 2], np.float32)


def pasted(fill: Rgb, open_cells: Mask, made: MadeFace, pose: Pose) -> Rgb:
    """Lays a made face over a fill.

    Args:
        fill: (h, w, 3) of the cover's rectangle.
        open_cells: where the cover is, on the coarse grid.
        made: the face.
        pose: in pixels of the rectangle.
    """
    height, width = fill.shape[:2]
    side = len(made.rgb)
    to_square = into_square(pose) * side
    to_square[:, 2] -= 0.5
    alpha = _ellipse(side) if made.alpha is None else _framed(made.alpha)
    square, share = made.rgb.astype(np.float32), alpha
    # One that is much finer than where it goes would flicker.
    while side > 2 * SIDE * pose.size and side > 2:
        side //= 2
        square, share = (
            np.asarray(cv2.resize(each, (side, side), interpolation=cv2.INTER_AREA), np.float32)
            for each in (square, share)
        )
    scale = side / len(made.rgb)
    way = to_square * scale
    way[:, 2] += 0.5 * scale - 0.5
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    face = cv2.warpAffine(square, way, (width, height), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.warpAffine(share, way, (width, height), flags=flags, borderValue=0)
    seen = seen * cover_edge(open_cells, width, height, _RIM * SIDE * pose.size)
    blend = fill + seen[:, :, None] * (face - fill)
    return np.clip(np.round(blend), 0, 255).astype(np.uint8)


def _framed(alpha: FloatArray) -> FloatArray:
    """Lets alpha end before the square does: no straight edge may show."""
    side = len(alpha)
    away = np.minimum(np.arange(side), np.arange(side)[::-1]) / (side * _SOFT / 2)
    rim = np.clip(away, 0, 1).astype(np.float32)
    return alpha * np.minimum(rim[:, None], rim[None, :])


def _ellipse(side: int) -> FloatArray:
    place = (np.arange(side) + 0.5) / side - 0.5
    half_width, half_height = _ELLIPSE
    away = np.sqrt((place[None, :] / half_width) ** 2 + (place[:, None] / half_height) ** 2)
    return np.asarray(np.clip((1 - away) / _SOFT, 0, 1), np.float32)
