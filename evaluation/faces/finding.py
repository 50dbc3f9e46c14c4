"""Faces in pictures, by the detector that every job has."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np

from anonymizer import AnonymizerError, Models, Settings
from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.detect.finders import open_finders
from evaluation.errors import EvaluationError
from evaluation.faces.recognizers import Pixels

# Under this many pixels across, recognizers know nobody.
LEAST_PIXELS: Final = 24
# A job covers what scores 0.2 already, much of which is no face, and cannot be attacked.
LEAST_SCORE: Final = 0.3
SAME_PLACE: Final = 0.3


class FaceFinder:
    """Looks for faces, at every size that a job looks at in a still."""

    def __init__(self, models: Models) -> None:
        """Opens the detector.

        Raises:
            EvaluationError: with one of the anonymizer's codes about models.
        """
        try:
            self._look = open_finders(models, Settings(), is_still=True)[0].look
        except AnonymizerError as error:
            raise EvaluationError(error.code, str(error)) from None

    def faces(self, picture: Pixels) -> list[Box]:
        """Returns the faces of a picture that are large and clear enough to be known, the largest first.

        Args:
            picture: (H, W, 3) uint8 RGB.

        Raises:
            EvaluationError: detector_failed.
        """
        height, width = picture.shape[:2]

        def copy_at(across: int, down: int) -> Image:
            return np.asarray(cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA), np.uint8)

        try:
            rows = self._look(width, height, copy_at)["face"]
        except AnonymizerError as error:
            raise EvaluationError(error.code, str(error)) from None
        boxes = [Box(*(float(edge) for edge in row[:4])) for row in rows if row[4] >= LEAST_SCORE]
        large = [box for box in boxes if box.width >= LEAST_PIXELS]
        return sorted(large, key=lambda box: -box.width * box.height)


def overlap(a: Box, b: Box) -> float:
    """Returns how much two boxes have in common, of both together, 0 to 1."""
    across = min(a.x2, b.x2) - max(a.x1, b.x1)
    down = min(a.y2, b.y2) - max(a.y1, b.y1)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / max(a.width * a.height + b.width * b.height - shared, 1e-9)
