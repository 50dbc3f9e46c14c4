"""What a person is shown of a job. Every picture in it was taken when all covers were painted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from anonymizer.settings import Effect, Kind


@dataclass(frozen=True)
class Thumbnail:
    """A small picture of one thing and what is around it.

    Attributes:
        time: seconds on the result's clock.
        left, top, right, bottom: where the thing's cover is in it; shares of its width and height.
        jpeg: the picture.
    """

    time: float
    left: float
    top: float
    right: float
    bottom: float
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True)
class View:
    """The whole picture, small.

    Attributes:
        time: seconds on the result's clock.
        jpeg: the picture.
    """

    time: float
    jpeg: bytes = field(repr=False)


@dataclass(frozen=True)
class SheetTrack:
    """One thing that was followed.

    Attributes:
        track: its number, by which it can be decided about.
        kind: what it is.
        effect: what covers it; "keep" where it is visible.
        first, last: seconds of its first and its last frame.
        frames: in which it is.
        width, height: of the biggest it gets, pixels.
        strip: some of its pictures, in order.
    """

    track: int
    kind: Kind
    effect: Effect | Literal["keep"]
    first: float
    last: float
    frames: int
    width: int
    height: int
    strip: tuple[Thumbnail, ...]


@dataclass(frozen=True)
class Sheet:
    """What one job shows.

    Attributes:
        tracks: in order of appearance.
        unlisted: how many more were followed, by kind; the smallest and shortest. They stay covered.
        views: now and then.
    """

    tracks: tuple[SheetTrack, ...]
    unlisted: Mapping[Kind, int]
    views: tuple[View, ...]
