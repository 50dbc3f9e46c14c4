"""The two pose networks on OpenVINO: compiled in the warm parent, run in its children (ADR 14).

They are two files of mediapipe 0.10.21 (Apache-2.0), which only OpenVINO reads (detect/tflite.py). Where that
is not installed there are no networks, and a policy that asks for them is refused: nothing weaker takes
their place.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from anonymizer.detect.asking import Asked
from anonymizer.detect.contract import Image
from anonymizer.detect.tflite import TfliteFile, compile_tflite
from anonymizer.errors import AnonymizerError
from anonymizer.people.pose_decoding import BODY_SIDE, DETECTION_SIDE, FloatArray

# What the networks take: pixels from -1 to 1, and from 0 to 1.
_DETECTION_MEAN, _DETECTION_SCALE = 127.5, 127.5
_BODY_MEAN, _BODY_SCALE = 0.0, 255.0
# Of the second network's answers: points of the body, presence, mask; two more are not read.
_POINTS, _PRESENCE, _MASK = 0, 1, 2


class PoseNetworks:
    """Both networks, ready to run. Made in the warm parent; used by one thread at a time."""

    def __init__(self, detection: Any, body: Any) -> None:
        """Takes an inference request for each (see compile_pose)."""
        self._detection = Asked(detection, DETECTION_SIDE, DETECTION_SIDE)
        self._body = Asked(body, BODY_SIDE, BODY_SIDE)

    def places(self, image: Image) -> tuple[FloatArray, FloatArray]:
        """Runs the first network on (224, 224, 3) uint8 RGB; gives what bodies_from takes.

        Raises:
            AnonymizerError: detector_failed.
        """
        places, logits = self._detection.answers(image, (0, 1))
        return places, logits

    def body(self, image: Image) -> tuple[float, FloatArray]:
        """Runs the second network on (256, 256, 3) uint8 RGB.

        Returns:
            How likely there is a body in it, 0 to 1, and the mask's logits, (1, 256, 256, 1).

        Raises:
            AnonymizerError: detector_failed.
        """
        presence, mask = self._body.answers(image, (_PRESENCE, _MASK))
        return _one_number(presence), mask

    def figure(self, image: Image) -> tuple[FloatArray, float, FloatArray]:
        """Runs the second network on (256, 256, 3) uint8 RGB, for the points as well.

        Returns:
            39 points, (1, 195): x, y and depth in pixels of the image, and the logits of being in sight and
            of being there at all; then what body() returns.

        Raises:
            AnonymizerError: detector_failed.
        """
        points, presence, mask = self._body.answers(image, (_POINTS, _PRESENCE, _MASK))
        return points, _one_number(presence), mask


def _one_number(answer: FloatArray) -> float:
    if answer.size != 1:
        raise AnonymizerError("detector_failed")
    return float(answer.reshape(-1)[0])


@lru_cache(maxsize=1)
def compile_pose(detection: bytes, body: bytes) -> PoseNetworks | None:
    """Compiles both networks. Call it before the wall goes up.

    Args:
        detection, body: the .tflite files, checked.

    Returns:
        None where OpenVINO is not installed, or no temporary folder is there to hand it the files in.

    Raises:
        AnonymizerError: detector_failed, where OpenVINO cannot compile what it was given.
    """
    requests = compile_tflite(
        TfliteFile(detection, DETECTION_SIDE, _DETECTION_MEAN, _DETECTION_SCALE),
        TfliteFile(body, BODY_SIDE, _BODY_MEAN, _BODY_SCALE),
    )
    return None if requests is None else PoseNetworks(*requests)
