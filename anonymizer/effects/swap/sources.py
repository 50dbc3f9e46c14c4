"""A face from a photograph: read once, at the start of a job, and brought into an atlas."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.effects.mean_face import Mesh, mean_face
from anonymizer.effects.meshes import ATLAS_SIDE, OVAL, Pixels, atlas_points, triangles, unroll
from anonymizer.effects.region import Plane
from anonymizer.effects.surroundings import spread
from anonymizer.effects.swap.faces import Face, skin_of
from anonymizer.effects.swap.head import strands_of
from anonymizer.effects.swap.painting import paint_mouth
from anonymizer.effects.tones import Colour
from anonymizer.errors import AnonymizerError
from anonymizer.landmarks.cropping import Square
from anonymizer.landmarks.expression import laid_on
from anonymizer.landmarks.networks import FaceNetworks
from anonymizer.landmarks.points import CHIN, FOREHEAD, INNER_LIPS, RIGID
from anonymizer.landmarks.reading import FaceReading, read_face, square_around

LARGEST_SOURCE: Final = 4096
LEAST_SOURCE: Final = 64
# The face may fill the picture or be a part of it: sides of squares as shares of the shorter side, and in
# how many rows and columns each is looked at.
_SQUARES: Final = ((1.0, 1), (0.75, 2), (0.5, 3), (0.35, 5))
_LEAST_PRESENCE: Final = 0.6
_MOST_LOOKS: Final = 5
_SAME: Final = 0.04
# Lips that are this far apart, in units of the mean face, show a mouth; closer ones get a painted one.
_OPEN: Final = 0.06
# What is seen this much smaller than the atlas wants it is seen from the side, or is background.
_LEAST_SHARE: Final = 0.25
_SEED_OF_HAIR: Final = bytes(32)


def face_of(picture: bytes, networks: FaceNetworks) -> Face:
    """Reads a photograph: one face that looks ahead, its mouth shut or a little open.

    Args:
        picture: a PNG or JPEG.
        networks: Models.landmarks.

    Raises:
        AnonymizerError: model_unusable, where there is no such face in it; detector_failed.
    """
    rgb = _decoded(picture)
    reading = _read(rgb, networks)
    if reading is None:
        raise AnonymizerError("model_unusable", "No face is seen in the picture.")
    turning, size, origin = laid_on(mean_face()[list(RIGID)], reading.mesh[list(RIGID)])
    shape = np.asarray((reading.mesh - origin) @ turning / size, np.float32)
    atlas = unroll(rgb, reading.mesh).pixels.astype(np.float32)
    if float(shape[INNER_LIPS[1], 1] - shape[INNER_LIPS[0], 1]) < _OPEN:
        paint_mouth(atlas)
    whole = spread(np.clip(atlas, 0, 255).astype(np.uint8), _seen_well(reading.mesh))
    return Face(shape, whole, skin_of(whole), _hair(rgb, reading), strands_of(_SEED_OF_HAIR))


def _decoded(picture: bytes) -> Pixels:
    try:
        decoded = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    except cv2.error:
        decoded = None
    sides = (0, 0) if decoded is None else decoded.shape[:2]
    if decoded is None or min(sides) < LEAST_SOURCE or max(sides) > LARGEST_SOURCE:
        raise AnonymizerError(
            "model_unusable", f"It is no picture of {LEAST_SOURCE} to {LARGEST_SOURCE} pixels a side."
        )
    return np.ascontiguousarray(decoded[:, :, ::-1], np.uint8)


def _read(rgb: Pixels, networks: FaceNetworks) -> FaceReading | None:
    """Looks everywhere, in large squares first, until what is seen is where the look after it sees it too."""
    height, width = rgb.shape[:2]
    planes = [Plane(np.ascontiguousarray(rgb[:, :, channel]), 1, 128) for channel in (2, 1, 0)]

    def look(square: Square) -> FaceReading | None:
        return read_face(networks, planes, width, height, square, _LEAST_PRESENCE)

    for share, places in _SQUARES:
        side = min(width, height) * share
        for y in np.linspace(side / 2, height - side / 2, places):
            for x in np.linspace(side / 2, width - side / 2, places):
                reading = look(Square(float(x), float(y), side))
                for _ in range(_MOST_LOOKS):
                    if reading is None:
                        break
                    before, reading = reading, look(square_around(reading))
                    if reading is not None and _agree(before, reading):
                        return reading
    return None


def _agree(first: FaceReading, second: FaceReading) -> bool:
    """Tells whether two readings of one picture are the same, but for some hundredths of the face."""
    off = np.linalg.norm(first.mesh[:, :2] - second.mesh[:, :2], axis=1)
    return float(off.max()) < _SAME * second.size


def _seen_well(mesh: Mesh) -> npt.NDArray[np.bool_]:
    """Returns which part of the atlas the photograph shows from before; the rest is made up from it."""
    corners = triangles()
    seen, wanted = (_areas(points[corners]) for points in (mesh[:, :2], atlas_points()))
    share = seen / wanted
    share /= np.median(share)
    mask = np.zeros((ATLAS_SIDE, ATLAS_SIDE), np.uint8)
    for outline, good in zip(atlas_points()[corners], share > _LEAST_SHARE, strict=True):
        if good:
            cv2.fillConvexPoly(mask, np.round(outline).astype(np.int32), 255)
    oval = np.zeros_like(mask)
    cv2.fillPoly(oval, [np.round(atlas_points()[list(OVAL)]).astype(np.int32)], 255)
    inner = cv2.erode(oval, np.ones((9, 9), np.uint8))
    # Small holes are lids and lips that are shut.
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((25, 25), np.uint8))
    return np.asarray((closed > 0) & (inner > 0), np.bool_)


def _areas(corners: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    first, second = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    return np.asarray(first[:, 0] * second[:, 1] - first[:, 1] * second[:, 0], np.float32)


def _hair(rgb: Pixels, reading: FaceReading) -> Colour:
    """Returns the colour just above the forehead."""
    top, chin = reading.mesh[FOREHEAD, :2], reading.mesh[CHIN, :2]
    x, y = top + 0.18 * (top - chin)
    reach = max(2, round(reading.size * 0.06))
    column, row = (int(np.clip(v, 0, side - 1)) for v, side in ((x, rgb.shape[1]), (y, rgb.shape[0])))
    part = rgb[max(0, row - reach) : row + reach + 1, max(0, column - reach) : column + reach + 1]
    red, green, blue = np.median(part.reshape(-1, 3), axis=0)
    return float(red), float(green), float(blue)
