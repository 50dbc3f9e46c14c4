"""What a person can decide about a job, having looked it over. Times and places are those of the result."""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from anonymizer.boxes import Box
from anonymizer.errors import AnonymizerError
from anonymizer.settings import Effect
from anonymizer.sound.effects import VoiceEffect

# Words that are about one track, those that are about one speaker, and those that are about a span of time.
OfTrack = Literal["cover", "keep", "stronger", "role", "effect"]
OfSpeaker = Literal["role", "effect"]
TRACK_WORDS: Final[tuple[OfTrack, ...]] = ("cover", "keep", "stronger", "role", "effect")
SPEAKER_WORDS: Final[tuple[OfSpeaker, ...]] = ("role", "effect")
SPAN_WORDS: Final = ("whole_frame", "draw", "mute")


@dataclass(frozen=True)
class Span:
    """A stretch of time.

    Attributes:
        begins: seconds on the result's clock; a frame at this time is in it.
        ends: seconds; a frame at this time is not.
    """

    begins: float
    ends: float

    def __post_init__(self) -> None:
        """Refuses an empty span.

        Raises:
            AnonymizerError: decisions_invalid.
        """
        if not (math.isfinite(self.begins) and math.isfinite(self.ends) and 0 <= self.begins < self.ends):
            raise AnonymizerError("decisions_invalid", "A span begins before it ends.")

    def holds(self, time: float) -> bool:
        """Tells whether a frame at this time is in it."""
        return self.begins <= time < self.ends


@dataclass(frozen=True)
class TrackDecision:
    """What is to become of one thing that was followed.

    Attributes:
        do: "cover" as the policy says, whatever else would show it; "keep" it visible; "stronger": solid, and
            larger; "role": as the policy covers that role; "effect": another effect.
        role: its name, for "role".
        effect: which, for "effect".
        span: for "keep": only then. Without one it is kept until it meets another of its kind (deciding.py).
    """

    do: OfTrack
    role: str = ""
    effect: Effect | None = None
    span: Span | None = None


@dataclass(frozen=True)
class Key:
    """Where a drawn box is at a moment.

    Attributes:
        time: seconds.
        left, top, right, bottom: shares of the picture's width and height, 0 to 1.
    """

    time: float
    left: float
    top: float
    right: float
    bottom: float

    def __post_init__(self) -> None:
        """Refuses a box without a middle, or one that lies outside.

        Raises:
            AnonymizerError: decisions_invalid.
        """
        edges = (self.left, self.top, self.right, self.bottom)
        if not all(0 <= edge <= 1 for edge in edges) or self.left >= self.right or self.top >= self.bottom:
            raise AnonymizerError("decisions_invalid", "A drawn box has left before right, from 0 to 1.")


@dataclass(frozen=True)
class Drawn:
    """A box that a person drew.

    Attributes:
        span: when it covers.
        keys: at least one, in order of time; between two it moves evenly, beyond them it stays.
    """

    span: Span
    keys: tuple[Key, ...]

    def __post_init__(self) -> None:
        """Refuses keys out of order.

        Raises:
            AnonymizerError: decisions_invalid.
        """
        times = [key.time for key in self.keys]
        if not times or any(before >= after for before, after in itertools.pairwise(times)):
            raise AnonymizerError("decisions_invalid", "A drawn box has keys in order of time.")

    def at(self, time: float, width: int, height: int) -> Box:
        """Returns where it is, in pixels of a picture of this size."""
        place = bisect_right(self.keys, time, key=lambda key: key.time)
        before, after = self.keys[max(0, place - 1)], self.keys[min(place, len(self.keys) - 1)]
        share = (time - before.time) / (after.time - before.time) if 0 < place < len(self.keys) else 0.0
        left, top, right, bottom = (
            a + (b - a) * share
            for a, b in zip(
                (before.left, before.top, before.right, before.bottom),
                (after.left, after.top, after.right, after.bottom),
                strict=True,
            )
        )
        return Box(left * width, top * height, right * width, bottom * height)


@dataclass(frozen=True)
class SpeakerDecision:
    """What is to become of one voice, wherever it speaks alone.

    Attributes:
        do: "role": as the policy has it for that role; "effect": that effect.
        role: its name, for "role".
        effect: which, for "effect".
    """

    do: OfSpeaker
    role: str = ""
    effect: VoiceEffect | None = None


@dataclass(frozen=True)
class Muted:
    """A stretch in which nothing that is said may be understood.

    Attributes:
        span: when.
        effect: what is heard instead.
    """

    span: Span
    effect: VoiceEffect

    def __post_init__(self) -> None:
        """Refuses what would let something be understood.

        Raises:
            AnonymizerError: decisions_invalid.
        """
        if self.effect not in {"bleep", "remove"}:
            raise AnonymizerError("decisions_invalid", "A stretch is bleeped or removed.")


Decision = tuple[int, TrackDecision] | tuple[int, SpeakerDecision] | Span | Drawn | Muted


@dataclass(frozen=True)
class Decisions:
    """Everything that was decided about one job.

    Attributes:
        tracks: by the number of the track.
        whole_frames: when nothing of the picture is shown.
        drawn: boxes that are covered.
        speakers: by the number of the speaker.
        muted: when nothing is understood.
    """

    tracks: Mapping[int, TrackDecision] = field(default_factory=dict)
    whole_frames: tuple[Span, ...] = ()
    drawn: tuple[Drawn, ...] = ()
    speakers: Mapping[int, SpeakerDecision] = field(default_factory=dict)
    muted: tuple[Muted, ...] = ()

    @classmethod
    def of(cls, taken: Iterable[Decision]) -> Decisions:
        """Gathers decisions: those about tracks and speakers come with their numbers."""
        every = list(taken)
        about = [each for each in every if isinstance(each, tuple)]
        return cls(
            {number: decision for number, decision in about if isinstance(decision, TrackDecision)},
            tuple(each for each in every if isinstance(each, Span)),
            tuple(each for each in every if isinstance(each, Drawn)),
            {number: decision for number, decision in about if isinstance(decision, SpeakerDecision)},
            tuple(each for each in every if isinstance(each, Muted)),
        )
