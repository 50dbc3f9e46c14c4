"""What every detector promises."""

from __future__ import annotations

from typing import Protocol

import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Boxes

Image = npt.NDArray[np.uint8]


class Detector(Protocol):
    """Finds faces in one picture."""

    def detect(self, image: Image, threshold: float | None = None) -> Boxes:
        """Returns the faces of a picture.

        Args:
            image: (H, W, 3) uint8 RGB, any size.
            threshold: lowest score to return; None for the detector's own.

        Returns:
            (N, 5) float32: x1, y1, x2, y2 in pixels of this image and within it, and the score.

        Raises:
            AnonymizerError: detector_failed; never an empty answer in place of a failure.
        """
        ...
