"""One frame looked at: at several scales, and in further passes with a lower threshold and mirrored."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from anonymizer.boxes import Boxes, no_boxes, suppress
from anonymizer.detect.contract import Detector, Image
from anonymizer.settings import NATIVE

# Gives the picture at a size: (width, height) to (height, width, 3) uint8 RGB.
CopyAt = Callable[[int, int], Image]

STRICTER_SHARE = 0.7
LARGER = 1.5
MIN_SIDE = 16


class Looker:
    """Runs a detector over scaled copies of a frame and brings the boxes back to the frame's pixels."""

    def __init__(self, detector: Detector, scales: tuple[int, ...], threshold: float, passes: int) -> None:
        """Takes the detector, long sides in pixels, the threshold, and 1 to 3 passes (see FaceSettings)."""
        self._detector = detector
        self._scales = scales
        self._threshold = threshold
        self._passes = passes

    def look(self, width: int, height: int, copy_at: CopyAt) -> Boxes:
        """Returns the faces of a frame of this size, as (N, 5) in its pixels.

        Raises:
            AnonymizerError: detector_failed.
        """
        sides = sorted({min(scale, max(width, height)) for scale in self._scales})
        found = [self._at(side, width, height, copy_at, self._threshold, mirrored=False) for side in sides]
        lower = self._threshold * STRICTER_SHARE
        if self._passes >= 2:
            larger = min(round(sides[-1] * LARGER), NATIVE)
            found.append(self._at(larger, width, height, copy_at, lower, mirrored=False))
        if self._passes >= 3:
            found.append(self._at(sides[-1], width, height, copy_at, lower, mirrored=True))
        boxes = np.concatenate(found) if found else no_boxes()
        return suppress(boxes)

    def _at(
        self, side: int, width: int, height: int, copy_at: CopyAt, threshold: float, *, mirrored: bool
    ) -> Boxes:
        share = side / max(width, height)
        across = max(MIN_SIDE, round(width * share))
        down = max(MIN_SIDE, round(height * share))
        image = copy_at(across, down)
        if mirrored:
            image = np.ascontiguousarray(image[:, ::-1])
        boxes = self._detector.detect(image, threshold)
        if mirrored:
            boxes = boxes[:, [2, 1, 0, 3, 4]]
            boxes[:, [0, 2]] = across - boxes[:, [0, 2]]
        factors = np.array([width / across, height / down] * 2 + [1], np.float32)
        scaled: Boxes = (boxes * factors).astype(np.float32)
        return scaled
