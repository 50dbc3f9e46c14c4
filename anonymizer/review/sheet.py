"""What a person is shown of a job. Every picture in it was taken when all covers were painted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from anonymizer.settings import Effect, Kind
from anonymizer.sound.effects import VoiceEffect


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
class SheetSpeaker:
    """One voice. Nothing of what it says, and nothing that can be heard.

    Attributes:
        speaker: its number, by which it can be decided about.
        effect: what becomes of it.
        seconds: how long it speaks in all.
        unsure_seconds: how long of that another voice may be in it: there a decision to keep it does nothing.
        count: how often it begins to speak.
        turns: begin and end of the longest of its turns, seconds, in order of time.
    """

    speaker: int
    effect: VoiceEffect
    seconds: float
    unsure_seconds: float
    count: int
    turns: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Sheet:
    """What one job shows.

    Attributes:
        tracks: in order of appearance.
        unlisted: how many more were followed, by kind; the smallest and shortest. They stay covered.
        views: now and then.
        speakers: who was heard, in order of appearance.
    """

    tracks: tuple[SheetTrack, ...]
    unlisted: Mapping[Kind, int]
    views: tuple[View, ...]
    speakers: tuple[SheetSpeaker, ...] = ()
