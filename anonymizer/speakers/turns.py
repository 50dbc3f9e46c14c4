"""Turns: who speaks when."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from anonymizer.errors import AnonymizerError

MOST_SPEAKERS: Final = 32
"""Voices beyond it, the least heard, go with the one that is most like theirs."""
MOST_TURNS: Final = 200_000
"""More than a whole day of people who interrupt each other."""


@dataclass(frozen=True)
class Turn:
    """A stretch in which one voice speaks.

    Attributes:
        begin, end: seconds; whole milliseconds.
        speaker: whose voice, numbered from 0 in order of first appearance.
        sure: whether all of it sounds like this speaker alone. Where not, nobody may be shown by it: who
            decided to keep this voice may be hearing another one.
    """

    begin: float
    end: float
    speaker: int
    sure: bool

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.begin


@dataclass(frozen=True)
class Turns:
    """The turns of one recording, in order; none overlaps another.

    Attributes:
        turns: between them nobody was heard.
        seconds: how long the recording is.
    """

    turns: tuple[Turn, ...]
    seconds: float

    def __post_init__(self) -> None:
        """Refuses turns that are out of order, outside, or too many.

        Raises:
            AnonymizerError: record_refused; where they were found and not read, a mistake of ours.
        """
        if len(self.turns) > MOST_TURNS or not (math.isfinite(self.seconds) and self.seconds >= 0):
            raise AnonymizerError("record_refused")
        at, known = 0.0, 0
        for turn in self.turns:
            if not at <= turn.begin < turn.end <= self.seconds or not 0 <= turn.speaker <= known:
                raise AnonymizerError("record_refused")
            at, known = turn.end, max(known, turn.speaker + 1)
        if known > MOST_SPEAKERS:
            raise AnonymizerError("record_refused")

    @property
    def speakers(self) -> int:
        """How many voices there are."""
        return max((turn.speaker for turn in self.turns), default=-1) + 1

    def of(self, speaker: int) -> tuple[Turn, ...]:
        """The turns of one of them."""
        return tuple(turn for turn in self.turns if turn.speaker == speaker)
