"""Counts covers that are there, away for a moment, and there again.

Whoever watches sees a face for that moment. The tracker is made so that it does not happen
(track/sighting.py); here is counted what did.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from anonymizer.boxes import Box
from anonymizer.effects.operator import Cover
from anonymizer.settings import Kind

# Away for longer is no flicker: somebody has left, and another may have come.
LONGEST_GAP_SECONDS: Final = 0.5
# From this overlap on (intersection over union) it is the same place.
SAME_PLACE: Final = 0.3
# A crowd that leaves at once; more than the newest so many are not remembered.
MOST_REMEMBERED: Final = 512


@dataclass(frozen=True)
class _Gone:
    kind: Kind
    box: Box
    last_seen: float


class Flicker:
    """Sees the covers of every frame in order.

    Attributes:
        gaps: covers that came back within half a second, in one shot and at about the same place.
    """

    def __init__(self) -> None:
        """Has seen no frame."""
        self.gaps = 0
        self._there: dict[int, Cover] = {}
        self._time = 0.0
        self._shot = 0
        self._gone: deque[_Gone] = deque(maxlen=MOST_REMEMBERED)

    def see(self, covers: Sequence[Cover], time: float, shot: int) -> None:
        """Takes the covers of the next frame.

        Args:
            covers: of all kinds.
            time: seconds.
            shot: nothing comes back over a cut.
        """
        if shot != self._shot:
            self._there, self._shot = {}, shot
            self._gone.clear()
        there = {cover.track: cover for cover in covers}
        while self._gone and time - self._gone[0].last_seen > LONGEST_GAP_SECONDS:
            self._gone.popleft()
        for cover in (there[track] for track in there.keys() - self._there.keys()):
            back = next((gone for gone in self._gone if _is_same(gone, cover)), None)
            if back is not None:
                self.gaps += 1
                self._gone.remove(back)
        for track in self._there.keys() - there.keys():
            left = self._there[track]
            gone = _Gone(left.kind, left.box, self._time)
            # What another cover has taken over is not uncovered.
            if not any(_is_same(gone, cover) for cover in covers):
                self._gone.append(gone)
        self._there, self._time = there, time


def _is_same(gone: _Gone, cover: Cover) -> bool:
    return gone.kind == cover.kind and _overlap(gone.box, cover.box) >= SAME_PLACE


def _overlap(a: Box, b: Box) -> float:
    across = min(a.x2, b.x2) - max(a.x1, b.x1)
    down = min(a.y2, b.y2) - max(a.y1, b.y1)
    if across <= 0 or down <= 0:
        return 0.0
    shared = across * down
    return shared / (a.width * a.height + b.width * b.height - shared)
