"""What is followed on behalf of one finder: a tracker for each of its kinds, told of looks in order.

Whoever looks (searching.py), or only remembers what was seen (review/replaying.py), tells the trackers; what
they answer depends on nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from anonymizer.boxes import Box, Boxes
from anonymizer.detect.finders import Sought
from anonymizer.settings import Kind
from anonymizer.track.tracker import Tracker
from anonymizer.video.picture import Picture


@dataclass(frozen=True)
class Waiting:
    """A frame that is not covered yet."""

    index: int
    picture: Picture


class Following(ABC):
    """The trackers of one finder.

    Attributes:
        sought: the kinds that are followed, each once.
    """

    def __init__(self, sought: Sequence[Sought], looks_in_turn: int) -> None:
        """Takes what is followed, and how many looks that are not alike take turns."""
        self.sought = tuple(sought)
        self._trackers: dict[Kind, Tracker] = {
            each.kind: Tracker(
                each.settings.linger_seconds,
                each.settings.lookahead_seconds,
                believes_all=each.believes_all,
                looks_in_turn=looks_in_turn,
            )
            for each in sought
        }
        self._looked_at: int | None = None

    @abstractmethod
    def is_due(self, newest: Waiting) -> bool:
        """Tells whether it is time to look at the newest frame."""

    @abstractmethod
    def look_up_to(self, newest: Waiting, waiting: Sequence[Waiting]) -> None:
        """Looks at a frame, and at some of those skipped before it where things moved far in the meantime.

        Args:
            newest: the frame.
            waiting: all frames since the last look at least, in order, the newest among them.

        Raises:
            AnonymizerError: detector_failed.
        """

    @property
    def counts(self) -> Mapping[Kind, int]:
        """Things followed so far, by kind."""
        return {kind: tracker.count for kind, tracker in self._trackers.items()}

    @property
    def begun(self) -> tuple[int, ...]:
        """How many numbers were given so far, for each kind in order: also to what was seen too faintly."""
        return tuple(tracker.begun for tracker in self._trackers.values())

    def has_looked_past(self, index: int) -> bool:
        """Tells whether this frame, or a later one of its shot, was looked at."""
        return self._looked_at is not None and self._looked_at >= index

    def cut(self, index: int) -> None:
        """Ends everything that was followed: a new shot begins with this frame."""
        for tracker in self._trackers.values():
            tracker.cut(index)
        self._looked_at = None

    def covers(self, index: int, time: float) -> Iterator[tuple[Sought, int, Box]]:
        """Yields what to cover in a frame, before any scaling, and forgets what no later frame needs.

        Each with its number among those of its kind that are followed here.
        """
        for sought in self.sought:
            for number, box in self._trackers[sought.kind].covers(index, time):
                yield sought, number, box

    def _tell(self, frame: Waiting, found: Mapping[Kind, Boxes]) -> None:
        for kind, tracker in self._trackers.items():
            tracker.observe(frame.index, frame.picture.time, found[kind])
        self._looked_at = frame.index
