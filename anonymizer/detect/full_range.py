"""The third network for faces, which covers nothing: it looks for what the other two left open.

It is the full-range face detector of mediapipe 0.10.21 (Apache-2.0), a network of another shape than the
short-range one beside it (blazeface.py): a square of 192 pixels, and one grid of 48 x 48 cells with an anchor
in the middle of each. It was taught faces that are far away, and sees those of 14 pixels where the other one
sees none; for covering it adds little (docs/models.md).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import cv2
import numpy as np

from anonymizer.boxes import Boxes, suppress
from anonymizer.detect.anchors import centres_of
from anonymizer.detect.asking import Asked
from anonymizer.detect.blazeface_decoding import FloatArray
from anonymizer.detect.contract import Image
from anonymizer.detect.tflite import TfliteFile, compile_tflite
from anonymizer.errors import AnonymizerError

SIDE: Final = 192
GRIDS: Final = ((48, 1),)
ANCHORS: Final = sum(cells * cells * each for cells, each in GRIDS)
# The box from the anchor, and six points that are not read.
NUMBERS_OF_AN_ANCHOR: Final = 16
# The network takes pixels from -1 to 1.
_MEAN: Final = 127.5
_SCALE: Final = 127.5
# CenterFace's box of the same face is so much higher and narrower, and its middle so much farther up, as a
# share of this one's height; medians over 78 portraits at twelve sizes.
TALLER: Final = 1.07
NARROWER: Final = 0.83
FARTHER_UP: Final = 0.05
# Any box that matters is far smaller; the clips keep sums and powers finite.
_FARTHEST: Final = 1e4
_LARGEST_LOGIT: Final = 60.0


class FullRangeNetwork:
    """The network, ready to run. Made in the warm parent; used by one thread at a time."""

    def __init__(self, request: Any) -> None:
        """Takes an inference request (see compile_full_range)."""
        self._network = Asked(request, SIDE, SIDE)

    def faces(self, image: Image, threshold: float) -> Boxes:
        """Returns the faces of (S, S, 3) uint8 RGB, any side, as (N, 5) in its pixels.

        Boxes are by CenterFace's measure: from the hairline to the chin. They may reach beyond the picture.
        Scores are the network's own.

        Raises:
            AnonymizerError: detector_failed, also where the picture is no square.
        """
        if image.ndim != 3 or image.shape[0] != image.shape[1] or image.size == 0:
            raise AnonymizerError("detector_failed")
        side = image.shape[0]
        smooth = cv2.INTER_AREA if side > SIDE else cv2.INTER_LINEAR
        small = image if side == SIDE else cv2.resize(image, (SIDE, SIDE), interpolation=smooth)
        places, logits = self._network.answers(np.asarray(small, np.uint8), (0, 1))
        found = suppress(full_range_faces(places, logits, threshold))
        found[:, :4] *= side / SIDE
        return found


@lru_cache(maxsize=1)
def compile_full_range(model: bytes) -> FullRangeNetwork | None:
    """Compiles the network. Call it before the wall goes up.

    Args:
        model: the .tflite file, checked.

    Returns:
        None where OpenVINO is not there to compile it (see compile_tflite).

    Raises:
        AnonymizerError: detector_failed, where OpenVINO cannot compile what it was given.
    """
    requests = compile_tflite(TfliteFile(model, SIDE, _MEAN, _SCALE))
    return None if requests is None else FullRangeNetwork(requests[0])


def full_range_faces(places: FloatArray, logits: FloatArray, threshold: float) -> Boxes:
    """Reads the network's answer.

    Args:
        places: (1, 2304, 16), in pixels of the input: the middle of the box from the anchor, its width and
            height; six points.
        logits: (1, 2304, 1).
        threshold: lowest score, 0 to 1.

    Returns:
        (N, 5) in pixels of the input, not suppressed.

    Raises:
        AnonymizerError: detector_failed, where the shapes are others or any number is not finite.
    """
    if places.shape != (1, ANCHORS, NUMBERS_OF_AN_ANCHOR) or logits.shape != (1, ANCHORS, 1):
        raise AnonymizerError("detector_failed")
    if not (np.isfinite(places).all() and np.isfinite(logits).all()):
        raise AnonymizerError("detector_failed")
    scores = 1 / (1 + np.exp(-np.clip(logits[0, :, 0], -_LARGEST_LOGIT, _LARGEST_LOGIT)))
    chosen = np.nonzero(scores >= threshold)[0]
    numbers = np.clip(places[0, chosen, :4], -_FARTHEST, _FARTHEST)
    middles = _anchor_centres()[chosen] + numbers[:, :2]
    wide, tall = numbers[:, 2], numbers[:, 3]
    x, y = middles[:, 0], middles[:, 1] - FARTHER_UP * tall
    down, across = TALLER * tall / 2, NARROWER * wide / 2
    boxes = np.stack([x - across, y - down, x + across, y + down, scores[chosen]], axis=1)
    return np.asarray(boxes[(wide > 0) & (tall > 0)], np.float32)


@lru_cache(maxsize=1)
def _anchor_centres() -> FloatArray:
    return centres_of(GRIDS) * SIDE
