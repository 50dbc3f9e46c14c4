"""Counts the frames that left though nobody had looked at them, as often as the mode promises.

Those who search are not asked: here is written down which finder was shown the pixels of which frame, and
answered. What they promise is stated once more, from the mode alone. A frame is checked where every finder
looked at it, or, in the same shot, at one shortly before it and at one after it; and where it was handed to
those who cover. Of a job that replays a record, the record says who looked at what.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from anonymizer.boxes import Boxes
from anonymizer.detect.contract import Image
from anonymizer.detect.finders import Finder, Look
from anonymizer.detect.looking import CopyAt
from anonymizer.modes import MODES
from anonymizer.review.columns import Look as RecordedLook
from anonymizer.review.recording import Record
from anonymizer.settings import Kind, Settings
from anonymizer.video.copies import Copies
from anonymizer.video.picture import Picture

# What the modes promise (docs/policies.md): a stride is in frames, and no frame of it longer than this.
SECONDS_A_FRAME: Final = 1 / 25
# While only what is followed moves, looks for faces may be twice as far apart.
CALM: Final = 2
# A picture that stays as it is is read once in this time.
STILL_SECONDS: Final = 1.0
_ROUNDING: Final = 1e-6


@dataclass(frozen=True)
class Cadence:
    """How far behind the last look of a finder a frame may be, that it does not look at.

    Attributes:
        frames: fewer than so many,
        seconds: and less than this long; or
        still_seconds: less than this long, whatever the frames.
    """

    frames: int
    seconds: float
    still_seconds: float

    def allows(self, frames: int, seconds: float) -> bool:
        """Tells whether a frame may be so far behind the last look."""
        soon = frames < self.frames and seconds < self.seconds + _ROUNDING
        return soon or seconds < self.still_seconds + _ROUNDING


def cadence_of(settings: Settings, kinds: Sequence[Kind]) -> Cadence:
    """Returns what a mode promises for one finder."""
    mode = MODES[settings.mode]
    if "text" in kinds or "plate" in kinds:
        return Cadence(mode.text_stride, mode.text_stride * SECONDS_A_FRAME, STILL_SECONDS)
    stride = mode.stride * CALM if "face" in kinds and mode.stride > 1 else mode.stride
    return Cadence(stride, stride * SECONDS_A_FRAME, 0.0)


class Looks(Protocol):
    """Who looked at what. Frames are asked for in order, and once, when they leave."""

    def at(self, index: int, time: float) -> Sequence[float | None]:
        """Returns for each finder the lowest score of what it found in a frame; None where it did not look.

        It is 1 where it looked and found nothing.
        """
        ...


class Shown:
    """Looks at a video or a still, as they are: who was shown which pixels."""

    def __init__(self, finders: Sequence[Finder]) -> None:
        """Takes those who look; they are to be used as `watched` gives them back."""
        self.copies = _WatchedCopies()
        self._looked: list[dict[float, float]] = [{} for _ in finders]
        self.watched = tuple(
            replace(
                finder,
                look=self._watched(search, finder.look),
                next_looks=tuple(self._watched(search, look) for look in finder.next_looks),
            )
            for search, finder in enumerate(finders)
        )

    def at(self, index: int, time: float) -> Sequence[float | None]:
        """Returns who looked (`Looks.at`), and forgets it."""
        return [looked.pop(time, None) for looked in self._looked]

    def _watched(self, search: int, look: Look) -> Look:
        def watched(width: int, height: int, copy_at: CopyAt) -> dict[Kind, Boxes]:
            was_shown = False

            def shown(across: int, down: int) -> Image:
                nonlocal was_shown
                was_shown = True
                return copy_at(across, down)

            found = dict(look(width, height, shown))
            if was_shown:
                self._looked[search][self.copies.time] = _lowest(tuple(found.values()))
            return found

        return watched


class _WatchedCopies(Copies):
    """Gives copies, and knows of which picture the last one was; of a still it gives none."""

    def __init__(self) -> None:
        super().__init__()
        self.time = 0.0

    def of(self, picture: Picture, width: int, height: int) -> Image:
        self.time = picture.time
        return super().of(picture, width, height)


class Recorded:
    """Looks that an earlier job recorded."""

    def __init__(self, record: Record) -> None:
        """Takes the record."""
        self._looks: list[Iterator[RecordedLook]] = [
            record.looks(search) for search in range(len(record.searches))
        ]
        self._next = [next(looks, None) for looks in self._looks]

    def at(self, index: int, time: float) -> Sequence[float | None]:
        """Returns who looked (`Looks.at`)."""
        looked: list[float | None] = []
        for search, look in enumerate(self._next):
            is_at = look is not None and look.index == index
            looked.append(_lowest(look.boxes) if look is not None and is_at else None)
            if is_at:
                self._next[search] = next(self._looks[search], None)
        return looked


def _lowest(found: Sequence[Boxes]) -> float:
    return min((float(boxes[:, 4].min()) for boxes in found if len(boxes)), default=1.0)


@dataclass
class _Waiting:
    """A frame that some finder must still look behind; `by` has a bit for each of them."""

    by: int
    is_unchecked: bool


class Checked:
    """Counts. Frames come in order, as they leave.

    Attributes:
        frames_unchecked: so far; of frames that wait for a look behind them only once that cannot come.
    """

    def __init__(self, cadences: Sequence[Cadence]) -> None:
        """Takes what each finder promises."""
        self.frames_unchecked = 0
        self._cadences = tuple(cadences)
        self._last: list[tuple[int, float] | None] = [None] * len(self._cadences)
        self._waiting: deque[_Waiting] = deque()
        self._shot: int | None = None

    def left(self, index: int, time: float, shot: int | None, looked: Sequence[bool]) -> None:
        """Takes the next frame that leaves.

        Args:
            index: counts from 0.
            time: seconds.
            shot: counts cuts; None for a frame that those who cover never had.
            looked: for each finder, whether it looked at this frame.
        """
        if shot is not None and shot != self._shot:
            self.finish()
            self._shot, self._last = shot, [None] * len(self._cadences)
        frame = _Waiting(0, is_unchecked=shot is None)
        for search, cadence in enumerate(self._cadences):
            last = self._last[search]
            if looked[search]:
                self._last[search] = index, time
                for before in self._waiting:
                    before.by &= ~(1 << search)
            elif last is not None and cadence.allows(index - last[0], time - last[1]):
                frame.by |= 1 << search
            else:
                frame.is_unchecked = True
        self._waiting.append(frame)
        while self._waiting and not self._waiting[0].by:
            self.frames_unchecked += self._waiting.popleft().is_unchecked

    def finish(self) -> None:
        """Hears that the shot is over: what still waits was never looked behind."""
        self.frames_unchecked += sum(frame.is_unchecked or frame.by != 0 for frame in self._waiting)
        self._waiting.clear()
