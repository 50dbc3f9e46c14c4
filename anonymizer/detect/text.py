"""Text and number plates in one frame, by one network.

The network is the text detector of PP-OCRv4 (Apache-2.0), a DBNet, as the `rapidocr_onnxruntime` package
carries it. It takes pictures whose sides are multiples of 32 and answers how likely each pixel is text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import cv2
import numpy as np

from anonymizer.boxes import Boxes, no_boxes, suppress
from anonymizer.detect.compiled_text import MIDDLE, SPAN, CompiledText
from anonymizer.detect.contract import Image
from anonymizer.detect.keeping import outside
from anonymizer.detect.looking import CopyAt, tiles
from anonymizer.detect.plates import plates_among
from anonymizer.detect.sessions import Network
from anonymizer.detect.text_maps import Line, lines_of
from anonymizer.errors import AnonymizerError
from anonymizer.modes import NATIVE
from anonymizer.settings import KeptRegion, Kind

GRANULE = 32
# A small picture is enlarged by this much at most: small letters are found better, blur is not.
MOST_ENLARGED = 1.5
# Lines overlap by less than this, unless they are one line seen at two scales.
OVERLAP_OF_ONE_LINE = 0.5


class TextDetector:
    """Finds lines of text in a picture."""

    def __init__(self, model: bytes, threads: int, compiled: CompiledText | None = None) -> None:
        """Opens the network. Call it after the fork.

        Args:
            model: for pictures of any size.
            threads: what it may use.
            compiled: the same network for some sizes, faster.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._compiled = compiled
        self._network = Network(model, threads)
        if len(self._network.inputs) != 1 or len(self._network.outputs) != 1:
            raise AnonymizerError("detector_failed")

    def lines(self, image: Image, threshold: float) -> list[Line]:
        """Returns the lines of text of a picture, in its pixels.

        Args:
            image: (H, W, 3) uint8 RGB, both sides multiples of 32.
            threshold: lowest score to return.

        Raises:
            AnonymizerError: detector_failed.
        """
        height, width = image.shape[:2]
        if self._compiled is not None and (height, width) in self._compiled.sizes:
            likely = self._compiled.likely(image)
        else:
            blob = cv2.dnn.blobFromImage(image, 1 / SPAN, (width, height), (MIDDLE,) * 3, swapRB=True)
            (likely,) = self._network.run({self._network.inputs[0]: np.asarray(blob, np.float32)})
        if likely.shape != (1, 1, height, width):
            raise AnonymizerError("detector_failed")
        return lines_of(likely[0, 0], threshold)


class TextLooker:
    """Runs the detector over scaled copies of a frame and brings the boxes back to the frame's pixels."""

    def __init__(
        self,
        detector: TextDetector,
        scales: Sequence[int],
        thresholds: Mapping[Kind, float],
        keep: Sequence[KeptRegion],
    ) -> None:
        """Takes the detector, long sides in pixels, a threshold for each kind sought, and what may stay."""
        self._detector = detector
        self._scales = scales
        self._thresholds = thresholds
        self._keep = keep

    def look(self, width: int, height: int, copy_at: CopyAt) -> Mapping[Kind, Boxes]:
        """Returns the text, the plates or both of a frame of this size, each as (N, 5) in its pixels.

        Raises:
            AnonymizerError: detector_failed.
        """
        most = MOST_ENLARGED * max(width, height)
        found: dict[Kind, list[Boxes]] = {kind: [no_boxes()] for kind in self._thresholds}
        for side in sorted({min(scale, round(most)) for scale in self._scales}):
            share = side / max(width, height)
            across, down = (max(GRANULE, round(v * share / GRANULE) * GRANULE) for v in (width, height))
            image = copy_at(across, down)
            lines = self._lines(image)
            factors = np.array([width / across, height / down] * 2 + [1], np.float32)
            for kind, threshold in self._thresholds.items():
                chosen = plates_among(lines, image) if kind == "plate" else lines
                boxes = _boxes_around([line for line in chosen if line.score >= threshold])
                found[kind].append((boxes * factors).astype(np.float32))
        return {
            kind: outside(suppress(np.concatenate(boxes), OVERLAP_OF_ONE_LINE), self._keep, width, height)
            for kind, boxes in found.items()
        }

    def _lines(self, image: Image) -> list[Line]:
        """Looks at a copy; in tiles where it is large, which bounds memory. A cut line is found in parts."""
        threshold = min(self._thresholds.values())
        height, width = image.shape[:2]
        if max(width, height) <= NATIVE:
            return self._detector.lines(image, threshold)
        lines = []
        for top, bottom in _tiles_of(height):
            for left, right in _tiles_of(width):
                tile = np.ascontiguousarray(image[top:bottom, left:right])
                found = self._detector.lines(tile, threshold)
                lines += [replace(line, x=line.x + left, y=line.y + top) for line in found]
        return lines


def _tiles_of(length: int) -> Iterator[tuple[int, int]]:
    """Yields tiles that begin and end on the network's granules, as the length does."""
    for begin, end in tiles(length):
        yield begin // GRANULE * GRANULE, -(-end // GRANULE) * GRANULE


def _boxes_around(lines: Sequence[Line]) -> Boxes:
    if not lines:
        return no_boxes()
    rows = [[*line.corners().min(axis=0), *line.corners().max(axis=0), line.score] for line in lines]
    return np.array(rows, np.float32)
