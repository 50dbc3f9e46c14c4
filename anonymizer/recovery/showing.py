"""One covered thumbnail of each thing, and when it is there: for those who decide whether to uncover it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anonymizer.effects.operator import Cover, Scene
from anonymizer.review.filming import thumbnail_of
from anonymizer.settings import Kind

MAX_SHOWN: Final = 512
"""Things with a thumbnail; of more the first ones have one."""
MAX_THUMBNAIL_BYTES: Final = 16 << 10
# A better picture of somebody is one that is so much larger.
LARGER: Final = 1.5


@dataclass
class Shown:
    """One thing.

    Attributes:
        kind: what it is.
        effect: how it is covered, as last seen.
        first, last: seconds of the result between which it is there.
        frames: in so many.
        jpeg: covered; empty where there is none.
    """

    kind: Kind
    effect: str
    first: float
    last: float
    frames: int = 0
    jpeg: bytes = b""


class Showing:
    """Takes a thumbnail of everything that is covered. Frames come in order, painted."""

    def __init__(self) -> None:
        """Has none yet."""
        self.tracks: dict[int, Shown] = {}
        self._areas: dict[int, float] = {}

    def take(self, scene: Scene, covers: Sequence[Cover]) -> None:
        """Takes what a frame shows of them."""
        for cover in covers:
            shown = self.tracks.get(cover.track)
            if shown is None:
                shown = self.tracks[cover.track] = Shown(
                    cover.kind, cover.settings.effect, scene.time, scene.time
                )
            shown.effect, shown.last, shown.frames = cover.settings.effect, scene.time, shown.frames + 1
            area = cover.box.width * cover.box.height
            if area < LARGER * self._areas.get(cover.track, 0.0):
                continue
            if cover.track not in self._areas and len(self._areas) >= MAX_SHOWN:
                continue
            jpeg = thumbnail_of(scene, cover.box.scaled(cover.settings.scale))
            if jpeg is not None and len(jpeg.jpeg) <= MAX_THUMBNAIL_BYTES:
                shown.jpeg, self._areas[cover.track] = jpeg.jpeg, area
