"""Whether a result holds still where its original does, and moves where it moves.

Flicker is what changes in the result from one frame to the next beyond what changes in the original, of 255.
Motion agrees where optical flow (Kroeger et al. 2016, "Fast optical flow using dense inverse search") points
the same way in both, as far: what a viewer, or a model that tells actions apart, has to go by.
"""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from evaluation.pictures.likeness import Pixels

Flow = npt.NDArray[np.float32]

# What moves less from frame to frame, in pixels, may be noise.
LEAST_MOTION: Final = 0.5
# Under this share of pixels nothing moves.
LEAST_SHARE: Final = 0.002
LONG_SIDE: Final = 480


def flicker(original: tuple[Pixels, Pixels], result: tuple[Pixels, Pixels]) -> float:
    """Returns the flicker from one frame to the next, mean over the picture.

    Args:
        original: two frames that follow each other, luma, (H, W) uint8.
        result: the same two of the result.
    """
    before, after = (cv2.absdiff(first, second).astype(np.float32) for first, second in (original, result))
    return float(np.maximum(after - before, 0).mean())


def motion_agreement(original: tuple[Pixels, Pixels], result: tuple[Pixels, Pixels]) -> float | None:
    """Returns how far motion agrees where the original moves, 0 to 1; None where it does not.

    It is 1 less the difference of both flows, as a share of their lengths together.

    Args:
        original, result: as for `flicker`.
    """
    wanted, there = _flow(original), _flow(result)
    moving = np.linalg.norm(wanted, axis=2) > LEAST_MOTION
    if moving.mean() < LEAST_SHARE:
        return None
    off = np.linalg.norm(wanted - there, axis=2)[moving].sum()
    lengths = (np.linalg.norm(wanted, axis=2) + np.linalg.norm(there, axis=2))[moving].sum()
    return float(1 - off / lengths)


def _flow(frames: tuple[Pixels, Pixels]) -> Flow:
    share = min(1.0, LONG_SIDE / max(frames[0].shape))
    first, second = (
        cv2.resize(frame, None, fx=share, fy=share, interpolation=cv2.INTER_AREA) for frame in frames
    )
    dis = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    # OpenCV makes the array itself.
    return np.asarray(dis.calc(first, second, None), np.float32)  # type: ignore[call-overload]
