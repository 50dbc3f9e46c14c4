"""Faces found again in the result, by a network that took no part in covering.

Two figures come of it. An open face lies mostly outside of everything that was covered or kept: nobody hid
it. A face that is found within a cover was hidden badly, or the cover looks like a face to a network.

Networks of this kind are short-sighted: the picture is looked at as a whole, in parts, and closely around
every cover, where forehead, chin and cheeks show if the cover is too small.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import cv2
import numpy as np
import numpy.typing as npt

from anonymizer.boxes import Box, Boxes, no_boxes, suppress
from anonymizer.detect.contract import Image
from anonymizer.landmarks.networks import MESH_SIDE, FaceNetworks
from anonymizer.leaks.covered import Covered
from anonymizer.settings import Effect

# These draw a face, or leave it recognizable as one on purpose: finding one there says nothing.
DRAWS_A_FACE: Final[frozenset[Effect]] = frozenset({"warp", "swap", "generator", "persona"})
# Below this score nothing is a suspicion; above, the mesh has to see a face there as well.
SUSPICION: Final = 0.6
PRESENCE: Final = 0.8
# Smaller faces nobody recognizes, and neither network is sure of them: pixels of the result.
LEAST_PIXELS: Final = 14.0
# A face is open where more than this share of its box lies outside of all covers.
OPEN_SHARE: Final = 0.5
# How much of a kept face's surroundings belong to it: boxes of two networks differ.
ROOM_OF_KEPT: Final = 1.5
# Parts of the picture overlap by this share of their side, and each size is so much smaller than the last.
OVERLAP: Final = 0.2
FINER: Final = 1.6
FIRST_PART: Final = 1.8
SMALLEST_PART: Final = 300
# Close looks in one frame, at the largest covers first; and how much room they have around a cover.
MOST_CLOSE: Final = 8
ROOM_AROUND_COVER: Final = 1.8
# Suspicions that the mesh is asked about, the surest first.
MOST_SUSPICIONS: Final = 12
# What the mesh sees around a box: more for those that end at the brow.
ROOMS: Final = (1.7, 1.25)


class Seer(Protocol):
    """Finds faces in a square."""

    def faces(self, image: Image, threshold: float) -> Boxes:
        """See detect.full_range.FullRangeNetwork.faces."""
        ...


@dataclass(frozen=True)
class FacesFound:
    """What was found in one frame.

    Attributes:
        open: faces outside of every cover and of everything kept.
        attacked: covers of faces that were looked at.
        under: of those, under which a face was found.
    """

    open: int
    attacked: int
    under: int


class FaceAttacker:
    """Looks at frames of a result, one by one."""

    def __init__(self, seer: Seer, landmarks: FaceNetworks | None) -> None:
        """Takes what finds faces, and what is asked whether they are some; without it the first decides."""
        self._seer = seer
        self._landmarks = landmarks

    def look(self, rgb: Image, covered: Sequence[Covered]) -> FacesFound:
        """Counts the faces of a frame of the result.

        Args:
            rgb: (H, W, 3) uint8.
            covered: what the frame was to hide, and what it was to keep.

        Raises:
            AnonymizerError: detector_failed.
        """
        attacked = [each for each in covered if each.kind == "face" and _is_attacked(each)]
        suspicions = self._suspicions(rgb, attacked)
        is_open = 0
        under: set[int] = set()
        for face in _as_boxes(suspicions):
            if _is_kept(face, covered):
                continue
            mostly_open = _share_outside(face, covered) > OPEN_SHARE
            places = [place for place, each in enumerate(attacked) if _lies_under(face, each)]
            if (mostly_open or not under.issuperset(places)) and self._is_sure(rgb, face):
                is_open += mostly_open
                under.update(places)
        return FacesFound(is_open, len(attacked), len(under))

    def _suspicions(self, rgb: Image, attacked: Sequence[Covered]) -> Boxes:
        height, width = rgb.shape[:2]
        found = [no_boxes()]
        for left, top, side in (*parts(width, height), *_around(attacked)):
            square = _square(rgb, left, top, side)
            boxes = self._seer.faces(square, SUSPICION)
            boxes[:, :4] += np.array([left, top, left, top], np.float32)
            found.append(boxes)
        every = suppress(np.concatenate(found))
        large = (every[:, 3] - every[:, 1] >= LEAST_PIXELS) & (every[:, 2] - every[:, 0] >= LEAST_PIXELS / 2)
        return every[large][:MOST_SUSPICIONS]

    def _is_sure(self, rgb: Image, face: Box) -> bool:
        if self._landmarks is None:
            return True
        for room in ROOMS:
            side = max(face.width, face.height) * room
            _, presence = self._landmarks.mesh(_crop(rgb, face.centre, side))
            if presence >= PRESENCE:
                return True
        return False


def parts(width: int, height: int) -> Iterator[tuple[int, int, int]]:
    """Yields left, top and side of squares: the whole picture, then overlapping ones, smaller each time."""
    longest = max(width, height)
    yield 0, 0, longest
    side = round(longest / FIRST_PART)
    while side >= SMALLEST_PART:
        for top in _begins(height, side):
            for left in _begins(width, side):
                yield left, top, side
        side = round(side / FINER)


def _begins(length: int, side: int) -> list[int]:
    count = 1 + max(0, math.ceil((length - side) / (side * (1 - OVERLAP)) - 1e-6))
    return [round(place * max(0, length - side) / max(1, count - 1)) for place in range(count)]


def _around(attacked: Sequence[Covered]) -> Iterator[tuple[int, int, int]]:
    largest = sorted(attacked, key=lambda each: -each.bounds.height * each.bounds.width)
    for each in largest[:MOST_CLOSE]:
        side = math.ceil(max(each.bounds.width, each.bounds.height) * ROOM_AROUND_COVER)
        x, y = each.bounds.centre
        yield round(x - side / 2), round(y - side / 2), side


def _square(rgb: Image, left: int, top: int, side: int) -> Image:
    """Returns a square of a picture; beyond it, black."""
    height, width = rgb.shape[:2]
    x1, y1, x2, y2 = max(0, left), max(0, top), min(width, left + side), min(height, top + side)
    if (x2 - x1, y2 - y1) == (side, side):
        return rgb[y1:y2, x1:x2]
    square = np.zeros((side, side, 3), np.uint8)
    if x2 > x1 and y2 > y1:
        square[y1 - top : y2 - top, x1 - left : x2 - left] = rgb[y1:y2, x1:x2]
    return square


def _crop(rgb: Image, centre: tuple[float, float], side: float) -> Image:
    size = max(2, math.ceil(side))
    square = _square(rgb, round(centre[0] - size / 2), round(centre[1] - size / 2), size)
    smooth = cv2.INTER_AREA if size > MESH_SIDE else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(square, (MESH_SIDE, MESH_SIDE), interpolation=smooth), np.uint8)


def _as_boxes(boxes: Boxes) -> list[Box]:
    return [Box(*(float(edge) for edge in row[:4])) for row in boxes]


def _is_attacked(each: Covered) -> bool:
    return each.effect != "keep" and each.effect not in DRAWS_A_FACE


def _is_kept(face: Box, covered: Sequence[Covered]) -> bool:
    return any(
        each.effect == "keep" and _holds(each.box.scaled(ROOM_OF_KEPT), face.centre) for each in covered
    )


def _lies_under(face: Box, each: Covered) -> bool:
    """Tells whether a face is the one that this cover was to hide."""
    return _holds(each.bounds, face.centre) and _holds(face, each.bounds.centre)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.x1 <= point[0] <= box.x2 and box.y1 <= point[1] <= box.y2


def _share_outside(face: Box, covered: Sequence[Covered]) -> float:
    """Returns how much of a face lies outside of all covers together, 0 to 1."""
    cells: Final = 16
    across = face.x1 + (np.arange(cells) + 0.5) * (face.width / cells)
    down = face.y1 + (np.arange(cells) + 0.5) * (face.height / cells)
    hidden: npt.NDArray[np.bool_] = np.zeros((cells, cells), np.bool_)
    for each in covered:
        if each.effect != "keep":
            bounds = each.bounds
            rows = (down >= bounds.y1) & (down <= bounds.y2)
            hidden |= rows[:, None] & ((across >= bounds.x1) & (across <= bounds.x2))[None]
    return 1 - float(hidden.mean())
