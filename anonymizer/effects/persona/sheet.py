"""The sheet that a face is drawn on, flat: shapes in units of the mean face, their edges smooth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.persona.meshes import Colour, Floats

# What the sheet shows of a head: counted along the rings of head.py, from ear to ear and from crown to chin.
LEFT: Final = -0.96
TOP: Final = -0.82
WIDE: Final = 1.92
TALL: Final = 1.50
_SHIFT: Final = 4


class Sheet:
    """A drawing.

    Attributes:
        pixels: (h, w, 4) uint8: RGB and gleam.
        per_unit: pixels of the mean face's unit.
    """

    def __init__(self, per_unit: float, pixels: npt.NDArray[np.uint8] | None = None) -> None:
        """Begins with an empty sheet, or on what was drawn before."""
        self.per_unit = per_unit
        if pixels is None:
            pixels = np.zeros((round(TALL * per_unit), round(WIDE * per_unit), 4), np.uint8)
        self.pixels = pixels

    def copy(self) -> Sheet:
        """Returns a sheet with the same on it."""
        return Sheet(self.per_unit, self.pixels.copy())

    def at(self) -> tuple[Floats, Floats]:
        """Returns x, (1, w), and y, (h, 1), of all pixels, in units."""
        height, width = self.pixels.shape[:2]
        x = (np.arange(width, dtype=np.float32)[None] + 0.5) / self.per_unit + LEFT
        y = (np.arange(height, dtype=np.float32)[:, None] + 0.5) / self.per_unit + TOP
        return x, y

    def fill(
        self,
        outline: Floats,
        colour: Colour,
        strength: float = 1.0,
        shine: int | None = None,
        within: Floats | None = None,
    ) -> None:
        """Fills a shape.

        Args:
            outline: (N, 2), in units.
            colour: RGB.
            strength: 1 hides what was there.
            shine: its gleam, 0 to 255; as it was where there is none.
            within: another outline that it does not leave.
        """
        placed = self._placed(outline)
        low = np.floor(placed.min(axis=0)).astype(int) - 2
        high = np.ceil(placed.max(axis=0)).astype(int) + 3
        height, width = self.pixels.shape[:2]
        left, top = max(0, low[0]), max(0, low[1])
        right, bottom = min(width, high[0]), min(height, high[1])
        if left >= right or top >= bottom:
            return
        mask = _mask(placed, left, top, right, bottom)
        if within is not None:
            other = _mask(self._placed(within), left, top, right, bottom)
            mask = np.asarray(cv2.multiply(mask, other, scale=1 / 255), np.uint8)
        share = mask.astype(np.float32)[:, :, None] * np.float32(strength / 255)
        part = self.pixels[top:bottom, left:right]
        below = part[:, :, :3].astype(np.float32)
        part[:, :, :3] = below + (np.array(colour, np.float32) - below) * share
        if shine is not None:
            was = part[:, :, 3].astype(np.float32)
            part[:, :, 3] = was + (shine - was) * share[:, :, 0]

    def stroke(
        self, path: Floats, widths: Sequence[float] | Floats, colour: Colour, strength: float = 1.0
    ) -> None:
        """Draws a line whose width changes along it: (N, 2) and (N,), in units."""
        self.fill(ribbon(path, widths), colour, strength)

    def disc(
        self,
        middle: tuple[float, float],
        radius: float,
        colour: Colour,
        strength: float = 1.0,
        within: Floats | None = None,
    ) -> None:
        """Draws a disc."""
        self.fill(oval(middle, radius, radius), colour, strength, within=within)

    def spot(
        self, middle: tuple[float, float], wide: float, tall: float, colour: Colour, strength: float
    ) -> None:
        """Draws a soft spot, strongest in its middle; wide and tall are where a third of it is left."""
        low = self._placed(np.array([[middle[0] - 2.4 * wide, middle[1] - 2.4 * tall]]))[0]
        high = self._placed(np.array([[middle[0] + 2.4 * wide, middle[1] + 2.4 * tall]]))[0]
        height, width = self.pixels.shape[:2]
        left, top = max(0, int(low[0])), max(0, int(low[1]))
        right, bottom = min(width, int(high[0]) + 2), min(height, int(high[1]) + 2)
        x, y = self.at()
        x, y = x[:, left:right], y[top:bottom]
        share = np.exp(-(((x - middle[0]) / wide) ** 2) - ((y - middle[1]) / tall) ** 2)
        part = self.pixels[top:bottom, left:right]
        below = part[:, :, :3].astype(np.float32)
        part[:, :, :3] = below + (np.array(colour, np.float32) - below) * (share * strength)[:, :, None]

    def mask_of(self, outlines: Sequence[Floats]) -> Floats:
        """Returns (h, w) 0 to 1: where any of many shapes is."""
        mask = np.zeros(self.pixels.shape[:2], np.uint8)
        for outline in outlines:
            fixed = np.round(self._placed(outline) * (1 << _SHIFT)).astype(np.int32)
            cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
        return mask.astype(np.float32) / 255

    def tint(self, share: Floats, colour: Colour) -> None:
        """Mixes a colour into all pixels, by (h, w) shares."""
        below = self.pixels[:, :, :3].astype(np.float32)
        self.pixels[:, :, :3] = below + (np.array(colour, np.float32) - below) * share[:, :, None]

    def _placed(self, outline: Floats) -> Floats:
        return (np.asarray(outline, np.float32) - np.array([LEFT, TOP], np.float32)) * np.float32(
            self.per_unit
        ) - np.float32(0.5)


def oval(middle: tuple[float, float], wide: float, tall: float, points: int = 28) -> Floats:
    """Returns the outline of an ellipse, (points, 2)."""
    angle = np.linspace(0, 2 * np.pi, points, endpoint=False)
    made = np.stack([middle[0] + wide * np.cos(angle), middle[1] + tall * np.sin(angle)], axis=1)
    return made.astype(np.float32)


def ribbon(path: Floats, widths: Sequence[float] | Floats) -> Floats:
    """Returns the outline of a line whose width changes along it: (N, 2) and (N,)."""
    along = np.gradient(path, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-9)
    half = np.asarray(widths, np.float32)[:, None] / 2
    return np.concatenate([path + across * half, (path - across * half)[::-1]])


def _mask(placed: Floats, left: int, top: int, right: int, bottom: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros((bottom - top, right - left), np.uint8)
    fixed = np.round((placed - np.array([left, top], np.float32)) * (1 << _SHIFT)).astype(np.int32)
    cv2.fillPoly(mask, [fixed], 255, cv2.LINE_AA, _SHIFT)
    return mask
