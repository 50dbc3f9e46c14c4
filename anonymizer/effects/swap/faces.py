"""The faces that are put on others: a shape, a picture of it in an atlas, and eyes that may look about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import Mesh, mean_face
from anonymizer.effects.meshes import ATLAS_SIDE, Pixels, atlas_points
from anonymizer.effects.swap.driving import Moves, moved
from anonymizer.effects.swap.eyes import PaintedEye
from anonymizer.effects.swap.head import strands_of
from anonymizer.effects.swap.painting import paint_face
from anonymizer.effects.tones import Colour
from anonymizer.landmarks.expression import Expression, Pose, turning_of
from anonymizer.landmarks.points import INNER_LIPS

# A full movement, in widths of the mean face.
_JAW: Final = 0.19
_WIDE: Final = 0.07
_SMILE: Final = 0.03
_BROW: Final = 0.045
# Lips that are shut go a little past each other, so that nothing shows between them.
_SHUT: Final = 0.012
# Whoever speaks never opens so wide that the eyes stand out.
_WIDEST_EYE: Final = 0.35
# Where skin is looked at: cheeks, forehead, chin, nose.
_SKIN: Final = (50, 280, 101, 330, 151, 9, 108, 337, 199, 195)
_SKIN_REACH: Final = 9


@dataclass(frozen=True)
class Face:
    """A face that can be put on another.

    Attributes:
        shape: (468, 3) in units of the mean face, as it looks straight ahead.
        atlas: (ATLAS_SIDE, ATLAS_SIDE, 3) uint8 RGB.
        skin, hair: their colours, RGB.
        strands: how its hair is brighter and darker (head.strands_of).
        eyes: those that are painted; none where they are part of the atlas.
    """

    shape: Mesh
    atlas: Pixels
    skin: Colour
    hair: Colour
    strands: npt.NDArray[np.float32]
    eyes: tuple[PaintedEye, ...] = ()

    def looking(self, expression: Expression) -> Pixels:
        """Returns the atlas with the eyes looking somewhere."""
        if not self.eyes:
            return self.atlas
        atlas = self.atlas.copy()
        for eye in self.eyes:
            eye.looking(atlas, expression.gaze_x, expression.gaze_y)
        return atlas

    def doing(self, expression: Expression, pose: Pose) -> Mesh:
        """Returns the mesh, (468, 3) in pixels, of the face with an expression in a pose."""
        return placed(self.shape, expression, pose)


def placed(shape: Mesh, expression: Expression, pose: Pose) -> Mesh:
    """Returns the mesh, (468, 3) in pixels, of a shape with an expression in a pose."""
    upper, lower = (shape[point, 1] for point in INNER_LIPS)
    moves = Moves(
        lids=(_closed(expression.open_near), _closed(expression.open_far)),
        jaw=expression.mouth_open * _JAW - max(0.0, float(lower - upper)) - _SHUT,
        wide=expression.mouth_width * _WIDE,
        smile=expression.smile * _SMILE,
        brows=(expression.brow_near * _BROW, expression.brow_far * _BROW),
    )
    turning = turning_of(pose.yaw, pose.pitch, pose.roll)
    mesh = moved(shape, moves) @ turning.T * pose.size + np.array([pose.x, pose.y, 0])
    return np.asarray(mesh, np.float32)


def painted_face(seed: bytes) -> Face:
    """Returns the synthetic face of a seed."""
    painted = paint_face(seed)
    skin = skin_of(painted.atlas)
    return Face(mean_face(), painted.atlas, skin, painted.hair, strands_of(seed), painted.eyes)


def skin_of(atlas: Pixels) -> Colour:
    """Returns the middle colour of a face's skin, RGB."""
    mask = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.uint8)
    for x, y in atlas_points()[list(_SKIN)]:
        cv2.circle(mask, (round(float(x)), round(float(y))), _SKIN_REACH, 255, -1)
    red, green, blue = np.median(atlas[mask > 0], axis=0)
    return float(red), float(green), float(blue)


def _closed(opened: float) -> float:
    return max(1 - opened, -_WIDEST_EYE)
