"""A few small pictures of every face that is followed, taken while the original passes.

They are what the result is compared with once it is finished, and the only thing of the original besides the
little that Covered holds which is kept so long: in memory, and gone with the job. How many there are depends
neither on the length of the video nor on its size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from anonymizer.boxes import Box
from anonymizer.detect.contract import Image
from anonymizer.effects.operator import Cover, Scene
from anonymizer.effects.region import Plane
from anonymizer.enrolled.embedding import LEAST_PIXELS
from anonymizer.landmarks.cropping import Square, crop_of

# A picture has this many pixels across and down: 147 KB. The face's box fills the inner part of it.
SIDE: Final = 224
ROOM: Final = 2.2
# The tracks that come first, and pictures of each: 19 MB at most.
MOST_TRACKS: Final = 64
MOST_OF_TRACK: Final = 2
# One look at a track in so many seconds: what lies nearer together looks alike.
APART_SECONDS: Final = 0.5
_NEUTRAL: Final = 128


@dataclass(frozen=True, eq=False)
class Portrait:
    """One face as it was.

    Attributes:
        picture: (SIDE, SIDE, 3) uint8 RGB.
        pixels: the larger side of its box in the original.
    """

    picture: Image
    pixels: float

    @property
    def box(self) -> Box:
        """Where the face was found, in the picture's pixels, as a square."""
        return Box(0, 0, SIDE, SIDE).scaled(1 / ROOM)


class Portraits:
    """Takes frames in order, one by one, in which nothing is covered yet."""

    def __init__(self, *, wanted: bool = True) -> None:
        """Begins with none; takes none where nobody compares them."""
        self._wanted = wanted
        self._of: dict[int, list[Portrait]] = {}
        self._looked_at: dict[int, float] = {}

    def see(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Takes pictures of faces of which there are none yet, or of which this one is larger."""
        if not self._wanted:
            return
        for cover in covers:
            if cover.kind == "face" and self._is_due(cover, scene.time):
                self._looked_at[cover.track] = scene.time
                self._take(scene, cover)

    def of(self, track: int) -> tuple[Portrait, ...]:
        """Returns those of a track; perhaps none."""
        return tuple(self._of.get(track, ()))

    def _is_due(self, cover: Cover, time: float) -> bool:
        if min(cover.box.width, cover.box.height) < LEAST_PIXELS:
            return False
        if cover.track not in self._of:
            return len(self._of) < MOST_TRACKS
        return time - self._looked_at[cover.track] >= APART_SECONDS

    def _take(self, scene: Scene, cover: Cover) -> None:
        pixels = max(cover.box.width, cover.box.height)
        taken = self._of.setdefault(cover.track, [])
        if len(taken) == MOST_OF_TRACK:
            smallest = min(taken, key=lambda each: each.pixels)
            if pixels <= smallest.pixels:
                return
            taken.remove(smallest)
        square = Square(*cover.box.centre, pixels * ROOM)
        picture = crop_of(scene.planes, scene.width, scene.height, square, SIDE)
        if picture is not None:
            taken.append(Portrait(picture, pixels))


def planes_of(picture: Image) -> tuple[Plane, Plane, Plane]:
    """Returns (H, W, 3) uint8 RGB as the planes of a still."""
    blue, green, red = (Plane(np.ascontiguousarray(picture[:, :, i]), 1, _NEUTRAL) for i in (2, 1, 0))
    return blue, green, red
