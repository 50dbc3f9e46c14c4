"""A face of its own shape that moves as another does: no proportion of whoever is covered gets into it.

Of the other's mesh only the pose and a few small numbers are taken; they move the points of the shape along
directions that are fixed here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import Mesh, mean_face
from anonymizer.effects.meshes import LOWER_LIP, UPPER_LIP
from anonymizer.landmarks.points import BROWS, EYES, MOUTH_CORNERS

# Upper and lower lid, point above point, from the outer corner to the inner one, without the corners.
LIDS: Final = (
    ((246, 161, 160, 159, 158, 157, 173), (7, 163, 144, 145, 153, 154, 155)),
    ((466, 388, 387, 386, 385, 384, 398), (249, 390, 373, 374, 380, 381, 382)),
)
# Of the way that closes an eye, the upper lid goes this much and the lower one the rest.
_UPPER_SHARE: Final = 0.85
# Shut lids and lips go a little past each other: nothing shows between them.
_PAST: Final = 1.12
# When the jaw goes down, the corners of the mouth go so much of the way.
_CORNERS_GO: Final = 0.3
_NEAR_LID: Final = 0.045
_NEAR_CORNER: Final = 0.11
_NEAR_BROW: Final = 0.10


@dataclass(frozen=True)
class Moves:
    """What a face does, in widths of the mean face where it is a length.

    Attributes:
        lids: how far each eye is closed, 0 as in the shape, 1 shut; below zero wide open. The eye at the
            picture's left first.
        jaw: how much further than in the shape the lips are apart.
        wide: how much wider the mouth is.
        smile: how much its corners are raised.
        brows: how much each brow is raised.
    """

    lids: tuple[float, float] = (0.0, 0.0)
    jaw: float = 0.0
    wide: float = 0.0
    smile: float = 0.0
    brows: tuple[float, float] = (0.0, 0.0)


def moved(shape: Mesh, moves: Moves) -> Mesh:
    """Returns a shape, (468, 3) in units of the mean face, that does what is said."""
    made = np.array(shape, np.float32)
    made += moves.jaw * _jaw() + moves.wide * _wide() + moves.smile * _smile()
    for side, (closed, raised) in enumerate(zip(moves.lids, moves.brows, strict=True)):
        made += raised * _brow(side)
        upper, lower = (list(row) for row in LIDS[side])
        gap = made[lower] - made[upper]
        made += _PAST * closed * (_weights_of_lid(side, upper=True) @ (gap * _UPPER_SHARE))
        made -= _PAST * closed * (_weights_of_lid(side, upper=False) @ (gap * (1 - _UPPER_SHARE)))
    return made


@lru_cache(maxsize=1)
def _jaw() -> Mesh:
    """The lower lip and the chin go down; the more, the nearer they are to the middle."""
    face = mean_face()
    x, y, _ = face.T
    reach = float(face[MOUTH_CORNERS[1], 0])
    from_line = y - _mouth_line(x)
    # Along the lips most in the middle; the corners go some of the way, and what is beside them with them.
    by_lips = _CORNERS_GO + (1 - _CORNERS_GO) * np.clip(1 - (x / reach) ** 2, 0, 1) ** 0.7
    by_lips *= np.exp(-((np.maximum(np.abs(x) - reach, 0) / _NEAR_CORNER) ** 2))
    by_jaw = np.clip(1 - (np.abs(x) / 0.52) ** 3, 0, 1)
    depth = np.clip(from_line / 0.16, 0, 1)
    below = (1 - depth) * by_lips + depth * by_jaw
    above = _CORNERS_GO * np.max([_around(corner, _NEAR_CORNER / 2) for corner in MOUTH_CORNERS], axis=0)
    down = np.where(from_line > 0, below, above)
    down[list(LOWER_LIP[1:-1])] = by_lips[list(LOWER_LIP[1:-1])]
    down[list(UPPER_LIP[1:-1])] = above[list(UPPER_LIP[1:-1])]
    moves = np.zeros_like(face)
    moves[:, 1] = down
    # The jaw swings about the ears: what goes down goes back. An open mouth is narrower.
    moves[:, 2] = 0.35 * down
    for corner, way in zip(MOUTH_CORNERS, (0.2, -0.2), strict=True):
        moves[:, 0] += way * _around(corner, _NEAR_CORNER)
    return moves.astype(np.float32)


@lru_cache(maxsize=1)
def _wide() -> Mesh:
    moves = np.zeros_like(mean_face())
    for corner, way in zip(MOUTH_CORNERS, (-0.5, 0.5), strict=True):
        moves[:, 0] += way * _around(corner, _NEAR_CORNER)
    # Wider lips lie further back, on the round of the teeth.
    moves[:, 2] += np.abs(moves[:, 0]) * 0.3
    return moves


@lru_cache(maxsize=1)
def _smile() -> Mesh:
    moves = np.zeros_like(mean_face())
    for corner in MOUTH_CORNERS:
        moves[:, 1] -= _around(corner, _NEAR_CORNER)
    return moves


@lru_cache(maxsize=2)
def _brow(side: int) -> Mesh:
    face = mean_face()
    outer, inner = EYES[side]
    around = np.max([_around(point, _NEAR_BROW) for point in BROWS[side]], axis=0)
    lids = float(face[[outer, inner], 1].mean())
    above = np.clip((lids - 0.03 - face[:, 1]) / 0.08, 0, 1)
    moves = np.zeros_like(face)
    moves[:, 1] = -around * above
    return moves


@lru_cache(maxsize=4)
def _weights_of_lid(side: int, *, upper: bool) -> npt.NDArray[np.float32]:
    """Returns (468, 7): how much each point goes with each of a lid's; its own wholly with themselves."""
    face = mean_face()
    lid, other = LIDS[side] if upper else LIDS[side][::-1]
    away = np.linalg.norm(face[:, None, :2] - face[list(lid)][None, :, :2], axis=2)
    weights = np.exp(-((away / _NEAR_LID) ** 2))
    weights /= np.maximum(weights.sum(axis=1, keepdims=True), 1)
    line = np.interp(face[:, 0], *_sorted(face[list(lid)]))
    beyond = (face[:, 1] - line) * (-1 if upper else 1)
    weights[beyond < -1e-4] = 0
    weights[[*other, *EYES[side]]] = 0
    weights[list(lid)] = np.eye(len(lid))
    return np.asarray(weights, np.float32)


def _mouth_line(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    face = mean_face()
    return np.asarray(
        (np.interp(x, *_sorted(face[list(UPPER_LIP)])) + np.interp(x, *_sorted(face[list(LOWER_LIP)]))) / 2
    )


def _sorted(points: Mesh) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    by_x = points[np.argsort(points[:, 0])]
    return by_x[:, 0], by_x[:, 1]


def _around(point: int, reach: float) -> npt.NDArray[np.float32]:
    face = mean_face()
    away = np.linalg.norm(face - face[point], axis=1)
    return np.asarray(np.exp(-((away / reach) ** 2)), np.float32)
