"""The features of one face in one frame: a rough square in, points out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from anonymizer.effects.region import Plane
from anonymizer.landmarks.cropping import Square, crop_of
from anonymizer.landmarks.networks import IRIS_SIDE, MESH_SIDE, FaceNetworks, Points
from anonymizer.landmarks.points import EYES

# The networks' makers crop a face with a quarter of its size around it, an eye with more.
ROOM_AROUND_FACE: Final = 1.5
ROOM_AROUND_EYE: Final = 2.3


@dataclass(frozen=True)
class FaceReading:
    """Where the features of a face are, in the picture's pixels.

    Attributes:
        mesh: (468, 3), depth in the same unit as across and down; less is nearer.
        irises: (2, 5, 2), first of the eye at the picture's left (points.NEAR_EYE): see points.IRIS_POINTS.
        outlines: (2, 16, 2): of both eyes: see points.OUTLINE_POINTS.
        presence: how likely a face is there at all, 0 to 1.
    """

    mesh: Points
    irises: Points
    outlines: Points
    presence: float

    @property
    def size(self) -> float:
        """Pixels across the larger side of the mesh."""
        return float(np.ptp(self.mesh[:, :2], axis=0).max())

    @property
    def turn(self) -> float:
        """Radians by which the line through both eyes is turned clockwise."""
        near, far = (self.mesh[outer, :2] for outer, _ in EYES)
        return math.atan2(float(far[1] - near[1]), float(far[0] - near[0]))


def read_face(
    networks: FaceNetworks,
    planes: Sequence[Plane],
    width: int,
    height: int,
    square: Square,
    least_presence: float,
) -> FaceReading | None:
    """Reads the face in a square of a scene.

    Returns:
        None where nobody is in it, or something that is turned away.

    Raises:
        AnonymizerError: detector_failed.
    """
    crop = crop_of(planes, width, height, square, MESH_SIDE)
    if crop is None:
        return None
    in_crop, presence = networks.mesh(crop)
    if presence < least_presence:
        return None
    mesh = square.picture_of(in_crop, MESH_SIDE)
    irises, outlines = [], []
    for is_far, (outer, inner) in enumerate(EYES):
        eye = _square_of_eye(mesh[outer, :2], mesh[inner, :2], mirrored=bool(is_far))
        crop = crop_of(planes, width, height, eye, IRIS_SIDE)
        if crop is None:
            return None
        seen = networks.eye(crop)
        irises.append(eye.picture_of(seen.iris, IRIS_SIDE))
        outlines.append(eye.picture_of(seen.outline, IRIS_SIDE))
    return FaceReading(mesh, np.stack(irises), np.stack(outlines), presence)


def square_around(reading: FaceReading) -> Square:
    """Returns where the same face is to be looked for next: around it, upright with it."""
    turn = reading.turn
    cosine, sine = math.cos(turn), math.sin(turn)
    upright = reading.mesh[:, :2] @ np.array([[cosine, -sine], [sine, cosine]], np.float32)
    low, high = upright.min(axis=0), upright.max(axis=0)
    x, y = (low + high) / 2
    side = float((high - low).max()) * ROOM_AROUND_FACE
    return Square(float(x * cosine - y * sine), float(x * sine + y * cosine), side, turn)


def _square_of_eye(outer: Points, inner: Points, *, mirrored: bool) -> Square:
    """Returns the square around an eye; the far one mirrored, since the network knows only near ones."""
    x, y = (float(v) for v in (outer + inner) / 2)
    across, down = (float(v) for v in (outer - inner if mirrored else inner - outer))
    side = max(1.0, ROOM_AROUND_EYE * math.hypot(across, down))
    return Square(x, y, side, math.atan2(down, across), mirrored)
