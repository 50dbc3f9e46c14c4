"""Decisions applied: how each thing in a frame is covered in the end, and what is covered besides.

A thing that is kept without a span is kept until it meets another of its kind, so near that one could be
taken for the other; from there on it is covered. Whoever follows faces by where they are can mistake one for
another where they cross, and who decides sees covers: nobody has then decided to show the second one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover
from anonymizer.effects.region import Region, region_of
from anonymizer.errors import AnonymizerError
from anonymizer.review.decisions import Decisions, Span, TrackDecision
from anonymizer.settings import EFFECTS_OF, CoverSettings, Effect, Kind
from anonymizer.track.pairing import could_be_one

STRONGER_SCALE: Final = 1.5
MOST_SCALE: Final = 4.0

# How a thing of somebody who has a role is covered; None where it stays visible (Settings.as_role).
AsRole = Callable[[str, Kind], CoverSettings | None]


@dataclass(frozen=True)
class Seen:
    """One thing in one frame.

    Attributes:
        kind: what it is.
        track: the number of the thing that is followed; no other of the job has it.
        box: where, before any scaling, in pixels.
        settings: how it is to be covered, if nobody decides otherwise.
        role: of somebody who is enrolled and recognized in this frame; empty for anybody else.
    """

    kind: Kind
    track: int
    box: Box
    settings: CoverSettings
    role: str = ""


@dataclass(frozen=True)
class Decided:
    """What becomes of one frame.

    Attributes:
        covers: for the operators.
        kept: what stays visible, unless something else covers it.
        blanked: what is made plain grey when everything else is painted.
    """

    covers: tuple[Cover, ...]
    kept: tuple[Seen, ...]
    blanked: tuple[Region, ...]


class Numbers:
    """Gives each thing of a job one number: those of all searches and kinds take turns."""

    def __init__(self, kinds: Sequence[Sequence[Kind]]) -> None:
        """Takes the kinds of each search."""
        places = [(search, kind) for search, of_search in enumerate(kinds) for kind in of_search]
        self._places: Mapping[tuple[int, Kind], int] = {place: i for i, place in enumerate(places)}
        self._kinds = [kind for _, kind in places]

    def track(self, search: int, kind: Kind, number: int) -> int:
        """Returns the number of a thing in the job, from that in its search and kind."""
        return number * len(self._kinds) + self._places[search, kind]

    def kind_of(self, track: int) -> Kind:
        """Returns what it is."""
        return self._kinds[track % len(self._kinds)]

    def is_given(self, track: int, begun: Iterable[int]) -> bool:
        """Tells whether a thing of this number was followed, from how many there were at each place."""
        return track >= 0 and track // len(self._kinds) < list(begun)[track % len(self._kinds)]


class Decider:
    """Applies decisions. Frames come in order.

    Attributes:
        wanted: the effects that decisions and roles ask for.
        recognized_frames: in which somebody who was recognized was covered otherwise, or not at all.
        recognized_tracks: of those.
    """

    def __init__(
        self,
        decisions: Decisions,
        usual: Mapping[Kind, CoverSettings],
        numbers: Numbers,
        as_role: AsRole,
        roles: Collection[str] = (),
    ) -> None:
        """Takes what was decided, the policy's covers, those of its roles, and which of these are enrolled.

        Raises:
            AnonymizerError: decisions_invalid, for an effect that such a thing cannot have, or a role that
                there is not.
        """
        self._decisions = decisions
        self._met: set[int] = set()
        self._settings: dict[int, CoverSettings] = {}
        # Of those that are to be visible: when. None: until they meet another.
        self._shown: dict[int, Span | None] = {}
        self._as_role = as_role
        self.recognized_frames = 0
        self.recognized_tracks: set[int] = set()
        recognized = [as_role(role, "face") for role in roles]
        self.wanted: set[tuple[Effect, Kind]] = {
            (settings.effect, "face") for settings in recognized if settings is not None
        }
        for track, decision in decisions.tracks.items():
            kind = numbers.kind_of(track)
            settings = _changed(decision, kind, usual[kind], as_role)
            if settings is None:
                self._shown[track] = decision.span
            else:
                self._settings[track] = settings
                self.wanted.add((settings.effect, kind))

    def decide(self, seen: Sequence[Seen], width: int, height: int, time: float) -> Decided:
        """Returns what becomes of one frame.

        Args:
            seen: everything in it.
            width, height: of the picture, pixels.
            time: seconds on the result's clock.
        """
        kept = {each.track for each in seen if self._wants_kept(each.track, time)}
        kept -= self._meeting([each for each in seen if each.track in kept], seen, kept)
        roles = self._recognized(seen)
        kept |= {track for track, settings in roles.items() if settings is None}
        covers = []
        for each in seen:
            if each.track in kept:
                continue
            settings = roles.get(each.track) or self._settings.get(each.track, each.settings)
            region = region_of(each.box, settings.scale, settings.shape, width, height)
            if region is not None:
                covers.append(Cover(each.kind, each.track, each.box, settings, region))
        return Decided(
            tuple(covers),
            tuple(each for each in seen if each.track in kept),
            tuple(self._blanked(width, height, time)),
        )

    def _recognized(self, seen: Sequence[Seen]) -> Mapping[int, CoverSettings | None]:
        """How those are covered who were recognized. What a person decided about a track counts alone."""
        roles = {
            each.track: self._as_role(each.role, each.kind)
            for each in seen
            if each.role and each.track not in self._decisions.tracks
        }
        self.recognized_frames += bool(roles)
        self.recognized_tracks |= roles.keys()
        return roles

    def _wants_kept(self, track: int, time: float) -> bool:
        if track not in self._shown:
            return False
        span = self._shown[track]
        return span.holds(time) if span is not None else track not in self._met

    def _meeting(self, wanted: Sequence[Seen], seen: Sequence[Seen], kept: set[int]) -> set[int]:
        met = {
            each.track
            for each in wanted
            if self._shown[each.track] is None
            and any(
                other.kind == each.kind and other.track not in kept and could_be_one(each.box, other.box)
                for other in seen
            )
        }
        self._met |= met
        return met

    def _blanked(self, width: int, height: int, time: float) -> Iterator[Region]:
        boxes = [drawn.at(time, width, height) for drawn in self._decisions.drawn if drawn.span.holds(time)]
        if any(span.holds(time) for span in self._decisions.whole_frames):
            boxes = [Box(0, 0, width, height)]
        for box in boxes:
            region = region_of(box, 1.0, "box", width, height)
            if region is not None:
                yield region


def _changed(
    decision: TrackDecision, kind: Kind, usual: CoverSettings, as_role: AsRole
) -> CoverSettings | None:
    match decision.do:
        case "cover":
            return usual
        case "keep":
            return None
        case "stronger":
            scale = min(MOST_SCALE, usual.scale * STRONGER_SCALE)
            return replace(usual, effect="solid", shape="box", scale=scale)
        case "role":
            return as_role(decision.role, kind)
        case "effect" if decision.effect in EFFECTS_OF[kind]:
            return replace(usual, effect=decision.effect)
    raise AnonymizerError("decisions_invalid", "An effect is not one for this kind of thing.")
