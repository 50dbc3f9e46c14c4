"""A search that looks at nothing: its trackers are told what the record holds, at the moments it was seen.

When a tracker hears of a look matters as much as what it hears: covers are asked for in between. So the
record says for each look which frame was the newest by then.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NoReturn

from anonymizer.boxes import Boxes
from anonymizer.detect.finders import Finder, Sought
from anonymizer.errors import AnonymizerError
from anonymizer.review.columns import Look
from anonymizer.review.header import Searched
from anonymizer.review.recording import Record
from anonymizer.settings import Kind, Settings
from anonymizer.video.following import Following, Waiting


class Replay(Following):
    """One search of a record."""

    def __init__(self, record: Record, search: int, sought: Sequence[Sought]) -> None:
        """Takes the record, which search of it, and what that followed.

        Raises:
            AnonymizerError: record_refused.
        """
        super().__init__(sought, looks_in_turn=record.searches[search].turns)
        self._looks = record.looks(search)
        self._next: Look | None = next(self._looks, None)

    def is_due(self, newest: Waiting) -> bool:
        """Tells whether the trackers were told of something when this frame was the newest."""
        return self._next is not None and self._next.told_at <= newest.index

    def look_up_to(self, newest: Waiting, waiting: Sequence[Waiting]) -> None:
        """Tells the trackers what was seen up to a frame (`Following.look_up_to`).

        Raises:
            AnonymizerError: record_refused, where the record does not fit the video.
        """
        frames = {frame.index: frame for frame in (*waiting, newest)}
        while self._next is not None and self._next.index <= newest.index:
            look = self._next
            if look.index not in frames:
                raise AnonymizerError("record_refused")
            found: dict[Kind, Boxes] = {
                sought.kind: boxes for sought, boxes in zip(self.sought, look.boxes, strict=True)
            }
            self._tell(frames[look.index], found)
            self._next = next(self._looks, None)
        # A frame that nothing is known of must not pass as one in which nothing was found.
        if not self.has_looked_past(newest.index):
            raise AnonymizerError("record_refused")


class ReplayedCuts:
    """Where shots begin, by the record."""

    def __init__(self, record: Record) -> None:
        """Takes the record."""
        self._left: Iterator[int] = iter(record.cuts)
        self._next = next(self._left, None)

    def is_cut(self, index: int) -> bool:
        """Tells whether a shot begins with this frame. Frames are asked for in order."""
        if self._next != index:
            return False
        self._next = next(self._left, None)
        return True


def finders_of(record: Record, settings: Settings) -> tuple[Finder, ...]:
    """Returns finders that know what they look for and cannot look: no detector is opened for them.

    Raises:
        AnonymizerError: record_refused.
    """
    return tuple(Finder(_sought(searched, settings), _no_look) for searched in record.searches)


def found_in_still(record: Record, search: int) -> Mapping[Kind, Boxes]:
    """Returns what one search saw in a still.

    Raises:
        AnonymizerError: record_refused.
    """
    looks = list(record.looks(search))
    if len(looks) != 1:
        raise AnonymizerError("record_refused")
    return dict(zip(record.searches[search].kinds, looks[0].boxes, strict=True))


def _sought(searched: Searched, settings: Settings) -> tuple[Sought, ...]:
    if not set(searched.kinds) <= settings.sought.keys():
        raise AnonymizerError("record_refused")
    return tuple(
        Sought(kind, settings.sought[kind], believes_all)
        for kind, believes_all in zip(searched.kinds, searched.believes_all, strict=True)
    )


def _no_look(width: int, height: int, copy_at: object) -> NoReturn:
    raise AnonymizerError("record_refused", "It is to be replayed, not looked at.")
