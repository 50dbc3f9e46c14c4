"""Which frames are kept until the result is attacked: a few of all, and of the rest the riskiest.

When they fill their room, of every two that are neighbours the riskier one stays, and from then on half as
many are taken: so what is kept spreads over the whole video, and an hour costs what a minute does.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from anonymizer.leaks.covered import Covered

MOST_FRAMES: Final = 256
MOST_BYTES: Final = 4 * 1024 * 1024
FIRST_STRIDE: Final = 4
# What one cover takes besides its picture, and what a frame takes: about.
_COVER_BYTES: Final = 600
_FRAME_BYTES: Final = 400


@dataclass
class Sample:
    """One frame of the result.

    Attributes:
        index: counts from 0.
        pts: when it is shown, in ticks of the result.
        risk: points (risk.py).
        covered: what it hides, and keeps.
    """

    index: int
    pts: int
    risk: float
    covered: tuple[Covered, ...]

    @property
    def size(self) -> int:
        """Bytes, about."""
        pictures = sum(each.original.nbytes for each in self.covered if each.original is not None)
        return _FRAME_BYTES + _COVER_BYTES * len(self.covered) + pictures


class Samples:
    """Takes every frame in order."""

    def __init__(self, most_frames: int = MOST_FRAMES, most_bytes: int = MOST_BYTES) -> None:
        """Takes the room: a half of it is for frames at equal distances, whatever their risk."""
        self._even = _Store(most_frames // 2, most_bytes // 2)
        self._risky = _Store(most_frames // 2, most_bytes // 2)
        self._stride = FIRST_STRIDE

    def is_due(self, index: int) -> bool:
        """Tells whether a frame is kept whatever its risk."""
        return index % self._stride == 0

    def raise_risk(self, sample: Sample, risk: float) -> None:
        """Takes an earlier frame again, which has turned out to be riskier than it seemed."""
        sample.risk = max(sample.risk, risk)
        self.take(sample, is_risky=True)

    def take(self, sample: Sample, *, is_risky: bool) -> None:
        """Takes the next frame."""
        if self.is_due(sample.index):
            self._even.put(sample)
            while self._even.is_full:
                self._stride *= 2
                self._even.keep_those_of(self._stride)
        if is_risky:
            self._risky.put(sample)
            while self._risky.is_full:
                self._risky.keep_the_riskier_halves()

    def __iter__(self) -> Iterator[Sample]:
        """Yields what is kept, in order."""
        kept = {**self._risky.of_index, **self._even.of_index}
        yield from (kept[index] for index in sorted(kept))


class _Store:
    def __init__(self, most_frames: int, most_bytes: int) -> None:
        self.of_index: dict[int, Sample] = {}
        self._most_frames, self._most_bytes = max(2, most_frames), most_bytes
        self._bytes = 0

    @property
    def is_full(self) -> bool:
        return len(self.of_index) > 1 and (
            len(self.of_index) > self._most_frames or self._bytes > self._most_bytes
        )

    def put(self, sample: Sample) -> None:
        before = self.of_index.get(sample.index)
        self._bytes += sample.size - (before.size if before is not None else 0)
        self.of_index[sample.index] = sample

    def keep_those_of(self, stride: int) -> None:
        self._keep(sample for sample in self.of_index.values() if sample.index % stride == 0)

    def keep_the_riskier_halves(self) -> None:
        ordered = [self.of_index[index] for index in sorted(self.of_index)]
        pairs = [ordered[place : place + 2] for place in range(0, len(ordered), 2)]
        self._keep(max(pair, key=lambda sample: sample.risk) for pair in pairs)

    def _keep(self, samples: Iterator[Sample]) -> None:
        self.of_index = {sample.index: sample for sample in samples}
        self._bytes = sum(sample.size for sample in self.of_index.values())
