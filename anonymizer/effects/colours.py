"""Colours, whatever planes a scene has: read as RGB, painted back as RGB under a cover's region.

A video has luma and two colour planes of half the size, in limited range. Planes do not say which matrix made
them, so it is the one that players take when nothing is said: ITU-R BT.709 from 720 rows on, BT.601 below. A
wrong guess shifts a hue a little, and what is read and painted back still comes out as it was.
A still has blue, green and red, or grey alone, in full range.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.region import Mask, Plane, Region

Rgb = npt.NDArray[np.uint8]
_Matrix = npt.NDArray[np.float64]

LEAST_ROWS_OF_709: Final = 720
# Kr and Kb: ITU-R BT.601-7, 2.5.1, and BT.709-6, 3.2.
_KR_KB_601: Final = (0.299, 0.114)
_KR_KB_709: Final = (0.2126, 0.0722)
# Limited range: the spans of luma and of both colours, of 255.
_LUMA_SPAN, _COLOUR_SPAN = 219, 224
_BLACK, _NO_COLOUR = 16, 128


def rgb_of(
    planes: Sequence[Plane], left: int, top: int, right: int, bottom: int, size: tuple[int, int] | None = None
) -> Rgb:
    """Reads a rectangle of a scene.

    Args:
        planes: those of the scene.
        left, top: its first column and row in luma pixels; even, and within the picture.
        right, bottom: where it ends. What lies beyond the picture is left out.
        size: width and height that it is brought to, by the mean of its pixels; none for its own.

    Returns:
        (h, w, 3) uint8 RGB, a copy.
    """
    height, width = planes[0].pixels[top:bottom, left:right].shape
    wanted = size or (width, height)
    channels = []
    for plane in planes:
        step = plane.step
        view = plane.pixels[top // step : -(-bottom // step), left // step : -(-right // step)]
        if size is not None:
            view = np.asarray(cv2.resize(view, wanted, interpolation=cv2.INTER_AREA), np.uint8)
        elif step == 2:
            view = view.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        channels.append(view)
    if len(channels) == 1:
        return np.repeat(channels[0][:, :, None], 3, axis=2)
    if planes[1].step == 1:
        return np.ascontiguousarray(np.stack(channels[::-1], axis=2))
    coded = np.ascontiguousarray(np.stack(channels, axis=2))
    return np.asarray(cv2.transform(coded, _decoding(planes)), np.uint8)


def paint_rgb(planes: Sequence[Plane], left: int, top: int, rgb: Rgb, coarse: Mask) -> None:
    """Paints under a mask on the coarse grid, in place, and nowhere else.

    Args:
        planes: those of the scene.
        left, top: where the upper left corner lies, in luma pixels; even, and within the picture.
        rgb: (h, w, 3) uint8 RGB; what reaches beyond the picture or the mask is left out.
        coarse: (ceil(h / 2), ceil(w / 2)) bool, or fewer rows and columns: one for 2 x 2 luma pixels.
    """
    if len(planes) == 1:
        colours = [cv2.cvtColor(np.ascontiguousarray(rgb), cv2.COLOR_RGB2GRAY)]
    elif planes[1].step == 1:
        colours = [rgb[:, :, channel] for channel in (2, 1, 0)]
    else:
        encoding = _encoding(planes)
        height, width = rgb.shape[:2]
        whole = np.pad(rgb, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge")
        half_size = (whole.shape[1] // 2, whole.shape[0] // 2)
        half = cv2.resize(whole, half_size, interpolation=cv2.INTER_AREA)
        luma = cv2.transform(np.ascontiguousarray(rgb), encoding[:1])
        both = cv2.transform(half, encoding[1:])
        colours = [luma.reshape(height, width), both[:, :, 0], both[:, :, 1]]
    for plane, colour in zip(planes, colours, strict=True):
        fine = 2 // plane.step
        mask = coarse if fine == 1 else coarse.repeat(2, axis=0).repeat(2, axis=1)
        target = plane.pixels[top // plane.step :, left // plane.step :]
        rows, columns = (
            min(sizes) for sizes in zip(target.shape, mask.shape, np.shape(colour)[:2], strict=True)
        )
        np.copyto(target[:rows, :columns], colour[:rows, :columns], where=mask[:rows, :columns])


def rectangle_of(region: Region) -> tuple[int, int, int, int]:
    """Returns a region's left, top, right and bottom in luma pixels, as rgb_of and paint_rgb take them.

    Right and bottom may lie one pixel beyond a still of an odd size.
    """
    rows, columns = region.coarse.shape
    left, top = region.left * 2, region.top * 2
    return left, top, left + columns * 2, top + rows * 2


def _encoding(planes: Sequence[Plane]) -> _Matrix:
    """Returns (3, 4): from red, green, blue and 1 to luma, blue and red difference (limited range)."""
    kr, kb = _KR_KB_709 if planes[0].pixels.shape[0] >= LEAST_ROWS_OF_709 else _KR_KB_601
    luma = np.array([kr, 1 - kr - kb, kb])
    blue = (np.array([0.0, 0.0, 1.0]) - luma) / (2 * (1 - kb))
    red = (np.array([1.0, 0.0, 0.0]) - luma) / (2 * (1 - kr))
    spans = np.array([[_LUMA_SPAN], [_COLOUR_SPAN], [_COLOUR_SPAN]]) / 255
    offsets = np.array([[_BLACK], [_NO_COLOUR], [_NO_COLOUR]])
    return np.hstack([np.stack([luma, blue, red]) * spans, offsets])


def _decoding(planes: Sequence[Plane]) -> _Matrix:
    encoding = _encoding(planes)
    inverse = np.linalg.inv(encoding[:, :3])
    return np.hstack([inverse, -inverse @ encoding[:, 3:]])
