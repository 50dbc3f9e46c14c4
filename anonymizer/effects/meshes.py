"""A picture laid on a face mesh: the face unrolled and flat (the atlas), and back onto a mesh.

In the atlas every point of the mesh has its fixed place, eyes and mouth are open and the cheeks unrolled, so
that a picture of a face in it can be laid on any pose. Between the points it is piecewise affine.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import Mesh, mean_face

Pixels = npt.NDArray[np.uint8]
Points2 = npt.NDArray[np.float32]

ATLAS_SIDE: Final = 640
# The outline of the mesh, from the forehead clockwise.
OVAL: Final = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
# Where the lips meet, from the corner at the picture's left.
UPPER_LIP: Final = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
LOWER_LIP: Final = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)

# The axis that the face is unrolled around lies this far behind the points' origin.
_AXIS: Final = 0.6
_RADIUS: Final = 0.75
# How far the mouth is open in the atlas, and where its corners are.
_MOUTH_OPEN: Final = 0.12
_MOUTH_REACH: Final = 0.187
_MARGIN: Final = 0.02
# Coordinates of corners are given to OpenCV in sixteenths of a pixel.
_SHIFT: Final = 4
# Larger than this a map is made small and enlarged: between its points it is straight anyway.
_FINEST_MAP: Final = 256
_LEAST_AREA: Final = 1e-3


@dataclass(frozen=True)
class Laid:
    """A picture laid on a mesh.

    Attributes:
        pixels: (h, w, C) uint8.
        inside: (h, w) uint8: 255 where the mesh is, less where its edge runs.
    """

    pixels: Pixels
    inside: Pixels


@lru_cache(maxsize=1)
def atlas_points() -> Points2:
    """Returns (468, 2): where each point of the mesh lies in an atlas; do not change it."""
    flat = _unrolled(mean_face())
    low, high = flat.min(axis=0), flat.max(axis=0)
    share = (1 - 2 * _MARGIN) / float((high - low).max())
    points = ((flat - (low + high) / 2) * share + 0.5) * ATLAS_SIDE
    made = np.asarray(points, np.float32)
    made.setflags(write=False)
    return made


@lru_cache(maxsize=1)
def triangles() -> npt.NDArray[np.int32]:
    """Returns (N, 3) numbers of points, clockwise in the picture: Delaunay's of the unrolled mean face."""
    points = atlas_points()
    division = cv2.Subdiv2D((0, 0, ATLAS_SIDE, ATLAS_SIDE))
    numbers = {division.insert((float(x), float(y))): place for place, (x, y) in enumerate(points)}
    oval = points[list(OVAL)].reshape(-1, 1, 2)
    found = []
    for corners in np.array(division.getTriangleList(), np.float32).reshape(-1, 3, 2):
        middle = corners.mean(axis=0)
        known = [numbers.get(division.findNearest((float(x), float(y)))[0]) for x, y in corners]
        if any(number is None for number in known) or len(set(known)) < 3:
            continue
        if cv2.pointPolygonTest(oval, (float(middle[0]), float(middle[1])), False) > 0:
            found.append(known)
    made = np.array(found, np.int32)
    turned = _areas(points[made]) < 0
    made[turned] = made[turned][:, ::-1]
    made.setflags(write=False)
    return made


def lay(atlas: Pixels, mesh: Mesh, width: int, height: int) -> Laid:
    """Lays an atlas on a mesh.

    Args:
        atlas: (S, S, C) uint8, of any size: one that is much finer than the mesh would flicker.
        mesh: (468, 3) in pixels of the result; depth in any unit, less is nearer.
        width, height: of the result.
    """
    share = min(1.0, _FINEST_MAP / max(width, height))
    across, down = (max(2, round(side * share)) for side in (width, height))
    scaled = mesh * np.array([across / width, down / height, 1], np.float32)
    places, known = _map(scaled, atlas_points() * np.float32(len(atlas) / ATLAS_SIDE), across, down)
    if (across, down) != (width, height):
        places = np.asarray(cv2.resize(places, (width, height)), np.float32)
        known = np.asarray(cv2.resize(known, (width, height)), np.uint8)
    return Laid(_fetched(atlas, places), known)


def unroll(picture: Pixels, mesh: Mesh) -> Laid:
    """Makes an atlas of a face in a picture.

    Args:
        picture: (h, w, C) uint8.
        mesh: (468, 3) in the picture's pixels.
    """
    flat = np.concatenate([atlas_points(), np.zeros((len(mesh), 1), np.float32)], axis=1)
    places, known = _map(flat, mesh[:, :2], ATLAS_SIDE, ATLAS_SIDE)
    return Laid(_fetched(picture, places), known)


def _fetched(picture: Pixels, places: Mesh) -> Pixels:
    """Takes a picture's pixels from places, (h, w, 2)."""
    x, y = places[:, :, 0], places[:, :, 1]
    fetched = cv2.remap(picture, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(fetched, np.uint8)


def _map(mesh: Mesh, source: Points2, width: int, height: int) -> tuple[Mesh, Pixels]:
    """Returns (h, w, 2), where in the source each pixel lies, and (h, w), 255 where the mesh is."""
    corners = triangles()
    flat = np.ascontiguousarray(mesh[:, :2], np.float32)
    area = _areas(flat[corners])
    # What shows its back, and what is seen edge on, is not drawn; what is far is drawn first.
    shown = np.flatnonzero(area > _LEAST_AREA)
    shown = shown[np.argsort(-mesh[corners[shown], 2].mean(axis=1), kind="stable")]
    seen = corners[shown]
    places = np.zeros((height, width, 2), np.float32)
    known = np.zeros((height, width), np.uint8)
    if not len(seen):
        return places, known
    affine = _affine(flat[seen], source[seen])
    which = np.full((height, width), -1, np.int32)
    reach = 8 * max(width, height)
    outlines = np.round(np.clip(flat[seen], -reach, reach) * (1 << _SHIFT)).astype(np.int32)
    for place, outline in enumerate(outlines):
        cv2.fillConvexPoly(which, outline, place, cv2.LINE_8, _SHIFT)
    rows, columns = np.nonzero(which >= 0)
    chosen = affine[which[rows, columns]]
    places[rows, columns] = (
        chosen[:, :, 0] * columns[:, None] + chosen[:, :, 1] * rows[:, None] + chosen[:, :, 2]
    )
    known[rows, columns] = 255
    return places, known


def _affine(of: Points2, onto: Points2) -> npt.NDArray[np.float32]:
    """Returns (N, 2, 3): what brings each triangle onto another."""
    sides = np.stack([of[:, 1] - of[:, 0], of[:, 2] - of[:, 0]], axis=2).astype(np.float64)
    others = np.stack([onto[:, 1] - onto[:, 0], onto[:, 2] - onto[:, 0]], axis=2)
    turning = others @ np.linalg.inv(sides)
    shift = onto[:, 0] - (turning @ of[:, 0, :, None])[:, :, 0]
    return np.concatenate([turning, shift[:, :, None]], axis=2).astype(np.float32)


def _areas(corners: Points2) -> npt.NDArray[np.float32]:
    """Returns (N,) twice the area of triangles (N, 3, 2), below zero where they go the other way round."""
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0], np.float32)


def _unrolled(face: Mesh) -> npt.NDArray[np.float64]:
    x, y, z = face.T.astype(np.float64)
    around = _RADIUS * np.arctan2(x, _AXIS - z)
    lips = face[list(UPPER_LIP)], face[list(LOWER_LIP)]
    line = (np.interp(x, lips[0][:, 0], lips[0][:, 1]) + np.interp(x, lips[1][:, 0], lips[1][:, 1])) / 2
    opening = _MOUTH_OPEN * np.sqrt(np.clip(1 - (x / _MOUTH_REACH) ** 2, 0, 1))
    return np.stack([around, np.where(y > line, y + opening, y)], axis=1)
