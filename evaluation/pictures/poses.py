"""Whether a model that reads bodies still reads the same from a result: the pose that is kept.

The pose networks of mediapipe find somebody in the original and read their joints, and read them once more
from the same place of the result: a model that follows people through a film knows the place, and where it
does not, it errs by more than many effects do. A joint is kept where it lies within a tenth of the body's
longer side of where it was (PCK, the percentage of correct keypoints: Yang and Ramanan 2013, "Articulated
human detection with flexible mixtures of parts", with its alpha at 0.1); of somebody whom the network no
longer takes for anybody, none is. Only joints that are in sight in the original count, and none of the
face's: those are meant to be covered. Where legs are cut off by the edge of a picture, the network guesses
them, and its guesses wander: figures of whole bodies are surer.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from anonymizer import AnonymizerError, Models
from anonymizer.boxes import Box
from anonymizer.people.bodies import MOST_SIDE, BodyReader, Cutout, Figure, square_around
from evaluation.errors import EvaluationError
from evaluation.people.finding import PeopleFinder
from evaluation.pictures.likeness import Pixels

# The first eleven are of the face.
FIRST_OF_BODY: Final = 11
IN_SIGHT: Final = 0.5
LEAST_JOINTS: Final = 4
KEPT_WITHIN: Final = 0.1


@dataclass(frozen=True)
class Pose:
    """One body in an original, and what of it is read from the result.

    Attributes:
        kept: share of its joints that lie where they lay; 0 where nobody is found.
        off: mean distance of its joints from where they lay, in shares of the body's longer side; None where
            nobody is found.
    """

    kept: float
    off: float | None


class PoseReader:
    """Reads poses. Used by one thread at a time."""

    def __init__(self, models: Models) -> None:
        """Opens the finder of people and the networks that read them.

        Raises:
            EvaluationError: model_missing, or another of the anonymizer's codes about models.
        """
        if models.pose is None:
            raise EvaluationError("model_missing")
        self._finder = PeopleFinder(models)
        self._reader = BodyReader(models.pose)

    def compare(self, original: Pixels, result: Pixels) -> Iterator[Pose]:
        """Yields everybody whom the original shows well enough.

        Args:
            original, result: of one size, (H, W, 3) uint8 RGB.

        Raises:
            EvaluationError: detector_failed.
        """
        try:
            for box in self._finder.find(original, self._finder.detectors[0]):
                part = _part(original, box)
                body = self._reader.find(part, box)
                before = None if body is None else self._reader.read(part, body)
                if body is None or before is None:
                    continue
                counted = before.sure >= IN_SIGHT
                counted[:FIRST_OF_BODY] = False
                if counted.sum() >= LEAST_JOINTS:
                    yield _compared(before, self._reader.read(_part(result, box), body), counted)
        except AnonymizerError as error:
            raise EvaluationError(error.code, str(error)) from None


def _part(picture: Pixels, box: Box) -> Cutout:
    """What is looked at for a box."""
    height, width = picture.shape[:2]
    left, top, right, bottom = square_around(box, width, height)
    part = picture[top:bottom, left:right]
    each = max(1.0, max(part.shape[:2]) / MOST_SIDE)
    small = cv2.resize(part, None, fx=1 / each, fy=1 / each, interpolation=cv2.INTER_AREA)
    return Cutout(np.asarray(small, np.uint8), left, top, each)


def _compared(
    before: Figure, after: Figure | None, counted: np.ndarray[tuple[int], np.dtype[np.bool_]]
) -> Pose:
    if after is None:
        return Pose(0.0, None)
    joints = before.joints[counted].astype(np.float64)
    size = max(float(np.ptp(joints, axis=0).max()), 1.0)
    off = np.linalg.norm(after.joints[counted] - joints, axis=1) / size
    return Pose(float((off <= KEPT_WITHIN).mean()), float(off.mean()))
