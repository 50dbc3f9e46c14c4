"""Faces found again in the result, by networks that took no part in covering.

Two figures come of it. An open face lies mostly outside of everything that was covered or kept: nobody hid
it. A face that is found within a cover was hidden badly; so was one whose picture is still there, though no
network sees a face in it (likeness.py).

Networks of this kind are short-sighted: the picture is looked at as a whole, in parts, and closely around
covers, where forehead, chin and cheeks show if the cover is too small. And they take lamps for faces: what
one suspects, two others are asked about.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np

from anonymizer.boxes import Box, Boxes, no_boxes, suppress
from anonymizer.detect.contract import Image
from anonymizer.detect.full_range import SIDE as SEEN_SIDE
from anonymizer.leaks.certainty import Judge
from anonymizer.leaks.covered import Covered
from anonymizer.leaks.likeness import is_still_there
from anonymizer.leaks.shares import share_outside
from anonymizer.leaks.squares import Pyramid, around, parts
from anonymizer.settings import Effect

# These draw a face, or leave it one on purpose: finding one there says nothing.
DRAWS_A_FACE: Final[frozenset[Effect]] = frozenset({"warp", "swap", "generator", "persona"})
# From this score on something is suspected (certainty.py); where nobody is there to be asked, it is a face
# from the other one on.
SUSPICION: Final = 0.4
ALONE: Final = 0.75
# Nobody recognizes smaller faces: pixels of the result.
LEAST_PIXELS: Final = 16.0
# A face is open where more than this share of its box lies outside of all covers.
OPEN_SHARE: Final = 0.5
# How much of a kept face's surroundings belong to it: boxes of two networks differ.
ROOM_OF_KEPT: Final = 1.5
# Close looks in one frame, at the largest covers, and how much room they have around a cover.
MOST_CLOSE: Final = 6
ROOM_AROUND_COVER: Final = 1.8
# Suspicions in one frame that others are asked about, the surest first: a crowd under mosaics has many.
MOST_ASKED: Final = 12


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
        under: of those, under which a face was found, or its picture is still there.
    """

    open: int
    attacked: int
    under: int


class FaceAttacker:
    """Looks at frames of a result, one by one."""

    def __init__(self, seer: Seer, judge: Judge | None) -> None:
        """Takes what suspects, and who is asked about it."""
        self._seer = seer
        self._judge = judge

    def look(self, rgb: Image, covered: Sequence[Covered]) -> FacesFound:
        """Counts the faces of a frame of the result.

        Args:
            rgb: (H, W, 3) uint8.
            covered: what the frame was to hide, and what it was to keep.

        Raises:
            AnonymizerError: detector_failed.
        """
        attacked = [each for each in covered if each.kind == "face" and _is_attacked(each)]
        is_open = asked = 0
        under = {place for place, each in enumerate(attacked) if _shows_its_original(rgb, each)}
        picture = Pyramid(rgb)
        for row in self._suspected(picture, rgb.shape[1], rgb.shape[0], attacked):
            face = Box(*(float(edge) for edge in row[:4]))
            mostly_open = share_outside(face, covered) > OPEN_SHARE and not _is_kept(face, covered)
            places = {place for place, each in enumerate(attacked) if _lies_under(face, each)}
            if not (mostly_open or places - under) or asked == MOST_ASKED:
                continue
            asked += 1
            if self._is_face(picture, face, float(row[4])):
                is_open += mostly_open
                under |= places
        return FacesFound(is_open, len(attacked), len(under))

    def _suspected(self, picture: Pyramid, width: int, height: int, attacked: Sequence[Covered]) -> Boxes:
        found = [no_boxes()]
        closely = around([each.bounds for each in attacked], ROOM_AROUND_COVER, MOST_CLOSE)
        for place in (*parts(width, height), *closely):
            left, top, side = place
            boxes = self._seer.faces(picture.square(place, SEEN_SIDE), SUSPICION)
            boxes[:, :4] = boxes[:, :4] * (side / SEEN_SIDE) + np.array([left, top, left, top], np.float32)
            found.append(boxes)
        every = suppress(np.concatenate(found))
        return every[every[:, 3] - every[:, 1] >= LEAST_PIXELS]

    def _is_face(self, picture: Pyramid, face: Box, score: float) -> bool:
        return score >= ALONE if self._judge is None else self._judge.is_face(picture, face, score)


def _is_attacked(each: Covered) -> bool:
    return each.effect != "keep" and each.effect not in DRAWS_A_FACE


def _shows_its_original(rgb: Image, each: Covered) -> bool:
    return each.original is not None and is_still_there(each.original, rgb, each.box)


def _is_kept(face: Box, covered: Sequence[Covered]) -> bool:
    kept = (each.box.scaled(ROOM_OF_KEPT) for each in covered if each.effect == "keep")
    return any(_holds(box, face.centre) for box in kept)


def _lies_under(face: Box, each: Covered) -> bool:
    """Tells whether a face is the one that this cover was to hide."""
    return _holds(each.bounds, face.centre) and _holds(face, each.bounds.centre)


def _holds(box: Box, point: tuple[float, float]) -> bool:
    return box.x1 <= point[0] <= box.x2 and box.y1 <= point[1] <= box.y2
