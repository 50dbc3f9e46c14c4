"""A picture bent so that points of it come to lie elsewhere, smoothly, and not at all at the cover's edge."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.colours import Rgb
from anonymizer.effects.region import Mask

Points = npt.NDArray[np.float32]

# The bend is worked out on so many points along the longer side: it is smooth.
_GRID: Final = 44
# How far a point's own move reaches, as a share of the face's size.
REACH: Final = 0.075
# Away from all points nothing moves.
_STILL: Final = 0.15
# From the cover's edge inwards, as a share of its shorter side, the bend comes to its full strength.
_RIM: Final = 0.16


def bent(picture: Rgb, open_cells: Mask, of: Points, onto: Points, size: float) -> Rgb:
    """Bends a picture.

    Args:
        picture: (h, w, 3) of the cover's rectangle.
        open_cells: where the cover is, on the coarse grid.
        of, onto: (N, 2) in pixels of the rectangle: what lies at the first comes to the second.
        size: of the face, in pixels.
    """
    height, width = picture.shape[:2]
    share = min(1.0, _GRID / max(width, height))
    across, down = (max(2, round(side * share)) for side in (width, height))
    x, y = np.meshgrid(
        (np.arange(across, dtype=np.float32) + 0.5) * width / across - 0.5,
        (np.arange(down, dtype=np.float32) + 0.5) * height / down - 0.5,
    )
    # Backwards: what is seen at a place comes from where the points near it were (Shepard 1968; Gaussians).
    away = ((x[:, :, None] - onto[:, 0]) ** 2 + (y[:, :, None] - onto[:, 1]) ** 2) / (REACH * size) ** 2
    weights = np.exp(-away)
    moves = (weights @ (of - onto)) / (weights.sum(axis=2, keepdims=True) + _STILL)
    moves *= _strength(open_cells, across, down)[:, :, None]
    whole = cv2.resize(moves.astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    rows, columns = np.mgrid[:height, :width].astype(np.float32)
    made = cv2.remap(
        picture,
        columns + whole[:, :, 0],
        rows + whole[:, :, 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(made, np.uint8)


def _strength(open_cells: Mask, across: int, down: int) -> npt.NDArray[np.float32]:
    cover = cv2.resize(open_cells.astype(np.uint8), (across, down), interpolation=cv2.INTER_NEAREST)
    framed = cv2.copyMakeBorder(cover, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    away = cv2.distanceTransform(framed, cv2.DIST_L2, 3)[1:-1, 1:-1] - 1
    share = np.clip(away / max(1.0, _RIM * min(across, down)), 0, 1).astype(np.float32)
    return np.asarray(share * share * (3 - 2 * share), np.float32)
