"""What BlazeFace answers, turned into boxes of the same meaning as CenterFace's.

For each of 896 anchors it says where a face's box and six of its points are, and how sure it is. Its boxes
run from the brow to the chin, and its scores are higher than CenterFace's for the same doubt; both are
brought to CenterFace's measure, so that one threshold and one scale of a policy serve both.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Boxes
from anonymizer.detect.anchors import centres_of
from anonymizer.errors import AnonymizerError

FloatArray = npt.NDArray[np.float32]

SIDE: Final = 128
# Cells of the grid and anchors in each cell, by layer; every anchor lies in the middle of its cell.
GRIDS: Final = ((16, 2), (8, 6))
ANCHORS: Final = sum(cells * cells * each for cells, each in GRIDS)
NUMBERS_OF_AN_ANCHOR: Final = 16
# A policy's threshold of .2 stands for this score of the network: it has as many false boxes there as serve.
SCORE_AT_A_FIFTH: Final = 0.5
# CenterFace's box of the same face is so much higher, and its middle so much farther up, as shares of this
# one's height; medians on shared clips. It is as wide or a little narrower: the width stays.
TALLER: Final = 1.25
FARTHER_UP: Final = 0.08
# Any box that matters is far smaller; the clips keep sums and powers finite.
_FARTHEST: Final = 1e4
_LARGEST_LOGIT: Final = 60.0
_SHIFT: Final = float(np.log(SCORE_AT_A_FIFTH / (1 - SCORE_AT_A_FIFTH)) - np.log(0.2 / 0.8))


@lru_cache(maxsize=1)
def anchor_centres() -> FloatArray:
    """Returns (896, 2): x and y of every anchor, in pixels of the input."""
    return centres_of(GRIDS) * SIDE


def faces_from(places: FloatArray, logits: FloatArray, threshold: float) -> Boxes:
    """Reads the network's answer.

    Args:
        places: (1, 896, 16), in pixels of the input: the middle of the box from the anchor, its width and
            height; six points, which are not read.
        logits: (1, 896, 1).
        threshold: lowest score, by CenterFace's measure.

    Returns:
        (N, 5) in pixels of the input, not suppressed; boxes may reach beyond it.

    Raises:
        AnonymizerError: detector_failed, where the shapes are others or any number is not finite.
    """
    if places.shape != (1, ANCHORS, NUMBERS_OF_AN_ANCHOR) or logits.shape != (1, ANCHORS, 1):
        raise AnonymizerError("detector_failed")
    if not (np.isfinite(places).all() and np.isfinite(logits).all()):
        raise AnonymizerError("detector_failed")
    shifted = np.clip(logits[0, :, 0] - _SHIFT, -_LARGEST_LOGIT, _LARGEST_LOGIT)
    scores = 1 / (1 + np.exp(-shifted))
    chosen = np.nonzero(scores >= threshold)[0]
    numbers = np.clip(places[0, chosen, :4], -_FARTHEST, _FARTHEST)
    middles = anchor_centres()[chosen] + numbers[:, :2]
    wide, tall = numbers[:, 2], numbers[:, 3]
    x, y = middles[:, 0], middles[:, 1] - FARTHER_UP * tall
    half = TALLER * tall / 2
    boxes = np.stack([x - wide / 2, y - half, x + wide / 2, y + half, scores[chosen]], axis=1)
    return np.asarray(boxes[(wide > 0) & (tall > 0)], np.float32)
