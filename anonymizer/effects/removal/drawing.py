"""Flat colours on what was painted, in whatever planes a scene has."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.colours import paint_rgb
from anonymizer.effects.region import Mask, Plane
from anonymizer.effects.removal.cells import FloatArray
from anonymizer.effects.removal.masks import Window, on_plane, on_samples

Rgb = tuple[int, int, int]

WHITE: Final[Rgb] = (245, 245, 245)

# Easy to tell apart, for those too who see few colours (Okabe and Ito, "Color Universal Design", 2008).
# Seven, a prime: the tracks of one search may be every second or third number.
COLOURS: Final[tuple[Rgb, ...]] = (
    (86, 180, 233),
    (230, 159, 0),
    (0, 158, 115),
    (204, 121, 167),
    (240, 228, 66),
    (0, 114, 178),
    (213, 94, 0),
)


def colour_of(track: int) -> Rgb:
    """Returns the colour of whoever is followed under this number."""
    return COLOURS[track % len(COLOURS)]


def shade(colour: Rgb, factor: float) -> Rgb:
    """Returns a darker colour, or with a factor above 1 a lighter one."""
    red, green, blue = (
        round(value * factor if factor <= 1 else 255 - (255 - value) / factor) for value in colour
    )
    return red, green, blue


def lay(planes: Sequence[Plane], window: Window, share: FloatArray, colour: Rgb, within: Mask) -> None:
    """Lays a colour over a window of the coarse grid, in place.

    Args:
        planes: those of the scene, already covered where the mask is true.
        window: on the coarse grid.
        share: (h, w) float32 for every luma pixel of the window: 0 leaves what is there, 1 is all colour.
        colour: which.
        within: (rows, columns) of the window: nothing else is changed.
    """
    flat = _in_planes(planes, colour)
    for plane, value in zip(planes, flat, strict=True):
        view = plane.pixels[on_samples(window, plane.step)]
        part = share
        if plane.step == 2:
            part = np.asarray(
                cv2.resize(share, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), np.float32
            )
        part = part[: view.shape[0], : view.shape[1]] * on_plane(within, plane.step, view.shape)
        mixed = view + part * (np.float32(value) - view)
        np.copyto(view, np.clip(mixed + 0.5, 0, 255).astype(np.uint8), where=part > 0)


def _in_planes(planes: Sequence[Plane], colour: Rgb) -> list[int]:
    """Returns a colour as the values of each plane."""
    # As many rows as the picture has: they tell which matrix is meant (colours.py).
    rows = planes[0].pixels.shape[0]
    small: list[npt.NDArray[np.uint8]] = [
        np.zeros((max(1, rows // plane.step), 2 // plane.step), np.uint8) for plane in planes
    ]
    copies = [Plane(pixels, plane.step, plane.neutral) for pixels, plane in zip(small, planes, strict=True)]
    paint_rgb(copies, 0, 0, np.full((2, 2, 3), colour, np.uint8), np.ones((1, 1), np.bool_))
    return [int(pixels[0, 0]) for pixels in small]
