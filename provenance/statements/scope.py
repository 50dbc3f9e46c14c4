"""What part of a job a disclosure or an erasure is about: numbers of tracks, and stretches of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from provenance.errors import FormatError
from provenance.statements.fields import Count, Kind

MAX_TRACK = (1 << 32) - 1
# 24 hours.
MAX_MILLISECONDS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Tracks(Kind):
    """1 to 64 distinct track numbers in rising order; a number names nobody."""

    most: int = 64

    def check(self, value: Any) -> Any:
        """Takes a tuple of such numbers."""
        if not isinstance(value, tuple) or not 0 < len(value) <= self.most:
            raise FormatError("a scope does not hold an accepted number of tracks")
        for number in value:
            Count(MAX_TRACK).check(number)
        if list(value) != sorted(set(value)):
            raise FormatError("the tracks of a scope are not sorted, or repeat themselves")
        return value

    def to_json(self, value: Any) -> Any:
        """Gives an array of numbers."""
        return list(value)

    def from_json(self, untrusted: Any) -> Any:
        """Reads an array."""
        return tuple(untrusted) if isinstance(untrusted, list) else untrusted


@dataclass(frozen=True)
class Stretches(Kind):
    """1 to 64 pairs (first, end) of milliseconds since the video's start, in order, none touching the next.

    Two stretches that touch are one: so one scope has one encoding.
    """

    most: int = 64

    def check(self, value: Any) -> Any:
        """Takes a tuple of such pairs."""
        if not isinstance(value, tuple) or not 0 < len(value) <= self.most:
            raise FormatError("a scope does not hold an accepted number of stretches of time")
        last_end = -1
        for pair in value:
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise FormatError("a stretch of time is not two numbers of milliseconds")
            first, end = (Count(MAX_MILLISECONDS).check(number) for number in pair)
            if not last_end < first < end:
                raise FormatError("stretches of time are empty, out of order, or touch")
            last_end = end
        return value

    def to_json(self, value: Any) -> Any:
        """Gives an array of arrays of two numbers."""
        return [list(pair) for pair in value]

    def from_json(self, untrusted: Any) -> Any:
        """Reads such an array."""
        if not isinstance(untrusted, list):
            return untrusted
        return tuple(tuple(pair) if isinstance(pair, list) else pair for pair in untrusted)


def is_within(inner: tuple[tuple[int, int], ...], outer: tuple[tuple[int, int], ...]) -> bool:
    """Says whether every stretch lies inside one of the outer stretches."""
    return all(any(first <= start and end <= last for first, last in outer) for start, end in inner)
