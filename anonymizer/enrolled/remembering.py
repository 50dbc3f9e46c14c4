"""Who was recognized when, in the record of a job: a second run is told of it and looks at nobody.

a list, in order: [track, first frame, frame after the last, role]
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from anonymizer.boxes import Box
from anonymizer.effects.operator import Scene
from anonymizer.errors import AnonymizerError

_MOST: Final = (1 << 31) - 1
_MOST_ROLE: Final = 32


@dataclass(frozen=True, order=True)
class Recognized:
    """One stretch of frames in which a track had a role.

    Attributes:
        first, end: the first frame, and the one after the last.
        track: its number in the job.
        role: which.
    """

    first: int
    end: int
    track: int
    role: str


class Remembering:
    """A Recognition that looks at nothing."""

    def __init__(self, recognized: Sequence[Recognized]) -> None:
        """Takes what the record holds."""
        self._left = sorted(recognized, reverse=True)
        self._now: list[Recognized] = []
        self._frame = -1

    def roles(self, scene: Scene, faces: Mapping[int, Box]) -> Mapping[int, str]:
        """See Recognition.roles.

        Raises:
            AnonymizerError: record_refused, where somebody was recognized who is not there.
        """
        self._frame += 1
        self._now = [each for each in self._now if self._frame < each.end]
        while self._left and self._left[-1].first <= self._frame:
            self._now.append(self._left.pop())
        if not {each.track for each in self._now} <= faces.keys():
            raise AnonymizerError("record_refused")
        return {each.track: each.role for each in self._now}


class Noting:
    """Takes down who is recognized, frame by frame."""

    def __init__(self) -> None:
        """Begins before the first frame."""
        self._frame = -1
        self._since: dict[int, tuple[int, str]] = {}
        self._done: list[Recognized] = []

    def note(self, roles: Mapping[int, str]) -> int:
        """Takes the next frame; returns how many stretches it ended."""
        self._frame += 1
        over = [track for track, (_, role) in self._since.items() if roles.get(track) != role]
        for track in over:
            first, role = self._since.pop(track)
            self._done.append(Recognized(first, self._frame, track, role))
        for track, role in roles.items():
            self._since.setdefault(track, (self._frame, role))
        return len(over)

    def finish(self) -> tuple[Recognized, ...]:
        """Returns every stretch, in order; nothing may follow."""
        self.note({})
        return tuple(sorted(self._done))


def packed_recognized(recognized: Sequence[Recognized]) -> bytes:
    """Writes stretches."""
    rows = [[each.track, each.first, each.end, each.role] for each in recognized]
    return json.dumps(rows, separators=(",", ":")).encode()


def parse_recognized(untrusted: bytes) -> tuple[Recognized, ...]:
    """Reads what `packed_recognized` wrote.

    Raises:
        AnonymizerError: record_refused.
    """
    try:
        rows = json.loads(untrusted)
        recognized = tuple(
            Recognized(_count(first), _count(end), _count(track), _role(role))
            for track, first, end, role in rows
        )
    # RecursionError: deep nesting.
    except (ValueError, TypeError, RecursionError):
        raise AnonymizerError("record_refused") from None
    if any(each.first >= each.end for each in recognized) or list(recognized) != sorted(set(recognized)):
        raise AnonymizerError("record_refused")
    return recognized


def _count(number: object) -> int:
    if isinstance(number, bool) or not isinstance(number, int) or not 0 <= number <= _MOST:
        raise AnonymizerError("record_refused")
    return number


def _role(word: object) -> str:
    if not isinstance(word, str) or not 0 < len(word) <= _MOST_ROLE:
        raise AnonymizerError("record_refused")
    return word
