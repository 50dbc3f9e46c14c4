"""Whether a face recognizer still knows who is under a cover.

The recognizer is the one that whoever runs the worker has added (anonymizer/enrolled); without one nobody is
compared. It compares what the result shows where a face was with portraits of the original, as an attacker
does who knows where the face was: framed as the portrait is, and as the result itself suggests, if anything
in it has the features of a face. So it tells of a drawn face, too, that gives somebody away.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.enrolled.embedding import LEAST_PIXELS, EmbeddingNetwork, FaceEmbedder, Vector
from anonymizer.landmarks.cropping import Square, crop_of
from anonymizer.landmarks.networks import FaceNetworks
from anonymizer.leaks.covered import DRAWN, Covered
from anonymizer.leaks.portraits import Portrait, Portraits, planes_of
from anonymizer.leaks.squares import around, cut

# Covers in one frame, the largest first: a network takes tens of milliseconds for each.
MOST_COMPARED: Final = 6
# A surface whose levels, of 255, differ by less is even: a solid cover, as it was encoded.
EVEN: Final = 8
# What is cut out of the result, in sizes of the face's box: whatever a square may reach, turned as it may be.
ROOM: Final = 3.0


@dataclass(frozen=True)
class IdentitiesFound:
    """What was found in one frame.

    Attributes:
        compared: covers of faces of whose track there is a portrait.
        matched: of those, the ones that are the portrait's to the recognizer.
    """

    compared: int
    matched: int


@dataclass(frozen=True)
class _Known:
    """A portrait's vector, and its square: from the middle of the box, in shares of the box's larger side."""

    vector: Vector
    square: Square


class IdentityAttacker:
    """Compares frames of a result with portraits of the original."""

    def __init__(
        self, network: EmbeddingNetwork, landmarks: FaceNetworks | None, portraits: Portraits
    ) -> None:
        """Takes the recognizer, what finds eyes, and the portraits, which are complete at the first look.

        Raises:
            AnonymizerError: model_missing, where eyes have to be found and nothing finds them.
        """
        self._network = network
        self._embedder = FaceEmbedder(network, landmarks)
        self._portraits = portraits
        self._known: dict[int, tuple[_Known, ...]] = {}

    def look(self, rgb: Image, covered: Sequence[Covered]) -> IdentitiesFound:
        """Compares what is under the covers of a frame.

        Args:
            rgb: (H, W, 3) uint8, of the result.
            covered: what the frame was to hide, and what it was to keep.

        Raises:
            AnonymizerError: detector_failed.
        """
        faces = [each for each in covered if each.kind == "face" and _is_compared(each)]
        faces.sort(key=lambda each: -each.box.height)
        compared = matched = 0
        for each in faces:
            known = self._known_of(each.track)
            if known and compared < MOST_COMPARED:
                compared += 1
                matched += self._is_known(rgb, each.box, known)
        return IdentitiesFound(compared, matched)

    def _known_of(self, track: int) -> tuple[_Known, ...]:
        if track not in self._known:
            self._known[track] = tuple(self._learned(track))
        return self._known[track]

    def _learned(self, track: int) -> Iterator[_Known]:
        for portrait in self._portraits.of(track):
            planes, (height, width) = planes_of(portrait.picture), portrait.picture.shape[:2]
            square = self._embedder.square(planes, width, height, portrait.box)
            crop = crop_of(planes, width, height, square, self._network.manifest.side) if square else None
            if square is not None and crop is not None and not _is_even(crop):
                yield _Known(self._network.vector(crop), _in_shares(square, portrait))

    def _is_known(self, rgb: Image, box: Box, known: Sequence[_Known]) -> bool:
        ((left, top, side),) = around((box,), ROOM, most=1)
        part = cut(rgb, (left, top, side))
        planes, there = planes_of(part), box.moved(-left, -top)
        squares = [_at(there, each.square) for each in known]
        seen = self._embedder.square(planes, side, side, there)
        vectors = np.stack([each.vector for each in known])
        for square in (*squares, *([seen] if seen is not None else [])):
            crop = crop_of(planes, side, side, square, self._network.manifest.side)
            if crop is None or _is_even(crop):
                continue
            if float((vectors @ self._network.vector(crop)).max()) >= self._network.manifest.bounds.threshold:
                return True
        return False


def _is_even(crop: Image) -> bool:
    """Tells whether there is nothing to be seen: some networks have no direction for that."""
    return int(crop.max()) - int(crop.min()) < EVEN


def _is_compared(each: Covered) -> bool:
    is_large = min(each.box.width, each.box.height) >= LEAST_PIXELS
    return each.effect != "keep" and each.track != DRAWN and is_large


def _in_shares(square: Square, portrait: Portrait) -> Square:
    box = portrait.box
    x, y = box.centre
    return replace(
        square, x=(square.x - x) / box.width, y=(square.y - y) / box.width, side=square.side / box.width
    )


def _at(box: Box, shares: Square) -> Square:
    x, y = box.centre
    size = max(box.width, box.height)
    return replace(shares, x=x + shares.x * size, y=y + shares.y * size, side=shares.side * size)
