"""Faces in pictures, by the detectors that a job may have; and what finding is, whatever is sought."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol

import cv2
import numpy as np

from anonymizer import AnonymizerError, FaceSettings, Models, Settings
from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.detect.finders import Look, open_finders
from anonymizer.settings import DETECTORS, Kind
from evaluation.errors import EvaluationError
from evaluation.faces.recognizers import Pixels

# Under this many pixels across, recognizers know nobody.
LEAST_PIXELS: Final = 24
# A job covers what scores 0.2 already, much of which is no face, and cannot be attacked.
LEAST_SCORE: Final = 0.3
SAME_PLACE: Final = 0.3


class Finder(Protocol):
    """Finds those who are to be recognized."""

    @property
    def detectors(self) -> tuple[str, ...]:
        """Who looks. What the first one finds in originals is attacked; the others are asked besides."""
        ...

    @property
    def nobody(self) -> str:
        """The code of an evaluation of pictures in which nobody was found."""
        ...

    def find(self, picture: Pixels, detector: str) -> list[Box]:
        """Returns those who are large and clear enough to be known, the largest first.

        Args:
            picture: (H, W, 3) uint8 RGB.
            detector: which of them looks.

        Raises:
            EvaluationError: with one of the anonymizer's codes.
        """
        ...


class FaceFinder:
    """Looks for faces, at every size that a job looks at in a still."""

    nobody: Final = "no_faces"

    def __init__(self, models: Models) -> None:
        """Opens every detector that is installed, the one that every job has first.

        Raises:
            EvaluationError: with one of the anonymizer's codes about models.
        """
        self._looks: dict[str, Look] = {}
        for name in DETECTORS["face"]:
            try:
                settings = Settings(faces=FaceSettings(detectors=(name,)))
                self._looks[name] = open_finders(models, settings, is_still=True)[0].look
            except AnonymizerError as error:
                if error.code != "model_missing" or not self._looks:
                    raise EvaluationError(error.code, str(error)) from None

    @property
    def detectors(self) -> tuple[str, ...]:
        """See Finder."""
        return tuple(self._looks)

    def find(self, picture: Pixels, detector: str) -> list[Box]:
        """See Finder."""
        return [box for box in seen(self._looks[detector], "face", picture) if box.width >= LEAST_PIXELS]

    def faces(self, picture: Pixels) -> list[Box]:
        """Returns what the first detector finds."""
        return self.find(picture, self.detectors[0])


def seen(look: Look, kind: Kind, picture: Pixels) -> list[Box]:
    """Returns what a detector is sure of in a picture, the largest first.

    Args:
        look: of a finder (anonymizer/detect/finders.py).
        kind: what is sought.
        picture: (H, W, 3) uint8 RGB.

    Raises:
        EvaluationError: detector_failed.
    """
    height, width = picture.shape[:2]

    def copy_at(across: int, down: int) -> Image:
        return np.asarray(cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA), np.uint8)

    try:
        rows = look(width, height, copy_at)[kind]
    except AnonymizerError as error:
        raise EvaluationError(error.code, str(error)) from None
    boxes = [Box(*(float(edge) for edge in row[:4])) for row in rows if row[4] >= LEAST_SCORE]
    return sorted(boxes, key=lambda box: -box.width * box.height)


def still_there(finder: Finder, box: Box, by_detector: Mapping[str, list[Box]]) -> frozenset[str]:
    """Returns which detectors find somebody at a place."""
    return frozenset(
        name
        for name in finder.detectors
        if any(overlap(box, other) >= SAME_PLACE for other in by_detector[name])
    )


def overlap(a: Box, b: Box) -> float:
    """Returns how much two boxes have in common, of both together, 0 to 1."""
    across = min(a.x2, b.x2) - max(a.x1, b.x1)
    down = min(a.y2, b.y2) - max(a.y1, b.y1)
    shared = max(across, 0.0) * max(down, 0.0)
    return shared / max(a.width * a.height + b.width * b.height - shared, 1e-9)
