"""What a face does, as numbers that say nothing of whose face it is.

The mesh is laid on the mean face by turning, moving and scaling (Kabsch 1976, Umeyama 1991): that is the
pose. What then differs around the eyes, the mouth and the brows is the expression, and part of it is the
person: wide eyes, a broad mouth, high brows. neutral.py takes that part off; only where the face is, how
large, and how it is turned come through as they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import mean_face
from anonymizer.landmarks.networks import Points
from anonymizer.landmarks.points import (
    BROWS,
    INNER_LIPS,
    LOWER_LID,
    MOUTH_CORNERS,
    OUTER_LIPS,
    RIGID,
    UPPER_LID,
)
from anonymizer.landmarks.reading import FaceReading

Numbers = npt.NDArray[np.float32]

# The numbers of Raw and the attributes of Expression, in their order.
NAMES: Final = (
    *("open_near", "open_far", "gaze_x", "gaze_y"),
    *("mouth_open", "mouth_width", "smile", "brow_near", "brow_far"),
)


@dataclass(frozen=True)
class Pose:
    """Where a head is and how it is turned.

    Attributes:
        x, y: where the mean face's origin (between eyes and mouth) lies in the picture, in luma pixels.
        size: pixels of the mean face's unit, its width at the ears.
        yaw: radians; positive where the nose points to the picture's right.
        pitch: radians; positive where it points down.
        roll: radians; positive where the head leans to the picture's right (clockwise).
    """

    x: float
    y: float
    size: float
    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0


@dataclass(frozen=True)
class Expression:
    """What a face does, whoever it is.

    Attributes:
        open_near, open_far: how far the eyes are open: 0 shut, 1 as usual, up to 1.3.
        gaze_x, gaze_y: where both look within the head, -1 to 1: to the picture's right and down.
        mouth_open: 0 shut to 1.
        mouth_width: -1 pursed, 0 at rest, 1 wide.
        smile: -1 corners down, 0 at rest, 1 up.
        brow_near, brow_far: -1 drawn down, 0 at rest, 1 raised.
    """

    open_near: float = 1.0
    open_far: float = 1.0
    gaze_x: float = 0.0
    gaze_y: float = 0.0
    mouth_open: float = 0.0
    mouth_width: float = 0.0
    smile: float = 0.0
    brow_near: float = 0.0
    brow_far: float = 0.0


AT_REST: Final = Expression()


@dataclass(frozen=True)
class Raw:
    """What is read off one mesh: a pose, and numbers that still hold the person's own proportions.

    Attributes:
        pose: of the head.
        numbers: (9,): see NAMES; in units of the mean face, gaze in widths of the eye.
        trust: (2,) 0 to 1: how far each eye is turned towards the camera.
    """

    pose: Pose
    numbers: Numbers
    trust: tuple[float, float]


def read_off(reading: FaceReading) -> Raw:
    """Reads pose and numbers off a face."""
    reference = mean_face()
    turning, size, origin = laid_on(reference[list(RIGID)], reading.mesh[list(RIGID)])
    pose = Pose(float(origin[0]), float(origin[1]), size, *_angles(turning))
    # The face as if it looked straight at the camera, in units of the mean face.
    straight = (reading.mesh - origin) @ turning / size
    # An eye that is turned away is seen from the side: the other one tells more.
    near = _trust(pose.yaw)
    trust = (near, _trust(-pose.yaw))
    eyes = [_eye(reading.outlines[i], reading.irises[i], mirrored=bool(i)) for i in range(2)]
    gaze = np.average([eye[1:] for eye in eyes], axis=0, weights=trust)
    upper, lower = (straight[point] for point in INNER_LIPS)
    corners = straight[list(MOUTH_CORNERS)]
    middle = straight[list(OUTER_LIPS)].mean(axis=0)
    brows = [float(-straight[list(points), 1].mean()) for points in BROWS]
    numbers = [
        *(eye[0] for eye in eyes),
        *gaze,
        float(np.hypot(*(lower - upper)[:2])),
        float(corners[1, 0] - corners[0, 0]),
        float(middle[1] - corners[:, 1].mean()),
        *brows,
    ]
    return Raw(pose, np.array(numbers, np.float32), trust)


def laid_on(
    reference: Points, points: Points
) -> tuple[npt.NDArray[np.float64], float, npt.NDArray[np.float64]]:
    """Finds how a reference is turned, scaled and moved onto points.

    Args:
        reference, points: (N, 3).

    Returns:
        The rotation (3, 3), the scale, and where the reference's origin comes to lie.
    """
    a, b = (each.astype(np.float64) for each in (reference, points))
    a_middle, b_middle = a.mean(axis=0), b.mean(axis=0)
    a, b = a - a_middle, b - b_middle
    left, strengths, right = np.linalg.svd(b.T @ a)
    handed = np.diag([1.0, 1.0, float(np.sign(np.linalg.det(left @ right)))])
    turning = left @ handed @ right
    size = float((strengths * np.diag(handed)).sum() / max(1e-12, (a**2).sum()))
    size = max(size, 1e-6)
    return turning, size, b_middle - size * turning @ a_middle


def turning_of(yaw: float, pitch: float, roll: float) -> npt.NDArray[np.float64]:
    """Returns the rotation (3, 3) of a pose: first pitch, then yaw, then roll."""
    cy, sy, cp, sp, cr, sr = (f(v) for v in (yaw, pitch, roll) for f in (math.cos, math.sin))
    # x right, y down, z away from the camera: a nose, at negative z, goes right with yaw and down with pitch.
    around_y = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    around_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    around_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
    return np.asarray(around_z @ around_y @ around_x)


def _angles(turning: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a rotation: what turning_of takes."""
    yaw = math.asin(float(np.clip(turning[2, 0], -1, 1)))
    pitch = math.atan2(float(turning[2, 1]), float(turning[2, 2]))
    roll = math.atan2(float(turning[1, 0]), float(turning[0, 0]))
    return yaw, pitch, roll


def _trust(yaw: float) -> float:
    # The near eye (at the picture's left) is turned away when the nose points to the picture's left.
    return float(np.clip(0.6 + 1.2 * math.sin(yaw), 0.02, 1.0))


def _eye(outline: Points, iris: Points, *, mirrored: bool) -> tuple[float, float, float]:
    """Openness and gaze of an eye, in its own width."""
    outer, inner = outline[0], outline[8]
    along = (outer - inner if mirrored else inner - outer).astype(np.float64)
    width = max(1e-6, float(np.hypot(*along)))
    across = np.array([-along[1], along[0]]) / width
    along = along / width
    offset = iris[0] - (outer + inner) / 2
    lids = [outline[lid] @ across for lid in (LOWER_LID, UPPER_LID)]
    gap = float(np.sort(lids[0])[-4:].mean() - np.sort(lids[1])[:4].mean())
    return gap / width, float(offset @ along) / width, float(offset @ across) / width
