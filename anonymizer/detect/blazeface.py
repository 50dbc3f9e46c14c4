"""A second opinion on faces: BlazeFace, behind the same contract as CenterFace.

The network (Bazarevsky et al., "BlazeFace: Sub-millisecond Neural Face Detection on Mobile GPUs", 2019) sees
a square of 128 pixels. A large face fills it; for small ones the picture is looked at in overlapping squares,
of 128 pixels, of 256 and so on up to the whole. blazeface_decoding.py reads its answers.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np

from anonymizer.boxes import Boxes, suppress
from anonymizer.detect.asking import Asked
from anonymizer.detect.blazeface_decoding import SIDE, FloatArray, faces_from
from anonymizer.detect.contract import Image
from anonymizer.detect.tflite import TfliteFile, compile_tflite
from anonymizer.errors import AnonymizerError

# The network takes pixels from -1 to 1.
_MEAN: Final = 127.5
_SCALE: Final = 127.5
# Squares overlap by this share of their side: a face cut off by one is whole in the next, or in a larger one.
OVERLAP: Final = 0.25
# A square almost as large as the picture shows nothing that the whole does not.
LARGEST_SHARE: Final = 0.8
# A network that sees more than this in one picture sees noise, and comparing all with all takes minutes.
MOST_FOUND: Final = 20_000


class BlazeNetwork:
    """The network, ready to run. Made in the warm parent; used by one thread at a time."""

    def __init__(self, request: Any) -> None:
        """Takes an inference request (see compile_blazeface)."""
        self._network = Asked(request, SIDE, SIDE)

    def run(self, image: Image) -> tuple[FloatArray, FloatArray]:
        """Runs it on (128, 128, 3) uint8 RGB; gives what faces_from takes.

        Raises:
            AnonymizerError: detector_failed.
        """
        places, logits = self._network.answers(image, (0, 1))
        return places, logits


@lru_cache(maxsize=1)
def compile_blazeface(model: bytes) -> BlazeNetwork | None:
    """Compiles the network. Call it before the wall goes up.

    Args:
        model: the .tflite file, checked.

    Returns:
        None where OpenVINO is not there to compile it (see compile_tflite).

    Raises:
        AnonymizerError: detector_failed, where OpenVINO cannot compile what it was given.
    """
    requests = compile_tflite(TfliteFile(model, SIDE, _MEAN, _SCALE))
    return None if requests is None else BlazeNetwork(requests[0])


class BlazeFace:
    """A Detector."""

    def __init__(self, network: BlazeNetwork, threshold: float) -> None:
        """Takes the network and the lowest score."""
        self._network = network
        self._threshold = threshold

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        """See Detector.detect."""
        if image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise AnonymizerError("detector_failed")
        height, width = image.shape[:2]
        lowest = self._threshold if threshold is None else threshold
        boxes = np.concatenate([self._in_square(image, *square, lowest) for square in squares(width, height)])
        boxes[:, [0, 2]] = np.clip(boxes[:, [0, 2]], 0, width)
        boxes[:, [1, 3]] = np.clip(boxes[:, [1, 3]], 0, height)
        boxes = boxes[(boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])]
        if len(boxes) > MOST_FOUND:
            raise AnonymizerError("detector_failed")
        return suppress(boxes)

    def _in_square(self, image: Image, left: int, top: int, side: int, threshold: float) -> Boxes:
        part = image[top : top + side, left : left + side]
        square = np.zeros((side, side, 3), np.uint8)
        square[: part.shape[0], : part.shape[1]] = part
        smooth = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
        small = cv2.resize(square, (SIDE, SIDE), interpolation=smooth)
        found = suppress(faces_from(*self._network.run(np.asarray(small, np.uint8)), threshold))
        found[:, :4] = found[:, :4] * (side / SIDE) + np.array([left, top, left, top], np.float32)
        return found


def squares(width: int, height: int) -> Iterator[tuple[int, int, int]]:
    """Yields left, top and side: the whole picture, then squares of every smaller size."""
    longest = max(width, height)
    yield 0, 0, longest
    side = SIDE
    while side < longest * LARGEST_SHARE:
        for top in _begins(height, side):
            for left in _begins(width, side):
                yield left, top, side
        side *= 2


def _begins(length: int, side: int) -> list[int]:
    count = 1 + max(0, math.ceil((length - side) / (side * (1 - OVERLAP)) - 1e-6))
    return [round(place * max(0, length - side) / max(1, count - 1)) for place in range(count)]
