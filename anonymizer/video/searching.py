"""One finder's way through a video: when it looks, and what it saw."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anonymizer.boxes import Boxes
from anonymizer.detect.finders import Finder
from anonymizer.settings import Kind
from anonymizer.track.steady import is_steady
from anonymizer.track.stillness import Small, is_still, small_copy
from anonymizer.video.calm import is_calm
from anonymizer.video.copies import Copies
from anonymizer.video.following import Following, Waiting

# Hears of every look: which frame, and what was found in it.
OnLook = Callable[[int, Mapping[Kind, Boxes]], None]

# Between two looks a thing must not get far: at most this long for each frame of the stride.
SECONDS_PER_STRIDE_FRAME = 1 / 25
_ROUNDING = 1e-6


@dataclass(frozen=True)
class _Look:
    """One look at one frame."""

    frame: Waiting
    found: Mapping[Kind, Boxes]


class Search(Following):
    """Looks at frames in order, with the finder's cadence.

    Attributes:
        finder: what it looks with.
    """

    def __init__(self, finder: Finder, copies: Copies, on_look: OnLook | None = None) -> None:
        """Takes the finder, where scaled copies come from, and who is to hear of every look."""
        super().__init__(finder.sought, looks_in_turn=1 + len(finder.next_looks))
        self.finder = finder
        self._copies = copies
        self._on_look = on_look
        self._turns = itertools.cycle((finder.look, *finder.next_looks))
        self._last: _Look | None = None
        self._last_small: Small | None = None

    def is_due(self, newest: Waiting) -> bool:
        """Tells whether it is time to look at the newest frame."""
        if self._last is None:
            return True
        last, stride = self._last.frame, self.finder.stride
        elapsed = newest.picture.time - last.picture.time + _ROUNDING
        if newest.index - last.index < stride and elapsed < stride * SECONDS_PER_STRIDE_FRAME:
            return False
        if self._last_small is None:
            return True
        small = small_copy(newest.picture.planes[0].pixels)
        if elapsed < self.finder.still_seconds and is_still(self._last_small, small):
            return False
        return not self._is_calm(newest, self._last, small, elapsed)

    def _is_calm(self, newest: Waiting, last: _Look, small: Small, elapsed: float) -> bool:
        stride = self.finder.calm_stride
        if newest.index - last.frame.index >= stride or elapsed >= stride * SECONDS_PER_STRIDE_FRAME:
            return False
        boxes = np.concatenate(list(last.found.values()))
        frame = newest.picture.frame
        return self._last_small is not None and is_calm(
            small, self._last_small, boxes, frame.width, frame.height
        )

    def look_up_to(self, newest: Waiting, waiting: Sequence[Waiting]) -> None:
        """Looks at a frame, and at some before it (`Following.look_up_to`)."""
        last = self._last
        if last is not None and last.frame.index >= newest.index:
            return
        look = self._look(newest)
        if last is not None:
            skipped = [frame for frame in waiting if last.frame.index < frame.index < newest.index]
            for between in self._looks_between(last, look, skipped):
                self._observe(between)
        self._observe(look)
        self._last = look
        if self.finder.still_seconds or self.finder.calm_stride:
            self._last_small = small_copy(newest.picture.planes[0].pixels)

    def cut(self, index: int) -> None:
        """Ends everything that was followed: a new shot begins with this frame."""
        super().cut(index)
        self._last = self._last_small = None

    def _looks_between(self, before: _Look, after: _Look, skipped: list[Waiting]) -> list[_Look]:
        """Looks at the middle of the skipped frames, then at those of each half, until nothing is far."""
        if len(skipped) <= self.finder.may_skip:
            return []
        if all(is_steady(before.found[kind], after.found[kind]) for kind in self._trackers):
            return []
        half = len(skipped) // 2
        middle = self._look(skipped[half])
        return [
            *self._looks_between(before, middle, skipped[:half]),
            middle,
            *self._looks_between(middle, after, skipped[half + 1 :]),
        ]

    def _look(self, frame: Waiting) -> _Look:
        picture = frame.picture
        width, height = picture.frame.width, picture.frame.height
        found = next(self._turns)(width, height, lambda w, h: self._copies.of(picture, w, h))
        return _Look(frame, found)

    def _observe(self, look: _Look) -> None:
        self._tell(look.frame, look.found)
        if self._on_look is not None:
            self._on_look(look.frame.index, look.found)
