"""Every frame of a result, kept packed until it is attacked, where a policy wants all of them looked at.

Eleven numbers a cover, packed in blocks: an hour of ten faces takes some 20 MB. Small pictures of originals
are not kept; those of the sampled frames are (samples.py).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final, Literal, get_args

import numpy as np

from anonymizer.boxes import Box
from anonymizer.leaks.covered import Covered
from anonymizer.leaks.samples import Sample
from anonymizer.settings import BY_STRENGTH, Effect, Kind

_BLOCK_FRAMES: Final = 512
_LEVEL: Final = 1
_HEAD: Final = struct.Struct("<qI")
_NUMBERS: Final = 11
_KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_EFFECTS: Final[tuple[Effect | Literal["keep"], ...]] = (*BY_STRENGTH, "keep")


class Every:
    """Takes every frame in order, and gives them back in order."""

    def __init__(self) -> None:
        """Has taken none."""
        self._blocks: list[bytes] = []
        self._open: list[bytes] = []

    def put(self, pts: int, covered: tuple[Covered, ...]) -> None:
        """Takes the next frame.

        Args:
            pts: when it is shown, in ticks.
            covered: what it hides, and keeps.
        """
        rows = np.array([_numbers(each) for each in covered], np.float64)
        self._open.append(_HEAD.pack(pts, len(covered)) + rows.tobytes())
        if len(self._open) == _BLOCK_FRAMES:
            self._blocks.append(zlib.compress(b"".join(self._open), _LEVEL))
            self._open = []

    def __iter__(self) -> Iterator[Sample]:
        """Yields every frame, without risk, and without pictures."""
        index = 0
        for block in (*map(zlib.decompress, self._blocks), b"".join(self._open)):
            at = 0
            while at < len(block):
                pts, count = _HEAD.unpack_from(block, at)
                rows = np.frombuffer(block, np.float64, count * _NUMBERS, at + _HEAD.size)
                covered = tuple(_covered(row) for row in rows.reshape(count, _NUMBERS).tolist())
                yield Sample(index, pts, 0.0, covered)
                at, index = at + _HEAD.size + rows.nbytes, index + 1


def _numbers(each: Covered) -> tuple[float, ...]:
    boxes = (edge for box in (each.box, each.bounds) for edge in (box.x1, box.y1, box.x2, box.y2))
    return (_KINDS.index(each.kind), each.track, _EFFECTS.index(each.effect), *boxes)


def _covered(row: list[float]) -> Covered:
    kind, track, effect = (int(number) for number in row[:3])
    return Covered(_KINDS[kind], track, _EFFECTS[effect], Box(*row[3:7]), Box(*row[7:]), None)
