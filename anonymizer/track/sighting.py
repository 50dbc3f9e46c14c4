"""One face through time, and where its cover lies in any frame."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import reduce

from anonymizer.boxes import Box

# Without a detection the position is a guess: the cover grows by half its size each second.
GROWTH_PER_SECOND = 0.5
# One wrong pairing gives a wild speed: no guess goes farther than this many sizes of the face.
FARTHEST = 1.0
# A face is firm once it was seen clearly, or in several looks on end. What is neither is most likely a false
# alarm (measured: under .3, and gone at the next look): it is covered, but only just before and after.
FIRM_SCORE = 0.35
FIRM_RUN = 3
FAINT_SECONDS = 0.18


@dataclass(frozen=True)
class Sighting:
    """One detection.

    Attributes:
        index: the frame.
        time: its time in seconds.
        box: where.
        score: how sure the detector was, 0 to 1.
        looked_before: the last frame that was looked at before this one; nobody knows what was between.
        missed_from: the first frame since the sighting before this one in which the face was looked for in
            vain; None if there was no such look.
    """

    index: int
    time: float
    box: Box
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
        missed_at: the first frame that was looked at since the last sighting, without finding the face.
        end_frame: the frame at which the next shot begins, once it has.
        is_firm: whether it was ever seen clearly, or in several looks on end.
    """

    number: int
    first_frame: int
    sightings: list[Sighting] = field(default_factory=list)
    missed_at: int | None = None
    end_frame: int | None = None
    is_firm: bool = False
    _run: int = 0

    def add(self, sighting: Sighting) -> None:
        """Takes a newer sighting."""
        self.sightings.append(sighting)
        self.missed_at = None
        self._run = self._run + 1 if sighting.missed_from is None else 1
        self.is_firm |= sighting.score >= FIRM_SCORE or self._run >= FIRM_RUN

    @property
    def last(self) -> Sighting:
        """The newest sighting."""
        return self.sightings[-1]

    def expected_at(self, time: float) -> Box:
        """Returns where the face should be, going on as it last moved."""
        dx, dy = _velocity(self.sightings[-2:])
        ahead = time - self.last.time
        return self.last.box.moved(dx * ahead, dy * ahead)

    def cover_at(self, index: int, time: float, linger: float, lookahead: float) -> Box | None:
        """Returns what to cover in a frame for this face, before any scaling; None where it is not there.

        Between two sightings it is the box around both, so that no path between them is missed. Before
        the first and after the last it goes on as the face moved, and grows: always over the frames that
        nobody looked at, and for the given seconds beyond. A face that is not firm gets a shorter time, and
        two sightings with a look in vain between them count as a last and a first one.

        Args:
            index: the frame.
            time: its time in seconds.
            linger: seconds after the last sighting.
            lookahead: seconds before the first.
        """
        if index < self.first_frame or (self.end_frame is not None and index >= self.end_frame):
            return None
        if not self.is_firm:
            linger, lookahead = min(linger, FAINT_SECONDS), min(lookahead, FAINT_SECONDS)
        place = bisect_right(self.sightings, index, key=lambda sighting: sighting.index)
        before = self.sightings[place - 1] if place else None
        after = self.sightings[place] if place < len(self.sightings) else None
        if before and before.index == index:
            return before.box
        if before and after and (self.is_firm or after.missed_from is None):
            return before.box.union(after.box)
        guesses = []
        if before:
            missed_from = after.missed_from if after else self.missed_at
            if missed_from is None or index < missed_from or time - before.time <= linger:
                guesses.append(_guess(before, _velocity(self.sightings[max(0, place - 2) : place]), time))
        if after and (index > after.looked_before or after.time - time <= lookahead):
            guesses.append(_guess(after, _velocity(self.sightings[place : place + 2]), time))
        return reduce(Box.union, guesses) if guesses else None

    def forget_before(self, index: int) -> None:
        """Drops the sightings that frames from this one on do not need: memory must not grow with length."""
        needed = max((i for i, s in enumerate(self.sightings) if s.index <= index), default=0)
        # One more is kept, because the velocity is taken from the last two.
        del self.sightings[: max(0, min(needed, len(self.sightings) - 1) - 1)]


def _velocity(pair: list[Sighting]) -> tuple[float, float]:
    if len(pair) < 2 or pair[1].time <= pair[0].time:
        return 0.0, 0.0
    (x1, y1), (x2, y2) = pair[0].box.centre, pair[1].box.centre
    elapsed = pair[1].time - pair[0].time
    return (x2 - x1) / elapsed, (y2 - y1) / elapsed


def _guess(nearest: Sighting, velocity: tuple[float, float], time: float) -> Box:
    away = time - nearest.time
    farthest = FARTHEST * max(nearest.box.width, nearest.box.height)
    dx, dy = (max(-farthest, min(farthest, v * away)) for v in velocity)
    moved = nearest.box.moved(dx, dy)
    return nearest.box.union(moved).scaled(1 + GROWTH_PER_SECOND * abs(away))
