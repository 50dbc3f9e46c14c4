"""Surfaces made of a grid of points, in units of the mean face: x right, y down, z away from the camera."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

# Most are of 32 bits; a sum on the way may be of 64.
Floats = npt.NDArray[np.floating[Any]]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Surface:
    """A grid of points that is seen from its outside.

    Attributes:
        points: (R, C, 3).
        colours: (R, C, 3) RGB 0 to 255: what the texture is multiplied with, or the colour itself.
        places: (R, C, 2) in the face's drawing (drawing.py), in units of the mean face; None where there is
            no drawing on it.
        both_sides: whether it is seen from inside too.
        shine: how much it gleams, 0 to 1.
        nearer: how much nearer to the camera it counts, where surfaces run into each other.
    """

    points: Floats
    colours: Floats
    places: Floats | None = None
    both_sides: bool = False
    shine: float = 0.0
    nearer: float = 0.0


def plain(points: Floats, colour: Colour, *, both_sides: bool = False, shine: float = 0.0) -> Surface:
    """Returns a surface of one colour."""
    return Surface(
        points, np.broadcast_to(np.array(colour, np.float32), points.shape), None, both_sides, shine
    )


def smooth(at: Sequence[float], values: Sequence[float], where: Floats) -> Floats:
    """Interpolates through points without overshooting.

    Fritsch and Carlson, "Monotone Piecewise Cubic Interpolation" (1980).
    """
    x, y = np.asarray(at, np.float64), np.asarray(values, np.float64)
    steps, slopes = np.diff(x), np.diff(y) / np.diff(x)
    tangents = np.concatenate([slopes[:1], (slopes[:-1] + slopes[1:]) / 2, slopes[-1:]])
    flat = slopes[:-1] * slopes[1:] <= 0
    tangents[1:-1][flat] = 0
    limit = 3 * np.minimum(
        np.abs(np.concatenate([slopes[:1], slopes])), np.abs(np.concatenate([slopes, slopes[-1:]]))
    )
    tangents = np.clip(tangents, -limit, limit)
    place = np.clip(np.searchsorted(x, where) - 1, 0, len(steps) - 1)
    step = steps[place]
    t = np.clip((where - x[place]) / step, 0, 1)
    made = (
        (1 + 2 * t) * (1 - t) ** 2 * y[place]
        + t * (1 - t) ** 2 * step * tangents[place]
        + t**2 * (3 - 2 * t) * y[place + 1]
        + t**2 * (t - 1) * step * tangents[place + 1]
    )
    return np.asarray(made, np.float32)


def ball(middle: Sequence[float], radii: Sequence[float], rows: int = 10, columns: int = 14) -> Floats:
    """Returns the points of an ellipsoid, (rows, columns, 3)."""
    down = np.linspace(0, np.pi, rows)[:, None]
    around = np.linspace(-np.pi, np.pi, columns)[None]
    unit = np.stack(
        [
            np.sin(down) * np.sin(around),
            -np.cos(down) * np.ones_like(around),
            -np.sin(down) * np.cos(around),
        ],
        axis=2,
    )
    return np.asarray(np.array(middle) + unit * np.array(radii), np.float32)


def tube(path: Floats, radii: Floats, columns: int = 9) -> Floats:
    """Returns the points around a path that mostly goes down.

    Args:
        path: (N, 3).
        radii: (N,), or (N, 2) across and in depth.
        columns: points around it.

    Returns:
        (N, columns, 3).
    """
    wide = np.broadcast_to(radii.reshape(len(path), -1), (len(path), 2))
    around = np.linspace(-np.pi, np.pi, columns)[None]
    made = np.repeat(path[:, None], columns, axis=1).astype(np.float32)
    made[:, :, 0] += wide[:, :1] * np.sin(around)
    made[:, :, 2] -= wide[:, 1:] * np.cos(around)
    return made


def bumped(points: Floats, bump: Floats) -> Floats:
    """Moves points outward, along their normals, by (R, C)."""
    return (points + normals_of(points) * bump[:, :, None]).astype(np.float32)


def normals_of(points: Floats) -> Floats:
    """Returns the unit normals of a grid, (R, C, 3), outward for balls and tubes as they are made here."""
    down = np.gradient(points, axis=0)
    across = np.gradient(points, axis=1)
    if np.abs(points[:, 0] - points[:, -1]).max() < 1e-5:
        # The grid closes: the seam is no edge.
        across[:, 0] = across[:, -1] = (points[:, 1] - points[:, -2]) / 2
    made = np.cross(down, across)
    length = np.linalg.norm(made, axis=2, keepdims=True)
    made = made / np.maximum(length, 1e-9)
    # At a pole all points are one: the next row knows better.
    for pole, next_to in ((0, 1), (-1, -2)):
        if length[pole].max() < 1e-7:
            middle = made[next_to].mean(axis=0)
            made[pole] = middle / max(1e-9, float(np.linalg.norm(middle)))
    return np.asarray(made, np.float32)
