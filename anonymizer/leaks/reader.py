"""A line of text read: the recognizer of PP-OCRv4 (Apache-2.0), as `rapidocr_onnxruntime` carries it.

An SVTR (Du et al., "SVTR: Scene Text Recognition with a Single Visual Model", 2022) taught by connectionist
temporal classification (Graves et al., 2006): for each step along the line one of 6,625 symbols, the first of
which means none. Which symbols stands in the file.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.detect.contract import Image
from anonymizer.detect.sessions import Network
from anonymizer.detect.text_maps import Line
from anonymizer.errors import AnonymizerError

HEIGHT: Final = 48
# Widths are multiples of the granule; a longer line is read as far as this.
GRANULE: Final = 32
WIDEST: Final = 640
_MIDDLE: Final = 127.5
_SYMBOLS: Final = "character"
_NONE: Final = 0


@dataclass(frozen=True)
class Reading:
    """What was read.

    Attributes:
        text: in order.
        confidence: the mean over its symbols, 0 to 1; 0 where there are none.
    """

    text: str
    confidence: float


class LineReader:
    """The open recognizer."""

    def __init__(self, model: bytes, threads: int) -> None:
        """Opens it. Call it after the fork.

        Raises:
            AnonymizerError: detector_failed.
        """
        self._network = Network(model, threads)
        self._symbols = ["", *self._network.note(_SYMBOLS).splitlines(), " "]

    def read(self, rgb: Image, line: Line, angle: float | None = None) -> Reading:
        """Reads a line of a picture.

        Args:
            rgb: (H, W, 3) uint8.
            line: in its pixels.
            angle: the direction of reading in degrees, downwards is positive; None for the line's own.

        Raises:
            AnonymizerError: detector_failed.
        """
        strip = straightened(rgb, line, line.angle if angle is None else angle)
        values = (strip[:, :, ::-1].astype(np.float32) - _MIDDLE) / _MIDDLE
        width = -(-strip.shape[1] // GRANULE) * GRANULE
        given = np.zeros((1, 3, HEIGHT, width), np.float32)
        given[0, :, :, : strip.shape[1]] = values.transpose(2, 0, 1)
        (likely,) = self._network.run({self._network.inputs[0]: given})
        if likely.ndim != 3 or likely.shape[0] != 1 or likely.shape[2] != len(self._symbols):
            raise AnonymizerError("detector_failed")
        return self._decoded(likely[0])

    def _decoded(self, likely: npt.NDArray[np.float32]) -> Reading:
        """Takes the likeliest symbol of each step; one that goes on is one."""
        best = likely.argmax(axis=1)
        begins = np.ones(len(best), np.bool_)
        begins[1:] = best[1:] != best[:-1]
        said = begins & (best != _NONE)
        text = "".join(self._symbols[int(each)] for each in best[said])
        return Reading(text, float(likely.max(axis=1)[said].mean()) if said.any() else 0.0)


def straightened(rgb: Image, line: Line, angle: float) -> Image:
    """Returns a line as (HEIGHT, W, 3), upright, W at most WIDEST."""
    width = int(np.clip(round(HEIGHT * line.length / max(line.height, 1e-3)), HEIGHT, WIDEST))
    turn = math.radians(angle)
    along = np.array([math.cos(turn), math.sin(turn)]) * line.length
    across = np.array([-math.sin(turn), math.cos(turn)]) * line.height
    begin = np.array([line.x, line.y]) - along / 2 - across / 2
    corners = np.array([begin, begin + along, begin + across], np.float32)
    target = np.array([[0, 0], [width, 0], [0, HEIGHT]], np.float32)
    way = cv2.getAffineTransform(corners, target)
    return np.asarray(cv2.warpAffine(rgb, way, (width, HEIGHT), flags=cv2.INTER_CUBIC), np.uint8)
