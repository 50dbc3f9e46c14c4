"""What moves before a steady camera: each pixel's usual value, learnt as the video goes, and what differs.

No weights and no idea of what a person is: a dog or a door is found as well. Somebody who has not moved since
the first frame is background. The model says by itself when the camera is not steady: then nothing that it
says about a frame holds.

- Only what looks like background teaches it, so that somebody who stands still for long does not fade in.
- The light may change slowly or all at once by a common factor, as a camera's exposure does.
- Where somebody stood in the first frame and left, the model remembers a person who is gone. Such a place has
  an outline in the model and none in the picture; once it has been quiet for a while, it is learnt anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.contract import Image

Mask = npt.NDArray[np.bool_]
_FloatArray = npt.NDArray[np.float32]

# Long side of the copies.
SIDE: Final = 256
# Of 255, luma and the larger of both chroma differences. Noise of a good camera stays under 3 and 2.
LEAST_LUMA: Final = 14.0
LEAST_CHROMA: Final = 8.0
# Where a pixel is never quiet (leaves, a screen), it must differ by this many of its usual differences.
USUAL_TIMES: Final = 4.0
_FIRST_USUAL: Final = 2.0
_SLOWEST: Final = 1 / 200
_NO_COLOUR: Final = 128.0
# Beyond these factors of brightness another light was switched on, and nothing can be told.
EXPOSURE: Final = (0.4, 2.5)
# Where more than this is changed, with a margin around it, too little is left to tell by (measured: people
# change .23 at most, cars from above .33, another shot .50 and more).
MOST_CHANGED: Final = 0.45
# Of outlines around what moves, with the model's (measured: .67 and more; after a change of shot mostly
# under .3).
LEAST_LIKENESS: Final = 0.5
_MARGIN: Final = 3
# Pixels of the copy by which the camera must have moved, and the share of differences that this must explain.
LEAST_SHIFT: Final = 0.7
EXPLAINED: Final = 0.7
# Mean difference, of 255, under which there is nothing to explain.
_LEAST_RESIDUE: Final = 1.5
QUIET_FRAMES: Final = 50
_QUIET_LUMA: Final = 5.0
# An outline this much weaker than the model's is none.
_NO_OUTLINE: Final = 0.5


@dataclass(frozen=True)
class Seen:
    """What one frame showed.

    Attributes:
        moving: (H, W) bool, at the size of the copy: what differs from the background.
        is_steady: the camera stands still; where it does not, `moving` means nothing.
    """

    moving: Mask
    is_steady: bool


class Background:
    """The model of one scene. Takes frames in order, all of one size."""

    def __init__(self) -> None:
        """Has seen nothing; the first frame is all background."""
        self._usual: _FloatArray | None = None
        self._spread: _FloatArray = np.zeros((0, 0, 2), np.float32)
        self._last: _FloatArray = np.zeros((0, 0), np.float32)
        self._quiet: npt.NDArray[np.int32] = np.zeros((0, 0), np.int32)
        self._learnt: npt.NDArray[np.int32] = np.zeros((0, 0), np.int32)

    def see(self, image: Image) -> Seen:
        """Takes the next frame, (H, W, 3) uint8 RGB, with a long side of about SIDE."""
        now = _smooth(image)
        if self._usual is None:
            self._begin(now)
            return Seen(np.zeros(now.shape[:2], np.bool_), is_steady=True)
        exposure = _exposure(now, self._usual)
        now[:, :, 0] /= exposure
        now[:, :, 1:] = _NO_COLOUR + (now[:, :, 1:] - _NO_COLOUR) / exposure
        apart = np.abs(now - self._usual)
        luma, chroma = apart[:, :, 0], apart[:, :, 1:].max(axis=2)
        differs = (luma > np.maximum(LEAST_LUMA, USUAL_TIMES * self._spread[:, :, 0])) | (
            chroma > np.maximum(LEAST_CHROMA, USUAL_TIMES * self._spread[:, :, 1])
        )
        moving = _cleaned(differs)
        is_steady = (
            EXPOSURE[0] < exposure < EXPOSURE[1]
            and _shows_the_same(now[:, :, 0], self._usual[:, :, 0], ~_grown(moving, _MARGIN))
            and not _has_shifted(now[:, :, 0], self._usual[:, :, 0])
        )
        if is_steady:
            self._count_quiet(now[:, :, 0])
            moving &= ~self._forget_ghosts(moving, now)
            self._learn(now, luma, chroma, ~_grown(moving, 2))
        self._last = now[:, :, 0]
        return Seen(moving, is_steady)

    def _begin(self, now: _FloatArray) -> None:
        shape = now.shape[:2]
        self._usual, self._last = now, now[:, :, 0].copy()
        self._spread = np.full((*shape, 2), _FIRST_USUAL, np.float32)
        self._quiet, self._learnt = np.zeros(shape, np.int32), np.ones(shape, np.int32)

    def _learn(self, now: _FloatArray, luma: _FloatArray, chroma: _FloatArray, where: Mask) -> None:
        if self._usual is None:
            return
        self._learnt += where
        share = np.where(where, np.maximum(1 / self._learnt, _SLOWEST), 0).astype(np.float32)[:, :, None]
        self._usual += share * (now - self._usual)
        self._spread += share * (np.stack([luma, chroma], axis=2) - self._spread)

    def _count_quiet(self, luma: _FloatArray) -> None:
        quiet = np.abs(luma - self._last) < _QUIET_LUMA
        self._quiet = np.where(quiet, self._quiet + 1, 0)

    def _forget_ghosts(self, moving: Mask, now: _FloatArray) -> Mask:
        """Learns anew where the model remembers what is gone; returns where that was."""
        gone = np.zeros_like(moving)
        if self._usual is None or not moving.any():
            return gone
        count, labels = cv2.connectedComponents(moving.astype(np.uint8), connectivity=8)
        outlines_now, outlines_then = _outlines(now[:, :, 0]), _outlines(self._usual[:, :, 0])
        for label in range(1, count):
            part = labels == label
            if float(np.mean(self._quiet[part] >= QUIET_FRAMES)) < 0.95:
                continue
            edge = _grown(part, 2) & ~cv2.erode(part.astype(np.uint8), np.ones((3, 3), np.uint8)).astype(
                np.bool_
            )
            if float(outlines_now[edge].mean()) < _NO_OUTLINE * float(outlines_then[edge].mean()):
                gone |= _grown(part, 3)
        self._usual[gone] = now[gone]
        self._spread[gone], self._learnt[gone] = _FIRST_USUAL, 1
        return gone


def _smooth(image: Image) -> _FloatArray:
    """Returns luma and both chromas, (H, W, 3) float32, without the finest noise."""
    return np.asarray(cv2.blur(cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb), (3, 3)), np.float32)


def _exposure(now: _FloatArray, usual: _FloatArray) -> float:
    """Returns the factor by which most of the picture became brighter."""
    return float(np.median((now[:, :, 0] + 8) / (usual[:, :, 0] + 8)))


def _shows_the_same(now: _FloatArray, usual: _FloatArray, where: Mask) -> bool:
    """Tells whether most of the picture does not move, and has the model's outlines there."""
    if float(where.mean()) < 1 - MOST_CHANGED:
        return False
    a, b = (_outlines(luma)[where] for luma in (now, usual))
    a, b = a - a.mean(), b - b.mean()
    norm = float(np.sqrt((a * a).sum() * (b * b).sum()))
    # A picture without any outline, such as a blank wall, is like itself.
    return norm == 0 or float((a * b).sum()) / norm >= LEAST_LIKENESS


def _has_shifted(now: _FloatArray, usual: _FloatArray) -> bool:
    """Tells whether the whole picture has moved: then the moved model explains what differs."""
    residue = float(np.abs(now - usual).mean())
    if residue < _LEAST_RESIDUE:
        return False
    window = cv2.createHanningWindow((now.shape[1], now.shape[0]), cv2.CV_32F)
    (across, down), _ = cv2.phaseCorrelate(usual, now, window)
    if abs(across) + abs(down) < LEAST_SHIFT:
        return False
    matrix = np.array([[1, 0, across], [0, 1, down]], np.float32)
    moved = cv2.warpAffine(usual, matrix, (now.shape[1], now.shape[0]), borderMode=cv2.BORDER_REPLICATE)
    return float(np.abs(now - moved).mean()) < EXPLAINED * residue


def _cleaned(differs: Mask) -> Mask:
    """Drops specks, closes gaps: upright more than across, as people are."""
    mask = cv2.medianBlur(differs.astype(np.uint8), 5)
    closing = cv2.getStructuringElement(cv2.MORPH_RECT, (5, 11))
    return np.asarray(cv2.morphologyEx(mask, cv2.MORPH_CLOSE, closing), np.bool_)


def _grown(mask: Mask, pixels: int) -> Mask:
    kernel = np.ones((2 * pixels + 1, 2 * pixels + 1), np.uint8)
    return np.asarray(cv2.dilate(mask.astype(np.uint8), kernel), np.bool_)


def _outlines(luma: _FloatArray) -> _FloatArray:
    across, down = (cv2.Sobel(luma, cv2.CV_32F, dx, dy) for dx, dy in ((1, 0), (0, 1)))
    return np.asarray(np.abs(across) + np.abs(down), np.float32)
