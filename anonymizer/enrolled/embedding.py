"""A face in a scene as a vector of length one, by the network that was added."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.detect.sessions import Network
from anonymizer.effects.region import Plane
from anonymizer.enrolled.manifest import Eyes, FaceEmbedding
from anonymizer.errors import AnonymizerError
from anonymizer.landmarks.cropping import Square, crop_of
from anonymizer.landmarks.networks import MESH_SIDE, FaceNetworks, Points
from anonymizer.landmarks.points import EYES, NOSE_TIP

Vector = npt.NDArray[np.float32]

# Under this many pixels a face is nobody's in particular.
LEAST_PIXELS: Final = 40
# How likely a face has to be there, and how much room the mesh wants around a detector's box.
LEAST_PRESENCE: Final = 0.6
ROOM_AROUND_BOX: Final = 1.7
ROOM_AROUND_FACE: Final = 1.5
# The tip of the nose lies this far from the middle of the eyes, along their line and in shares of their
# distance, in a head that is turned by about 40 degrees: beyond, networks know strangers from friends badly.
MOST_TURNED: Final = 0.45
# A box that is so much larger than the face in it may hold another one besides.
LEAST_OF_BOX: Final = 0.55


class EmbeddingNetwork:
    """The open network.

    Attributes:
        manifest: what it takes and gives.
    """

    def __init__(self, model: bytes, manifest: FaceEmbedding, threads: int) -> None:
        """Opens the network and runs it once, so that what cannot run fails before any frame.

        Call it after the fork.

        Raises:
            AnonymizerError: model_unusable.
        """
        self.manifest = manifest
        side = manifest.side
        try:
            self._network = Network(model, threads)
            if len(self._network.inputs) != 1 or not self._network.takes((1, 3, side, side)):
                raise AnonymizerError("model_unusable", f"It does not take 1 x 3 x {side} x {side} float32.")
            # No even picture: of one, a network that takes the mean off leaves nothing at all.
            ramp = np.linspace(0, 255, side * side * 3).reshape(side, side, 3)
            self.vector(ramp.astype(np.uint8))
        except AnonymizerError as error:
            if error.code == "model_unusable":
                raise
            raise AnonymizerError("model_unusable", "It does not answer as its description says.") from None

    def vector(self, crop: Image) -> Vector:
        """Returns (dimension,) of length one, from (side, side, 3) uint8 RGB.

        Raises:
            AnonymizerError: detector_failed, also where the answer has another shape, holds what is no
                number, or has no direction.
        """
        manifest = self.manifest
        ordered = crop if manifest.colours == "rgb" else crop[:, :, ::-1]
        mean, deviation = (np.array(each, np.float32) for each in (manifest.mean, manifest.deviation))
        values = np.asarray((ordered.astype(np.float32) - mean) / deviation, np.float32)
        given = np.ascontiguousarray(values.transpose(2, 0, 1)[None])
        answer = self._network.run({self._network.inputs[0]: given})[0]
        if answer.shape != (1, manifest.dimension):
            raise AnonymizerError("detector_failed")
        return unit(answer[0])


class FaceEmbedder:
    """Finds a face in a box, brings it upright and makes its vector."""

    def __init__(self, network: EmbeddingNetwork, landmarks: FaceNetworks | None) -> None:
        """Takes the network, and those that read a face (Models.landmarks).

        Raises:
            AnonymizerError: model_missing, where the eyes have to be found and nothing finds them.
        """
        if network.manifest.eyes is not None and landmarks is None:
            raise AnonymizerError("model_missing", "Eyes are found by networks that need OpenVINO.")
        self._network = network
        self._landmarks = landmarks
        self.manifest = network.manifest

    def look(
        self, planes: Sequence[Plane], width: int, height: int, box: Box, *, mirrored: bool = False
    ) -> Vector | None:
        """Returns the vector of the face in a box, or in its mirror image.

        Args:
            planes: of the scene, uncovered.
            width, height: of the scene, in luma pixels.
            box: where the face was found.
            mirrored: left and right exchanged.

        Returns:
            None where the face is too small, turned away, or not the whole of what was found.

        Raises:
            AnonymizerError: detector_failed.
        """
        if min(box.width, box.height) < LEAST_PIXELS:
            return None
        square = self.square(planes, width, height, box)
        crop = crop_of(planes, width, height, square, self.manifest.side) if square is not None else None
        if crop is None:
            return None
        return self._network.vector(np.ascontiguousarray(crop[:, ::-1]) if mirrored else crop)

    def square(self, planes: Sequence[Plane], width: int, height: int, box: Box) -> Square | None:
        """Returns what the network is to see of a face; None as `look` has it."""
        side = max(box.width, box.height)
        if self.manifest.eyes is None or self._landmarks is None:
            return Square(*box.centre, side * self.manifest.room)
        # The first look only guesses how large the face is and how it leans; the second one knows.
        rough = self._mesh(
            self._landmarks, planes, width, height, Square(*box.centre, side * ROOM_AROUND_BOX)
        )
        if rough is None:
            return None
        low, high = rough[:, :2].min(axis=0), rough[:, :2].max(axis=0)
        across, down = _between_eyes(rough)
        x, y = (float(v) for v in (low + high) / 2)
        around = Square(x, y, float((high - low).max()) * ROOM_AROUND_FACE, math.atan2(down, across))
        mesh = self._mesh(self._landmarks, planes, width, height, around)
        return None if mesh is None or not _is_good(mesh, box) else square_by_eyes(mesh, self.manifest.eyes)

    @staticmethod
    def _mesh(
        landmarks: FaceNetworks, planes: Sequence[Plane], width: int, height: int, square: Square
    ) -> Points | None:
        crop = crop_of(planes, width, height, square, MESH_SIDE)
        if crop is None:
            return None
        mesh, presence = landmarks.mesh(crop)
        return square.picture_of(mesh, MESH_SIDE) if presence >= LEAST_PRESENCE else None


def square_by_eyes(mesh: Points, eyes: Eyes) -> Square:
    """Returns the square, turned with the face, in which the eyes of a mesh lie where they are expected."""
    across, down = _between_eyes(mesh)
    x, y = (float(v) for v in _middles(mesh).mean(axis=0))
    side, turn = math.hypot(across, down) / eyes.apart, math.atan2(down, across)
    below = (0.5 - eyes.down) * side
    return Square(x - math.sin(turn) * below, y + math.cos(turn) * below, side, turn)


def unit(vector: Vector) -> Vector:
    """Returns a vector's direction.

    Raises:
        AnonymizerError: detector_failed, where it has none.
    """
    length = float(np.linalg.norm(vector.astype(np.float64)))
    if not math.isfinite(length) or length < 1e-9:
        raise AnonymizerError("detector_failed")
    return np.asarray(vector / length, np.float32)


def _middles(mesh: Points) -> Points:
    """Returns (2, 2): the middles of both eyes, first the one at the picture's left."""
    return np.stack([mesh[list(corners), :2].mean(axis=0) for corners in EYES])


def _between_eyes(mesh: Points) -> tuple[float, float]:
    near, far = _middles(mesh)
    return float(far[0] - near[0]), float(far[1] - near[1])


def _is_good(mesh: Points, box: Box) -> bool:
    """Tells whether a face looks ahead, and is what was found: not something beside it or in a part of it."""
    across, down = _between_eyes(mesh)
    apart = math.hypot(across, down)
    x, y = (float(v) for v in _middles(mesh).mean(axis=0))
    if apart < 1 or not (box.x1 <= x <= box.x2 and box.y1 <= y <= box.y2):
        return False
    nose = mesh[NOSE_TIP, :2]
    aside = ((nose[0] - x) * across + (nose[1] - y) * down) / apart**2
    size = float(np.ptp(mesh[:, :2], axis=0).max())
    return abs(float(aside)) <= MOST_TURNED and size >= LEAST_OF_BOX * max(box.width, box.height)
