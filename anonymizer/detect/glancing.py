"""A cheap look at a frame that follows a full one: the whole picture small, and small faces where they were.

What a full look found is found again for a fraction of its cost: a face that is large enough shows in the
small copy, and the others are sought in windows of the fine copy around where they were. What a glance cannot
see is a small face that was not there a moment ago: the next full look does, and covers reach back that far.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from anonymizer.boxes import Box, Boxes, overlaps, suppress
from anonymizer.detect.contract import Detector, Image
from anonymizer.detect.looking import CopyAt, Looker
from anonymizer.track.steady import LEAST_OVERLAP, SURE_SCORE

# Gives a part of the picture (left, top, width, height, even numbers) scaled by a share, as RGB.
PartAt = Callable[[int, int, int, int, float], Image]

# In pixels of the small copy: every face this large was found there (FACTS: from 16 on .95 and more).
LARGE_ENOUGH = 24
# Of the fine copy: the smallest canvas.
WINDOW = (320, 192)
# With more of them a full look is no dearer.
MOST_WINDOWS = 3
# Where a face may have gone, and what the network wants to see around it.
MARGIN = 1.6
CUT_OFF_PIXELS = 2


@dataclass(frozen=True)
class _Window:
    """A part of the picture, in its pixels."""

    left: int
    top: int
    width: int
    height: int

    def holds(self, box: Box) -> bool:
        """Tells whether a box lies within it."""
        right, bottom = self.left + self.width, self.top + self.height
        return box.x1 >= self.left and box.y1 >= self.top and box.x2 <= right and box.y2 <= bottom


class Glancer:
    """Looks again for what was found a frame ago."""

    def __init__(self, detector: Detector, scales: tuple[int, ...], threshold: float) -> None:
        """Takes the detector, the long sides of a full look, and the threshold."""
        self._detector = detector
        self._coarse, self._fine = min(scales), max(scales)
        self._looker = Looker(detector, (self._coarse,), threshold, 1)
        self._threshold = threshold

    def glance(self, width: int, height: int, copy_at: CopyAt, part_at: PartAt, known: Boxes) -> Boxes | None:
        """Returns the faces of a frame, (N, 5) in its pixels.

        Faint ones that were known and are not found again stay where they were until the next full look.

        Args:
            width, height: of the frame.
            copy_at, part_at: give copies of it.
            known: (M, 5), what was found in the frame before.

        Returns:
            None where a full look is needed: too many small faces, or a picture that is small itself.

        Raises:
            AnonymizerError: detector_failed.
        """
        longest = max(width, height)
        fine = min(self._fine, longest) / longest
        if longest * fine < 2 * self._coarse:
            return None
        small = [
            Box(x1, y1, x2, y2)
            for x1, y1, x2, y2 in known[:, :4].tolist()
            if max(x2 - x1, y2 - y1) * self._coarse / longest < LARGE_ENOUGH
        ]
        windows = _windows_around(small, width, height, fine)
        if windows is None:
            return None
        found = [self._looker.look(width, height, copy_at)]
        found += [self._in_window(window, width, height, part_at, fine) for window in windows]
        seen = suppress(np.concatenate(found))
        lost = (overlaps(known, seen).max(axis=1, initial=0) < LEAST_OVERLAP) & (known[:, 4] < SURE_SCORE)
        return np.concatenate([seen, known[lost]])

    def _in_window(self, window: _Window, width: int, height: int, part_at: PartAt, share: float) -> Boxes:
        image = part_at(window.left, window.top, window.width, window.height, share)
        boxes = self._detector.detect(image, self._threshold)
        rows, columns = image.shape[:2]
        inner = np.ones(len(boxes), np.bool_)
        # A face that the window cuts off is the business of the window that holds it, or of the small copy.
        if window.left > 0:
            inner &= boxes[:, 0] > CUT_OFF_PIXELS
        if window.top > 0:
            inner &= boxes[:, 1] > CUT_OFF_PIXELS
        if window.left + window.width < width:
            inner &= boxes[:, 2] < columns - CUT_OFF_PIXELS
        if window.top + window.height < height:
            inner &= boxes[:, 3] < rows - CUT_OFF_PIXELS
        factors = np.array([window.width / columns, window.height / rows] * 2 + [1], np.float32)
        moved = np.array([window.left, window.top] * 2 + [0], np.float32)
        return (boxes[inner] * factors + moved).astype(np.float32)


def _windows_around(boxes: list[Box], width: int, height: int, share: float) -> list[_Window] | None:
    """Returns windows that hold every box with its margin; None where it takes too many."""
    windows: list[_Window] = []
    for box in boxes:
        roomy = box.scaled(MARGIN)
        within = Box(max(0, roomy.x1), max(0, roomy.y1), min(width, roomy.x2), min(height, roomy.y2))
        if any(window.holds(within) for window in windows):
            continue
        window = _placed(within, width, height, share)
        if len(windows) == MOST_WINDOWS or not window.holds(within):
            return None
        windows.append(window)
    return windows


def _placed(box: Box, width: int, height: int, share: float) -> _Window:
    across = min(width, round(WINDOW[0] / share)) // 2 * 2
    down = min(height, round(WINDOW[1] / share)) // 2 * 2
    x, y = box.centre
    left = min(max(0, round(x - across / 2)), width - across) // 2 * 2
    top = min(max(0, round(y - down / 2)), height - down) // 2 * 2
    return _Window(left, top, across, down)
