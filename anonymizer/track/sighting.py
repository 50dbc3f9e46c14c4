"""One face through time, and where its cover lies in any frame."""

from __future__ import annotations

from dataclasses import dataclass, field

from anonymizer.boxes import Box

# Without a detection the position is a guess: the cover grows by half its size each second.
GROWTH_PER_SECOND = 0.5
# One wrong pairing gives a wild speed: no guess goes farther than this many sizes of the face.
FARTHEST = 1.0
# A face is firm once it was seen clearly, or often. One faint sighting is most likely a false alarm (measured:
# they score under .3 and last one frame): it is covered, but not for as long before and after as a face is.
FIRM_SCORE = 0.35
FIRM_SIGHTINGS = 3
FAINT_SECONDS = 0.2


@dataclass(frozen=True)
class Sighting:
    """One detection: in which frame, when (seconds), where, and how sure the detector was (0 to 1)."""

    index: int
    time: float
    box: Box
    score: float = 1.0


@dataclass
class Track:
    """One face, from its appearance to its loss.

    Attributes:
        number: counts from 0 in order of appearance.
        first_frame: no cover lies before this frame, where the shot began.
        looked_before: the last frame that was looked at before the first sighting; nobody knows when,
            between the two, the face appeared.
        sightings: in order; those no longer needed are dropped.
        missed_at: the first frame that was looked at since the last sighting, without finding the face.
        end_frame: the frame at which the next shot begins, once it has.
        is_firm: whether it was ever seen clearly, or often.
    """

    number: int
    first_frame: int
    looked_before: int
    sightings: list[Sighting] = field(default_factory=list)
    missed_at: int | None = None
    end_frame: int | None = None
    is_firm: bool = False
    _seen: int = 0

    def __post_init__(self) -> None:
        """Counts the sightings that the track begins with."""
        for sighting in self.sightings:
            self._count(sighting)

    def add(self, sighting: Sighting) -> None:
        """Takes a newer sighting."""
        self.sightings.append(sighting)
        self.missed_at = None
        self._count(sighting)

    def _count(self, sighting: Sighting) -> None:
        self._seen += 1
        self.is_firm |= sighting.score >= FIRM_SCORE or self._seen >= FIRM_SIGHTINGS

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
        nobody looked at, and for the given seconds beyond.

        Args:
            index: the frame.
            time: its time in seconds.
            linger: seconds after the last sighting.
            lookahead: seconds before the first.
        """
        if not self.is_firm:
            linger, lookahead = min(linger, FAINT_SECONDS), min(lookahead, FAINT_SECONDS)
        if index < self.first_frame or (self.end_frame is not None and index >= self.end_frame):
            return None
        before = next((s for s in reversed(self.sightings) if s.index <= index), None)
        after = next((s for s in self.sightings if s.index >= index), None)
        if before and after:
            return before.box.union(after.box)
        if after:
            unknown = index > self.looked_before
            if unknown or after.time - time <= lookahead:
                return _guess(after, _velocity(self.sightings[:2]), time)
        if before:
            unknown = self.missed_at is None or index < self.missed_at
            if unknown or time - before.time <= linger:
                return _guess(before, _velocity(self.sightings[-2:]), time)
        return None

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
