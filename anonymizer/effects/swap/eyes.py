"""Painted eyes that look about: what lies under an iris, the iris, and what lies over it, each a layer.

All that is painted changes a pixel from v to v * kept + added. So a layer is found by painting it once on
black and once on white, and putting it on again costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np

from anonymizer.effects.meshes import ATLAS_SIDE, Pixels, atlas_points
from anonymizer.effects.swap.brushes import Canvas, Colour, Share, area, blob, disc, line, mix, times
from anonymizer.landmarks.points import EYES, OUTLINES

UPPER_LIDS: Final = (
    (33, 246, 161, 160, 159, 158, 157, 173, 133),
    (263, 466, 388, 387, 386, 385, 384, 398, 362),
)
LOWER_LIDS: Final = (
    (33, 7, 163, 144, 145, 153, 154, 155, 133),
    (263, 249, 390, 373, 374, 380, 381, 382, 362),
)
_CREASES: Final = ((130, 247, 30, 29, 27, 28, 56, 190), (359, 467, 260, 259, 257, 258, 286, 414))
_MARGIN: Final = 6
# An iris goes so far at a gaze of 1, in widths of the eye.
GAZE_ACROSS: Final = 0.2
GAZE_DOWN: Final = 0.1
# In widths of the eye.
_IRIS: Final = 0.225
_PUPIL: Final = 0.42
_RED: Final = (196.0, 128.0, 120.0)
_WHITE: Final = (228.0, 222.0, 216.0)
_BLACK: Final = (14.0, 11.0, 10.0)


@dataclass(frozen=True)
class Layer:
    """What paints something: v becomes v * kept + added; (h, w, 3) float32."""

    kept: Canvas
    added: Canvas


@dataclass(frozen=True)
class PaintedEye:
    """One eye in a window of an atlas.

    Attributes:
        left, top: of the window.
        width: of the eye, in pixels of the atlas.
        under: the window without iris.
        iris, over: what is put on it.
        inside: (h, w, 1): 1 between the lids.
    """

    left: int
    top: int
    width: float
    under: Canvas
    iris: Layer
    over: Layer
    inside: Canvas

    def looking(self, atlas: Pixels, gaze_x: float, gaze_y: float) -> None:
        """Paints the eye into an atlas, in place.

        Args:
            atlas: (ATLAS_SIDE, ATLAS_SIDE, 3) uint8 RGB.
            gaze_x, gaze_y: -1 to 1, to the right and down.
        """
        shift = np.array([[1, 0, gaze_x * GAZE_ACROSS * self.width], [0, 1, gaze_y * GAZE_DOWN * self.width]])
        size = self.inside.shape[1::-1]
        kept = cv2.warpAffine(self.iris.kept, shift, size, borderValue=(1, 1, 1))
        added = cv2.warpAffine(self.iris.added, shift, size)
        seen = self.under * (1 - self.inside * (1 - kept)) + self.inside * added
        seen = seen * self.over.kept + self.over.added
        height, width = seen.shape[:2]
        atlas[self.top : self.top + height, self.left : self.left + width] = np.clip(seen, 0, 255)


def paint_eye(canvas: Canvas, side: int, iris: Colour, skin: Colour, hair: Colour) -> PaintedEye:
    """Paints an eye without its iris into a canvas, in place, and returns the rest of it.

    Args:
        canvas: with the skin.
        side: 0 for the eye at the picture's left.
        iris, skin, hair: colours.
    """
    points = atlas_points()
    ring = points[list(OUTLINES[side])]
    low, high = ring.min(axis=0), ring.max(axis=0)
    (x, y), wide = (float(v) for v in (low + high) / 2), float(high[0] - low[0])
    mix(canvas, blob((x, y - wide * 0.1), wide * 0.62, wide * 0.36) * 0.26, times(skin, 0.52))
    inside = area((*UPPER_LIDS[side], *LOWER_LIDS[side][-2:0:-1]), blur=1.0)
    mix(canvas, inside, _WHITE)
    left, top = (int(v) - _MARGIN for v in low)
    right, bottom = (int(v) + _MARGIN + 1 for v in high)
    window = slice(top, bottom), slice(left, right)
    # Full size only for as long as it is painted.
    return PaintedEye(
        left,
        top,
        wide,
        canvas[window].copy(),
        _layer(lambda on: _iris(on, (x, y - wide * 0.02), wide * _IRIS, iris), window),
        _layer(lambda on: _lids(on, side, wide, inside, skin, hair), window),
        inside[window][:, :, None].copy(),
    )


def _layer(paint: Callable[[Canvas], None], window: tuple[slice, slice]) -> Layer:
    painted = []
    for value in (0, 1):
        canvas = np.full((ATLAS_SIDE, ATLAS_SIDE, 3), value, np.float32)
        paint(canvas)
        painted.append(canvas[window].copy())
    return Layer(painted[1] - painted[0], painted[0])


def _iris(canvas: Canvas, middle: tuple[float, float], radius: float, colour: Colour) -> None:
    x, y = middle
    # In the atlas the face is unrolled, which makes things there a little wider.
    across = radius * 1.08
    mix(canvas, disc(middle, across, radius), times(colour, 0.42))
    mix(canvas, disc(middle, across * 0.84, radius * 0.84), colour)
    mix(canvas, blob((x, y + radius * 0.4), across * 0.5, radius * 0.36) * 0.5, times(colour, 1.5))
    mix(canvas, disc(middle, across * _PUPIL, radius * _PUPIL), _BLACK)
    light = (x + radius * 0.3, y - radius * 0.32)
    mix(canvas, disc(light, radius * 0.17, radius * 0.17), (250, 250, 250))


def _lids(canvas: Canvas, side: int, wide: float, inside: Share, skin: Colour, hair: Colour) -> None:
    # The upper lid throws a shadow on the eye.
    shifted = cv2.warpAffine(inside, np.array([[1, 0, 0], [0, 1, wide * 0.085]]), inside.shape[::-1])
    mix(canvas, 0.5 * inside * (1 - cv2.GaussianBlur(shifted, (0, 0), 2.5)), (0, 0, 0))
    x, y = atlas_points()[EYES[side][1]]
    mix(canvas, disc((float(x), float(y)), 5, 4) * inside * 0.6, _RED)
    mix(canvas, line(UPPER_LIDS[side], 4, 1.2) * 0.85, times(hair, 0.35))
    mix(canvas, line(LOWER_LIDS[side], 2, 1.4) * 0.35, times(skin, 0.5))
    mix(canvas, line(_CREASES[side], 3, 2.0) * 0.45, times(skin, 0.55))
