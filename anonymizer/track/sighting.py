"""One face through time, and where its cover lies in any frame."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import reduce

from anonymizer.boxes import Box, sized
from anonymizer.track.motion import Motion

# Without a detection the position is a guess: the cover grows by this share of its size each second,
GROWTH_PER_SECOND = 0.3
# and between two sightings, where it was looked for in vain, more, because it may have gone another way.
GROWTH_IN_A_GAP = 1.0
# One wrong pairing gives a wild speed: no guess goes farther than this many sizes of the face.
FARTHEST = 1.0
# A face has the size of the largest of its boxes in this time.
SIZE_SECONDS = 0.13
# How a face moved before its first sighting is told by so many sightings after it.
LOOK_BACK = 8
# A face is firm once it was seen clearly, or in several looks on end. What is neither is most likely a false
# alarm (measured: under .3, and gone at the next look): it is covered, but only just before and after.
FIRM_SCORE = 0.35
FIRM_RUN = 3
FAINT_SECONDS = 0.18
# How far a cover reaches beyond the sightings grows with them: each counts with its score above the first
# figure, or with the second, for every frame since the last look; together they must reach the third for the
# whole time. One clear sighting does.
# (Measured on two clips: a quarter to a third less is covered far off any face, and none is lost by it.)
FAINT_SCORE = 0.1
LEAST_EVIDENCE = 0.02
FULL_EVIDENCE = 0.8


@dataclass(frozen=True)
class Sighting:
    """One detection.

    Attributes:
        index: the frame.
        time: its time in seconds.
        box: where.
        motion: where the face was going, by this sighting and those before it.
        score: how sure the detector was, 0 to 1.
        looked_before: the last frame before this one that was looked at in the same way; nobody knows what
            was between.
        missed_from: the first frame since the sighting before this one by which the face was looked for in
            vain, in every way; None if there was none.
    """

    index: int
    time: float
    box: Box
    motion: Motion
    score: float = 1.0
    looked_before: int = -1
    missed_from: int | None = None


@dataclass
class Track:
    """One face, from its appearance to its loss.

    Attributes:
        number: counts from 0 in order of appearance.
        first_frame: no cover lies before this frame, where the shot began.
        sightings: in order; those no longer needed are dropped.
        missed_at: the first frame since the last sighting by which every look in turn was in vain.
        end_frame: the frame at which the next shot begins, once it has.
        believes_all: a single faint sighting is as good as a clear one.
        is_firm: whether it was ever seen clearly, or in several looks on end.
    """

    number: int
    first_frame: int
    sightings: list[Sighting] = field(default_factory=list)
    missed_at: int | None = None
    end_frame: int | None = None
    believes_all: bool = False
    is_firm: bool = False
    _in_vain: int = 0
    _seen: int = 0
    _run: int = 0
    _evidence: float = 0.0

    def add(self, sighting: Sighting) -> None:
        """Takes a newer sighting."""
        self.sightings.append(sighting)
        self.missed_at = None
        self._in_vain = 0
        self._seen += 1
        self._run = self._run + 1 if sighting.missed_from is None else 1
        self.is_firm |= self.believes_all or sighting.score >= FIRM_SCORE or self._run >= FIRM_RUN
        before = self.sightings[-2].index if len(self.sightings) > 1 else self.first_frame - 1
        stands_for = max(1, sighting.index - max(sighting.looked_before, before, self.first_frame - 1))
        self._evidence += stands_for * max(sighting.score - FAINT_SCORE, LEAST_EVIDENCE)

    def miss(self, index: int, looks_in_turn: int) -> None:
        """Takes a look that did not find the face; so many in a row count as one that could have."""
        self._in_vain += 1
        if self._in_vain >= looks_in_turn and self.missed_at is None:
            self.missed_at = index

    @property
    def last(self) -> Sighting:
        """The newest sighting."""
        return self.sightings[-1]

    def motion_before(self, time: float, shift: tuple[float, float]) -> Motion:
        """Returns where the face was going, for a sighting at a time; one sighting alone tells no speed.

        Args:
            time: of the new sighting.
            shift: how far everything moved since, beyond what was expected, in pixels.
        """
        motion = self.last.motion
        if self._seen > 1 or time <= motion.time:
            return motion
        elapsed = time - motion.time
        dx, dy = motion.dx + shift[0] / elapsed, motion.dy + shift[1] / elapsed
        return Motion.begin(motion.time, self.last.box, dx, dy)

    def expected_at(self, time: float) -> Box:
        """Returns where the face should be, going on as it moved."""
        return _expected(self.last, time)

    def cover_at(self, index: int, time: float, linger: float, lookahead: float) -> Box | None:
        """Returns what to cover in a frame for this face, before any scaling; None where it is not there.

        At a sighting it is its box and the one that was expected. Between two it is the box around both, so
        that no path between them is missed; where the face was looked for in vain between them, it is the
        box in between, grown. Before the first and after the last it goes on as the face moved, and grows:
        always over the frames that nobody looked at, and for the given seconds beyond, or less where little
        was seen of the face. For a face that is not firm, two sightings with a look in vain between them
        count as a last and a first one.

        Args:
            index: the frame.
            time: its time in seconds.
            linger: seconds after the last sighting.
            lookahead: seconds before the first.
        """
        if index < self.first_frame or (self.end_frame is not None and index >= self.end_frame):
            return None
        linger, lookahead = self._reach(linger), self._reach(lookahead)
        place = bisect_right(self.sightings, index, key=lambda sighting: sighting.index)
        before = self.sightings[place - 1] if place else None
        after = self.sightings[place] if place < len(self.sightings) else None
        if before and before.index == index:
            return self._around(place - 1)
        if before and after and after.missed_from is None:
            return before.box.union(after.box)
        if before and after and self.is_firm:
            return _between(before, after, time)
        guesses = []
        if before:
            missed_from = after.missed_from if after else self.missed_at
            if missed_from is None or index < missed_from or time - before.time <= linger:
                guesses.append(_guess(before, before.motion, time))
        if after and (index > after.looked_before or after.time - time <= lookahead):
            guesses.append(_guess(after, _backwards(self.sightings[place : place + LOOK_BACK]), time))
        return reduce(Box.union, guesses) if guesses else None

    def _around(self, place: int) -> Box:
        """Returns the box of a sighting, and with it what the one before let expect: boxes jitter.

        A detector's box is smaller at one look and larger at the next, and at the picture's edge it shrinks
        to what it takes for a whole face: so what was expected has the size of the largest of late.
        (Measured: with a tenth of jitter 1.9 % of the area stayed open, now less than 0.1.)
        """
        sighting = self.sightings[place]
        if place == 0 or sighting.missed_from is not None:
            return sighting.box
        expected = _expected(self.sightings[place - 1], sighting.time)
        late = [s.box for s in self.sightings[self._first_of_late(place) : place]]
        larger = sized(expected.centre, max(b.width for b in late), max(b.height for b in late))
        return sighting.box.union(larger)

    def _first_of_late(self, place: int) -> int:
        """Returns the first of the sightings that tell the size at one: the one before it at least."""
        since = self.sightings[place].time - SIZE_SECONDS
        first = max(0, place - 1)
        while first and self.sightings[first - 1].time >= since:
            first -= 1
        return first

    def _reach(self, seconds: float) -> float:
        if self.believes_all:
            return seconds
        share = min(1.0, self._evidence / FULL_EVIDENCE)
        return min(seconds, max(FAINT_SECONDS, seconds * share))

    def forget_before(self, index: int) -> None:
        """Drops the sightings that frames from this one on do not need: memory must not grow with length."""
        needed = max((i for i, s in enumerate(self.sightings) if s.index <= index), default=0)
        # Those are kept as well that tell what was to be expected there.
        del self.sightings[: self._first_of_late(needed)]


def _expected(sighting: Sighting, time: float) -> Box:
    (x, y), (was_x, was_y) = sighting.motion.at(time), sighting.box.centre
    return sighting.box.moved(x - was_x, y - was_y)


def _backwards(sightings: list[Sighting]) -> Motion:
    """Returns how a face came to its first sighting: the filter run from the later ones to it."""
    latest = sightings[-1]
    motion = Motion.begin(latest.time, latest.box, latest.motion.dx, latest.motion.dy)
    for sighting in sightings[-2::-1]:
        motion = motion.seen(sighting.time, sighting.box)
    return motion


def _between(before: Sighting, after: Sighting, time: float) -> Box:
    share = (time - before.time) / (after.time - before.time)
    a, b = before.box, after.box
    x, y = (p + (q - p) * share for p, q in zip(a.centre, b.centre, strict=True))
    width, height = max(a.width, b.width), max(a.height, b.height)
    away = min(time - before.time, after.time - time)
    return Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2).scaled(
        1 + GROWTH_IN_A_GAP * away
    )


def _guess(nearest: Sighting, motion: Motion, time: float) -> Box:
    away = time - nearest.time
    farthest = FARTHEST * max(nearest.box.width, nearest.box.height)
    dx, dy = (max(-farthest, min(farthest, speed * away)) for speed in (motion.dx, motion.dy))
    moved = nearest.box.moved(dx, dy)
    # Around where it was as well: a face may stop.
    return nearest.box.union(moved).scaled(1 + GROWTH_PER_SECOND * abs(away))
