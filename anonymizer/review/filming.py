"""Takes a sheet's pictures, always from a frame in which everything is painted.

What is kept is bounded however long the video and however many the things: a strip has eight thumbnails at
most, fewer where there is much of everything, and of too many things the large and lasting ones are listed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import cv2
import numpy as np

from anonymizer.boxes import Box
from anonymizer.effects.colours import Rgb, rgb_of
from anonymizer.effects.operator import Scene
from anonymizer.effects.region import Plane
from anonymizer.errors import AnonymizerError
from anonymizer.review.deciding import Decided
from anonymizer.review.sampling import Few
from anonymizer.review.sheet import Sheet, SheetTrack, Thumbnail, View
from anonymizer.settings import Effect, Kind

MAX_TRACKS: Final = 512
MAX_THUMBNAILS: Final = 8
MAX_VIEWS: Final = 32
MAX_STRIP_BYTES: Final = 12 << 20
# How much of its surroundings a thumbnail shows, as a multiple of the cover.
AROUND: Final = 1.6
THUMBNAIL_SIDE, VIEW_SIDE = 160, 640
MOST_ENLARGED: Final = 4
QUALITY: Final = 75
# Of a view that is larger than this, quality is taken until it is not; the last one fits any picture.
MAX_VIEW_BYTES: Final = 96 << 10
VIEW_QUALITIES: Final = (75, 55, 35, 15)
# What was not seen for so long makes room for others.
OVER_SECONDS: Final = 2.0


@dataclass
class _Reel:
    kind: Kind
    first: float
    last: float
    effect: Effect | Literal["keep"]
    frames: int = 0
    width: float = 0.0
    height: float = 0.0
    strip: Few[Thumbnail] = field(default_factory=lambda: Few(MAX_THUMBNAILS))

    @property
    def weight(self) -> float:
        return self.frames * self.width * self.height


class Filmer:
    """Takes pictures of one job. Frames come in order."""

    def __init__(self) -> None:
        """Has none yet."""
        self._reels: dict[int, _Reel] = {}
        # One byte a number: what was ever seen, listed or not. Numbers are given in turn, so there are few.
        self._ever = bytearray()
        self._followed: Counter[Kind] = Counter()
        self._views: Few[View] = Few(MAX_VIEWS)
        self._most_in_strip = MAX_THUMBNAILS

    def film(self, scene: Scene, decided: Decided) -> None:
        """Takes what a frame shows, once all of it is painted."""
        if self._views.is_due(scene.time):
            self._views.add(scene.time, View(scene.time, _view(scene)))
        for cover in decided.covers:
            box = cover.box.scaled(cover.settings.scale)
            self._take(scene, cover.track, cover.kind, cover.box, box, cover.settings.effect)
        for kept in decided.kept:
            self._take(scene, kept.track, kept.kind, kept.box, kept.box.scaled(kept.settings.scale), "keep")

    def sheet(self) -> Sheet:
        """Gives the sheet."""
        listed = Counter(reel.kind for reel in self._reels.values())
        return Sheet(
            tracks=tuple(
                SheetTrack(
                    track=track,
                    kind=reel.kind,
                    effect=reel.effect,
                    first=reel.first,
                    last=reel.last,
                    frames=reel.frames,
                    width=max(1, round(reel.width)),
                    height=max(1, round(reel.height)),
                    strip=tuple(reel.strip.items),
                )
                for track, reel in sorted(self._reels.items(), key=lambda each: (each[1].first, each[0]))
            ),
            unlisted=dict(self._followed - listed),
            views=tuple(self._views.items),
        )

    def _take(
        self, scene: Scene, track: int, kind: Kind, box: Box, cover: Box, effect: Effect | Literal["keep"]
    ) -> None:
        reel = self._reels.get(track) or self._begin(track, kind, scene.time, effect)
        if reel is None:
            return
        reel.last, reel.effect, reel.frames = scene.time, effect, reel.frames + 1
        if box.width * box.height > reel.width * reel.height:
            reel.width, reel.height = min(box.width, scene.width), min(box.height, scene.height)
        if reel.strip.is_due(scene.time):
            thumbnail = thumbnail_of(scene, cover)
            if thumbnail is not None:
                reel.strip.add(scene.time, thumbnail)
                self._stay_small()

    def _begin(self, track: int, kind: Kind, time: float, effect: Effect | Literal["keep"]) -> _Reel | None:
        if track >= len(self._ever):
            self._ever.extend(bytes(track + 1 - len(self._ever)))
        if self._ever[track]:
            return None
        self._ever[track] = 1
        self._followed[kind] += 1
        if len(self._reels) >= MAX_TRACKS:
            over = {number: reel for number, reel in self._reels.items() if time - reel.last > OVER_SECONDS}
            if not over:
                return None
            del self._reels[min(over, key=lambda number: over[number].weight)]
        reel = self._reels[track] = _Reel(kind, time, time, effect)
        while reel.strip.most > self._most_in_strip:
            reel.strip.halve()
        return reel

    def _stay_small(self) -> None:
        strips = [reel.strip for reel in self._reels.values()]
        # Counted anew each time: a few hundred additions, beside the making of a JPEG.
        while self._most_in_strip > 1 and sum(_size(strip.items) for strip in strips) > MAX_STRIP_BYTES:
            self._most_in_strip //= 2
            for strip in strips:
                strip.halve()


def _size(thumbnails: Sequence[Thumbnail]) -> int:
    return sum(len(thumbnail.jpeg) for thumbnail in thumbnails)


def thumbnail_of(scene: Scene, cover: Box) -> Thumbnail | None:
    """A small picture of a cover and what is around it, of a painted frame; None where it lies outside."""
    around = cover.scaled(AROUND)
    left, top = max(0, int(around.x1) // 2 * 2), max(0, int(around.y1) // 2 * 2)
    right, bottom = min(scene.width, int(around.x2) + 1), min(scene.height, int(around.y2) + 1)
    if left >= right or top >= bottom:
        return None
    part = rgb_of(scene.planes, left, top, right, bottom)
    height, width = part.shape[:2]
    x1, x2 = (min(max((edge - left) / width, 0.0), 1.0) for edge in (cover.x1, cover.x2))
    y1, y2 = (min(max((edge - top) / height, 0.0), 1.0) for edge in (cover.y1, cover.y2))
    if x1 >= x2 or y1 >= y2:
        return None
    share = min(MOST_ENLARGED, THUMBNAIL_SIDE / max(height, width))
    return Thumbnail(scene.time, x1, y1, x2, y2, _jpeg(_resized(part, share), QUALITY))


def _view(scene: Scene) -> bytes:
    share = min(1.0, VIEW_SIDE / max(scene.width, scene.height))
    small = _resized(_whole(scene.planes, scene.width, scene.height), share)
    for quality in VIEW_QUALITIES:
        jpeg = _jpeg(small, quality)
        if len(jpeg) <= MAX_VIEW_BYTES:
            break
    return jpeg


def _whole(planes: Sequence[Plane], width: int, height: int) -> Rgb:
    return rgb_of(planes, 0, 0, width, height)


def _resized(rgb: Rgb, share: float) -> Rgb:
    size = tuple(max(1, round(length * share)) for length in (rgb.shape[1], rgb.shape[0]))
    shrinks = share < 1
    return np.asarray(
        cv2.resize(rgb, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8
    )


def _jpeg(rgb: Rgb, quality: int) -> bytes:
    done, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [int(cv2.IMWRITE_JPEG_QUALITY), quality]
    )
    if not done:
        raise AnonymizerError("media_unsupported")
    return bytes(encoded)
