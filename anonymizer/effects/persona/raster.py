"""Surfaces seen by a camera: drawn back to front, then lit pixel by pixel.

OpenCV fills triangles with their numbers, the nearest last. What each pixel shows (normal, place in the
drawing, colour) is linear within a triangle, so a table of coefficients gives it for all pixels at once: a
head of 2,000 triangles takes a few milliseconds without any graphics card.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.persona.meshes import Floats, Surface, normals_of

Rgba = npt.NDArray[np.uint8]

# Corners are given to OpenCV in sixteenths of a pixel.
_SHIFT: Final = 4
_ROW: Final = 256
# The camera is so many face widths away: what is nearer is a little larger.
_DISTANCE: Final = 7.0
# Light comes from above and a little from the left, as from a window; the camera looks along z.
_TO_LIGHT: Final = np.array([-0.42, -0.62, -0.66], np.float32) / np.float32(1.0)
_LIT: Final = np.array([1.07, 1.04, 1.0], np.float32)
_SHADED: Final = np.array([0.60, 0.50, 0.52], np.float32)
_RIM: Final = np.array([1.0, 0.94, 0.86], np.float32)


@dataclass(frozen=True)
class View:
    """A camera's view of a head: (size, size) pixels.

    Attributes:
        turning: (3, 3): how the head is turned.
        x, y: where its origin lies, in pixels.
        unit: pixels of the mean face's unit.
        size: of the picture.
    """

    turning: npt.NDArray[np.float64]
    x: float
    y: float
    unit: float
    size: int

    def seen(self, points: Floats) -> Floats:
        """Brings points into the picture: x and y in pixels, and the depth in units of the head."""
        turned = points @ self.turning.T.astype(np.float32)
        near = _DISTANCE / (_DISTANCE + turned[..., 2:])
        flat = turned[..., :2] * near * self.unit + np.array([self.x, self.y], np.float32)
        return np.concatenate([flat, turned[..., 2:]], axis=-1).astype(np.float32)


@dataclass(frozen=True)
class Drawing:
    """What is drawn on a face, flat.

    Attributes:
        pixels: (h, w, 4) uint8: RGB, and how much it gleams.
        left, top: what lies at its corner, in units of the mean face.
        per_unit: pixels of that unit.
    """

    pixels: npt.NDArray[np.uint8]
    left: float
    top: float
    per_unit: float


def render(surfaces: Sequence[Surface], view: View, drawing: Drawing) -> Rgba:
    """Returns (size, size, 4) uint8: RGB, and 255 where something is seen."""
    tables = [_triangles(surface, view, drawing) for surface in surfaces]
    corners = np.concatenate([table[0] for table in tables])
    values = np.concatenate([table[1] for table in tables])
    nearer = np.concatenate([np.full(len(t[0]), s.nearer) for t, s in zip(tables, surfaces, strict=True)])
    nearest_last = np.argsort(nearer - corners[:, :, 2].mean(axis=1), kind="stable")
    corners, values = corners[nearest_last], values[nearest_last]
    numbers = np.full((view.size, view.size), -1, np.int32)
    fixed = np.round(corners[:, :, :2] * (1 << _SHIFT)).astype(np.int32)
    fill = cv2.fillConvexPoly
    for number, triangle in enumerate(fixed):
        fill(numbers, triangle, number, 8, _SHIFT)
    rows, columns = np.nonzero(numbers >= 0)
    made = np.zeros((view.size, view.size, 4), np.uint8)
    if len(rows) == 0:
        return made
    coefficients = _linear(corners[:, :, :2], values)
    own = coefficients[numbers[rows, columns]]
    at = np.stack([columns, rows, np.ones_like(rows)], axis=1).astype(np.float32)
    seen = np.einsum("nkv,nk->nv", own, at)
    made[rows, columns, :3] = _lit(seen, drawing)
    made[rows, columns, 3] = 255
    return made


def _triangles(surface: Surface, view: View, drawing: Drawing) -> tuple[Floats, Floats]:
    """Returns the triangles that face the camera: corners (N, 3, 3), values at them (N, 3, 9)."""
    seen = view.seen(surface.points)
    normals = normals_of(surface.points) @ view.turning.T.astype(np.float32)
    if surface.places is None:
        places = np.full((*surface.points.shape[:2], 2), -1e4, np.float32)
    else:
        places = (surface.places - np.array([drawing.left, drawing.top], np.float32)) * drawing.per_unit
    shine = np.full((*surface.points.shape[:2], 1), surface.shine, np.float32)
    values = np.concatenate([normals, places, surface.colours, shine], axis=2)
    all_corners, all_values = [], []
    for first, second, third in (((0, 0), (1, 0), (0, 1)), ((1, 0), (1, 1), (0, 1))):
        picked = [_shifted(seen, *by) for by in (first, second, third)]
        a, b, c = picked
        area = (b[:, 0] - a[:, 0]) * (c[:, 1] - a[:, 1]) - (b[:, 1] - a[:, 1]) * (c[:, 0] - a[:, 0])
        facing = area < -1e-3
        if surface.both_sides:
            facing |= area > 1e-3
        corners = np.stack(picked, axis=1)[facing]
        told = np.stack([_shifted(values, *by) for by in (first, second, third)], axis=1)[facing]
        if surface.both_sides:
            told[area[facing] > 0, :, :3] *= -1
        all_corners.append(corners)
        all_values.append(told)
    return np.concatenate(all_corners), np.concatenate(all_values)


def _shifted(grid: Floats, down: int, across: int) -> Floats:
    rows, columns = grid.shape[0] - 1, grid.shape[1] - 1
    return grid[down : down + rows, across : across + columns].reshape(rows * columns, -1)


def _linear(corners: Floats, values: Floats) -> Floats:
    """Returns (N, 3, V): how values follow from x, y and 1 within each triangle."""
    a = corners[:, 0]
    to_b, to_c = corners[:, 1] - a, corners[:, 2] - a
    area = to_b[:, 0] * to_c[:, 1] - to_b[:, 1] * to_c[:, 0]
    rise_b, rise_c = values[:, 1] - values[:, 0], values[:, 2] - values[:, 0]
    by_x = (rise_b * to_c[:, 1:2] - rise_c * to_b[:, 1:2]) / area[:, None]
    by_y = (rise_c * to_b[:, 0:1] - rise_b * to_c[:, 0:1]) / area[:, None]
    rest = values[:, 0] - by_x * a[:, 0:1] - by_y * a[:, 1:2]
    return np.stack([by_x, by_y, rest], axis=1).astype(np.float32)


def _lit(seen: Floats, drawing: Drawing) -> Rgba:
    """Returns (N, 3) uint8 from normals, places, colours and shine."""
    normals = (
        seen[:, :3] / np.sqrt(np.maximum(np.einsum("ni,ni->n", seen[:, :3], seen[:, :3]), 1e-9))[:, None]
    )
    drawn = seen[:, 3] > -1e3
    # In rows, since OpenCV maps no picture that is very long.
    places = np.full((-(-len(seen) // _ROW), _ROW, 2), -1e4, np.float32)
    places.reshape(-1, 2)[: len(seen)] = seen[:, 3:5]
    mapped = cv2.remap(
        drawing.pixels,
        places[:, :, 0],
        places[:, :, 1],
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    looked_up = np.asarray(mapped.reshape(-1, 4)[: len(seen)], np.float32)
    albedo = np.clip(seen[:, 5:8], 0, 255)
    albedo = np.where(drawn[:, None], looked_up[:, :3] * (albedo / 255), albedo)
    shine = np.where(drawn, looked_up[:, 3] / np.float32(255), seen[:, 8])[:, None]
    light = _TO_LIGHT / np.linalg.norm(_TO_LIGHT)
    wrapped = np.clip((normals @ light + 0.45) / 1.45, 0, 1)[:, None]
    colour = albedo * (_SHADED + (_LIT - _SHADED) * wrapped)
    half = light + np.array([0, 0, -1], np.float32)
    half = half / np.linalg.norm(half)
    gleam = np.clip(normals @ half, 0, 1)[:, None]
    # A broad gleam and a small one: powers by squaring, which are many times faster.
    fourth = np.square(np.square(gleam))
    colour += shine * (np.square(np.square(np.square(fourth))) * 70 + fourth * gleam * 14)
    edge = np.clip(1 + normals[:, 2:3], 0, 1)
    edge = edge * edge * edge * np.clip(0.35 - normals[:, 1:2], 0, 1) * np.float32(0.35)
    colour += edge * _RIM * albedo
    return np.asarray(np.clip(colour, 0, 255), np.uint8)
