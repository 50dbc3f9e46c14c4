"""Letters on covered faces, so that a viewer can tell who is who: A for whoever came first, then B, C, ...

A letter is written where a cover was painted, and nowhere else, so it shows nothing and hides nothing more.
It belongs to a track: who leaves the picture and comes back may get another. What is seen for a moment only,
as false alarms are, uses none up.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.colours import paint_rgb, rectangle_of
from anonymizer.effects.operator import Cover, Scene

LEAST_SECONDS: Final = 0.5
# Under this height of a cover, in pixels, no letter would be readable.
LEAST_HEIGHT: Final = 36
# Of the cover's height.
_SHARE: Final = 0.2
_LEAST_LETTER: Final = 14
_MOST_TRACKS: Final = 4096
_FONT: Final = cv2.FONT_HERSHEY_DUPLEX
_BACKGROUND, _INK = (28, 30, 34), (245, 245, 240)


@dataclass
class _Seen:
    since: float
    letter: str = ""


class Labels:
    """The letters of one job. Frames come in order."""

    def __init__(self) -> None:
        """Nobody has one yet."""
        self._tracks: OrderedDict[int, _Seen] = OrderedDict()
        self._given = 0

    def paint(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Writes the letters of one frame, in which everything is covered."""
        for cover in covers:
            if cover.kind == "face":
                letter = self._letter_of(cover.track, scene.time)
                if letter:
                    _write(letter, scene, cover)

    def _letter_of(self, track: int, time: float) -> str:
        seen = self._tracks.setdefault(track, _Seen(time))
        self._tracks.move_to_end(track)
        while len(self._tracks) > _MOST_TRACKS:
            self._tracks.popitem(last=False)
        if not seen.letter and time - seen.since >= LEAST_SECONDS:
            seen.letter = letters(self._given)
            self._given += 1
        return seen.letter


def letters(number: int) -> str:
    """Returns A to Z for 0 to 25, then AA, AB, ..."""
    text = ""
    number += 1
    while number:
        number, place = divmod(number - 1, 26)
        text = chr(ord("A") + place) + text
    return text


def _write(text: str, scene: Scene, cover: Cover) -> None:
    left, top, _, bottom = rectangle_of(cover.region)
    height = bottom - top
    if height < LEAST_HEIGHT:
        return
    badge = _badge(text, max(_LEAST_LETTER, round(height * _SHARE)))
    rows, columns = badge.shape[0] // 2, badge.shape[1] // 2
    # In the middle below, where an ellipse is still wide enough: even coordinates, on the coarse grid.
    row = cover.region.coarse.shape[0] - rows - max(1, cover.region.coarse.shape[0] // 16)
    column = (cover.region.coarse.shape[1] - columns) // 2
    if row < 0 or column < 0:
        return
    mask = cover.region.coarse[row : row + rows, column : column + columns]
    paint_rgb(scene.planes, left + 2 * column, top + 2 * row, badge, mask)


def _badge(text: str, height: int) -> npt.NDArray[np.uint8]:
    """Returns a dark plate with the text in it: (h, w, 3) RGB, even sides."""
    scale = height * 0.62 / 22
    thickness = max(1, round(height / 14))
    (wide, high), _ = cv2.getTextSize(text, _FONT, scale, thickness)
    rows = height + height % 2
    columns = max(rows, wide + height // 2)
    columns += columns % 2
    badge = np.full((rows, columns, 3), _BACKGROUND, np.uint8)
    origin = ((columns - wide) // 2, (rows + high) // 2)
    cv2.putText(badge, text, origin, _FONT, scale, _INK, thickness, cv2.LINE_AA)
    return badge
