"""The face mesh and the iris network on OpenVINO: compiled in the warm parent, run in its children (ADR 14).

They are two files of mediapipe 0.10.21 (Apache-2.0): "Real-time Facial Surface Geometry from Monocular Video
on Mobile GPUs" (Kartynnik et al., 2019) and "Real-time Pupil Tracking from Monocular Video for Digital
Puppetry" (Ablavatski et al., 2020). Where OpenVINO is not installed there are none, and a policy whose effect
needs them is refused. They run in full precision: in bfloat16 a point moves in steps of half a pixel of the
crop, and a drawn face would tremble.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from anonymizer.detect.asking import Asked
from anonymizer.detect.contract import Image
from anonymizer.detect.tflite import TfliteFile, compile_tflite
from anonymizer.errors import AnonymizerError
from anonymizer.landmarks.points import IRIS_POINTS, MESH_POINTS, OUTLINE_POINTS

Points = npt.NDArray[np.float32]

MESH_SIDE: Final = 192
IRIS_SIDE: Final = 64
# Both take pixels from 0 to 1.
_MEAN, _SCALE = 0.0, 255.0
# The iris network gives the whole eye as 71 points; the first of them are its outline.
_EYE_POINTS: Final = 71


@dataclass(frozen=True)
class EyePoints:
    """What the iris network sees in a crop, in the crop's pixels.

    Attributes:
        iris: (5, 2): see points.IRIS_POINTS.
        outline: (16, 2): see points.OUTLINE_POINTS.
    """

    iris: Points
    outline: Points


class FaceNetworks:
    """Both networks, ready to run. Made in the warm parent; used by one thread at a time."""

    def __init__(self, mesh: Any, iris: Any) -> None:
        """Takes an inference request for each (see compile_face_networks)."""
        self._mesh = Asked(mesh, MESH_SIDE, MESH_SIDE)
        self._iris = Asked(iris, IRIS_SIDE, IRIS_SIDE)

    def mesh(self, image: Image) -> tuple[Points, float]:
        """Runs the face mesh on (192, 192, 3) uint8 RGB.

        Returns:
            (468, 3) in the crop's pixels, depth in the same unit (less is nearer); and how likely there is a
            face, 0 to 1.

        Raises:
            AnonymizerError: detector_failed, also where a number is none.
        """
        points, presence = self._mesh.answers(image, (0, 1))
        mesh = _points(points, MESH_POINTS)
        if presence.size != 1:
            raise AnonymizerError("detector_failed")
        logit = float(np.clip(presence.reshape(-1)[0], -30, 30))
        return mesh, 1 / (1 + float(np.exp(-logit)))

    def eye(self, image: Image) -> EyePoints:
        """Runs the iris network on (64, 64, 3) uint8 RGB, the outer corner of the eye at the left.

        Raises:
            AnonymizerError: detector_failed, also where a number is none.
        """
        whole, iris = self._iris.answers(image, (0, 1))
        return EyePoints(_points(iris, IRIS_POINTS)[:, :2], _points(whole, _EYE_POINTS)[:OUTLINE_POINTS, :2])


def _points(numbers: Points, count: int) -> Points:
    if numbers.size != count * 3:
        raise AnonymizerError("detector_failed")
    return numbers.reshape(count, 3)


@lru_cache(maxsize=1)
def compile_face_networks(mesh: bytes, iris: bytes) -> FaceNetworks | None:
    """Compiles both networks. Call it before the wall goes up.

    Args:
        mesh, iris: the .tflite files, checked.

    Returns:
        None where OpenVINO is not there to compile them (see compile_tflite).

    Raises:
        AnonymizerError: detector_failed, where OpenVINO cannot compile what it was given.
    """
    requests = compile_tflite(
        TfliteFile(mesh, MESH_SIDE, _MEAN, _SCALE, precise=True),
        TfliteFile(iris, IRIS_SIDE, _MEAN, _SCALE, precise=True),
    )
    return None if requests is None else FaceNetworks(*requests)
