"""Text that can still be read in the result, by who did not look for it when it was covered.

The picture is searched at another size than for covering, and what is found outside of all covers is read.
What cannot be read is no text: edges and patterns that a detector takes for letters harm nobody.

Where a policy covers number plates alone, only what has the shape of one counts, and reads like one: the
signs of a street stay, and some of them look like plates.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.detect.keeping import outside
from anonymizer.detect.plates import plates_among
from anonymizer.detect.text import GRANULE, MOST_ENLARGED, TextDetector
from anonymizer.detect.text_maps import Line
from anonymizer.leaks.covered import Covered
from anonymizer.leaks.reader import LineReader, Reading
from anonymizer.leaks.shares import share_outside
from anonymizer.modes import MODES
from anonymizer.settings import KeptRegion, Settings

# Long sides in pixels, both among the sizes that the detector is compiled for; at one of them nobody covered.
LARGE: Final = 1280
SMALL: Final = 960
# A line is looked at from this mean likelihood on, and read where at least so many letters or digits are sure
# by this much in the mean (docs/leaks.md): words are read at 0.7 to 0.99, patterns at up to 0.4.
LEAST_LIKELY: Final = 0.4
READABLE: Final = 0.65
LEAST_SYMBOLS: Final = 3
# Lower letters cannot be read: pixels of the result.
LEAST_HEIGHT: Final = 7.0
# A line is open where more than this share of it lies outside of all covers; the rest is read with it.
OPEN_SHARE: Final = 0.5
# Lines read in one frame, the surest first: 5 to 25 ms each.
MOST_READ: Final = 8
# From here on a line runs more down than across: it may begin at either end.
STEEP_DEGREES: Final = 45.0
# Letters and digits, four to nine of them, two of them digits at least, and little else.
_PLATE: Final = re.compile(r"(?=(?:.*\d){2})(?=.*[A-Z])[A-Z0-9](?:[ .:·-]{0,2}[A-Z0-9]){3,8}")


class TextAttacker:
    """Looks at frames of a result, one by one."""

    def __init__(
        self, detector: TextDetector, open_reader: Callable[[], LineReader] | None, settings: Settings
    ) -> None:
        """Takes what finds lines, how to open what reads them, and what was covered.

        Args:
            detector: the network that covers text, too.
            open_reader: called when there is something to read, which in most results there is not; None
                where there is no reader: then what is found clearly counts.
            settings: of the job; text or plates are sought.
        """
        self._detector = detector
        self._open_reader = open_reader
        self._reader: LineReader | None = None
        self._plates_only = settings.text is None
        self._side = SMALL if MODES[settings.mode].text_scale >= LARGE else LARGE

    def look(self, rgb: Image, covered: Sequence[Covered], keep: Sequence[KeptRegion]) -> int:
        """Counts texts that can be read in a frame of the result.

        Args:
            rgb: (H, W, 3) uint8.
            covered: what the frame was to hide.
            keep: where text may stay.

        Raises:
            AnonymizerError: detector_failed.
        """
        height, width = rgb.shape[:2]
        side = min(self._side, round(MOST_ENLARGED * max(width, height)))
        across, down = (
            max(GRANULE, round(v * side / max(width, height) / GRANULE) * GRANULE) for v in (width, height)
        )
        smooth = cv2.INTER_AREA if across < width else cv2.INTER_LINEAR
        picture = np.asarray(cv2.resize(rgb, (across, down), interpolation=smooth), np.uint8)
        lines = self._detector.lines(picture, LEAST_LIKELY)
        if self._plates_only:
            lines = plates_among(lines, picture)
        factors = (width / across, height / down)
        left = [line for line in lines if self._is_open(line, factors, covered, keep, (width, height))]
        left.sort(key=lambda line: -line.score)
        return sum(self._is_readable(picture, line) for line in left[:MOST_READ])

    @staticmethod
    def _is_open(
        line: Line,
        factors: tuple[float, float],
        covered: Sequence[Covered],
        keep: Sequence[KeptRegion],
        size: tuple[int, int],
    ) -> bool:
        if line.height * min(factors) < LEAST_HEIGHT:
            return False
        low, high = (np.asarray(edge) * factors for edge in _edges(line))
        box = Box(float(low[0]), float(low[1]), float(high[0]), float(high[1]))
        row = np.array([[box.x1, box.y1, box.x2, box.y2, line.score]], np.float32)
        return share_outside(box, covered) > OPEN_SHARE and len(outside(row, keep, *size)) == 1

    def _is_readable(self, picture: Image, line: Line) -> bool:
        if self._open_reader is None:
            return line.score >= READABLE
        if self._reader is None:
            self._reader = self._open_reader()
        turns = (line.angle, line.angle + 180) if abs(line.angle) > STEEP_DEGREES else (line.angle,)
        return any(self._says_something(self._reader.read(picture, line, turn)) for turn in turns)

    def _says_something(self, reading: Reading) -> bool:
        if reading.confidence < READABLE:
            return False
        if self._plates_only:
            return _PLATE.fullmatch(reading.text.strip().upper()) is not None
        return sum(symbol.isalnum() for symbol in reading.text) >= LEAST_SYMBOLS


def _edges(line: Line) -> tuple[list[float], list[float]]:
    corners = line.corners()
    return corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
