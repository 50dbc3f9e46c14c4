"""The record of a job: everything that was seen, exactly as the trackers were told of it.

    bauta.record/v1\\n
    {"begun":[[n,...],...],"frames":n,"height":n,"searches":[[["face",false]],...],"turns":[n,...],"width":n}\\n
    blocks, each: 1 byte which (a search; 255: cuts, 254: who was recognized, 253: who spoke), 4 bytes length,
    zlib

Lengths are little-endian. A search's blocks are in order of time (columns.py); the cuts, if any, are one
block of 4-byte frame numbers, who was recognized is one of JSON (enrolled/remembering.py), and who spoke one
of numbers (spoken.py). A record of sound alone has no search.
Packed as it comes, so that what waits in memory is small and the whole has a bound.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from anonymizer.boxes import Boxes
from anonymizer.detect.finders import Finder
from anonymizer.enrolled.remembering import Noting, Recognized, packed_recognized, parse_recognized
from anonymizer.errors import AnonymizerError
from anonymizer.review.columns import Look, inflated, packed, unpacked
from anonymizer.review.header import Searched, header_line, parse_header
from anonymizer.review.spoken import packed_turns, parse_turns
from anonymizer.settings import Kind
from anonymizer.speakers.turns import Turns

MAGIC: Final = b"bauta.record/v1\n"
# At 16 bytes a box an hour and a half of fifty faces, looked at six times a second, or thirteen minutes of a
# crowd of a hundred that the camera pans over. Past it a job that is asked for a record ends.
MAX_RECORD_BYTES: Final = 30 << 20
_MAX_HEADER_BYTES: Final = 1 << 16
_BLOCK: Final = struct.Struct("<BI")
_CUTS: Final = 255
_RECOGNIZED: Final = 254
_SPOKEN: Final = 253
# At under 64 bytes each they fit into a block; nobody is recognized and lost so often in a day.
_MOST_STRETCHES: Final = 100_000
_STRETCH_BYTES: Final = 64
# A block is closed at so many boxes or looks, whichever comes first.
_BLOCK_BOXES: Final = 8192
_BLOCK_LOOKS: Final = 2048


@dataclass(frozen=True)
class Record:
    """Everything that one job saw.

    Attributes:
        width, height: of the result, pixels.
        frames: how many it has.
        searches: what each search followed.
        cuts: the first frame of every shot but the first.
        blocks: of each search, packed.
        recognized: who had which role when by being recognized.
        spoken: who spoke when; None where nobody listened.
    """

    width: int
    height: int
    frames: int
    searches: tuple[Searched, ...]
    cuts: tuple[int, ...]
    blocks: tuple[tuple[bytes, ...], ...]
    recognized: tuple[Recognized, ...] = ()
    spoken: Turns | None = None

    def looks(self, search: int) -> Iterator[Look]:
        """Yields the looks of one search in order, a block at a time.

        Raises:
            AnonymizerError: record_refused.
        """
        for block in self.blocks[search]:
            yield from unpacked(block, len(self.searches[search].kinds))

    def to_bytes(self) -> bytes:
        """Gives the whole record."""
        header = {
            "begun": [list(each.begun) for each in self.searches],
            "frames": self.frames,
            "height": self.height,
            "searches": [
                [list(pair) for pair in zip(each.kinds, each.believes_all, strict=True)]
                for each in self.searches
            ],
            "turns": [each.turns for each in self.searches],
            "width": self.width,
        }
        parts = [MAGIC, header_line(header)]
        if self.cuts:
            cuts = zlib.compress(np.array(self.cuts, "<u4").tobytes())
            parts += [_BLOCK.pack(_CUTS, len(cuts)), cuts]
        if self.recognized:
            recognized = zlib.compress(packed_recognized(self.recognized))
            parts += [_BLOCK.pack(_RECOGNIZED, len(recognized)), recognized]
        if self.spoken is not None:
            spoken = zlib.compress(packed_turns(self.spoken))
            parts += [_BLOCK.pack(_SPOKEN, len(spoken)), spoken]
        for search, blocks in enumerate(self.blocks):
            for block in blocks:
                parts += [_BLOCK.pack(search, len(block)), block]
        return b"".join(parts)


def parse_record(untrusted: bytes) -> Record:
    """Reads what `Record.to_bytes` gave; the blocks are opened later, one by one.

    Raises:
        AnonymizerError: record_refused.
    """
    end = untrusted.find(b"\n", len(MAGIC), len(MAGIC) + _MAX_HEADER_BYTES)
    if len(untrusted) > MAX_RECORD_BYTES or not untrusted.startswith(MAGIC) or end < 0:
        raise AnonymizerError("record_refused")
    header = parse_header(untrusted[len(MAGIC) : end + 1])
    searches = header["searches"]
    blocks: list[list[bytes]] = [[] for _ in searches]
    cuts: tuple[int, ...] = ()
    recognized: tuple[Recognized, ...] = ()
    spoken: Turns | None = None
    for search, block in _blocks(untrusted, end + 1):
        if search == _CUTS and not cuts and not any(blocks):
            cuts = tuple(int(cut) for cut in np.frombuffer(_whole_numbers(block), "<u4"))
        elif search == _RECOGNIZED and not recognized and not any(blocks):
            recognized = parse_recognized(inflated(block))
        elif search == _SPOKEN and spoken is None and not any(blocks):
            spoken = parse_turns(inflated(block))
        elif search < len(blocks):
            blocks[search].append(block)
        else:
            raise AnonymizerError("record_refused")
    packed_blocks = tuple(tuple(each) for each in blocks)
    told = {"cuts": cuts, "blocks": packed_blocks, "recognized": recognized, "spoken": spoken}
    record = Record(**{**header, **told})
    saw_nothing = not searches and spoken is None
    if saw_nothing or record.to_bytes() != untrusted:
        raise AnonymizerError("record_refused")
    return record


class Recorder:
    """Takes what a job sees, as it sees it.

    Attributes:
        now: the frame that is the newest, which whoever records keeps up to date.
    """

    def __init__(self, finders: Sequence[Finder], max_bytes: int = MAX_RECORD_BYTES) -> None:
        """Takes what looks, and how large the record may become."""
        self.now = 0
        self._finders = tuple(finders)
        self._open: list[list[Look]] = [[] for _ in finders]
        self._open_boxes = [0] * len(finders)
        self._blocks: list[list[bytes]] = [[] for _ in finders]
        self._cuts: list[int] = []
        self._noting = Noting()
        self._stretches = 0
        self._spoken: Turns | None = None
        self._left = max_bytes - len(MAGIC) - _MAX_HEADER_BYTES

    def look(self, search: int, index: int, found: Mapping[Kind, Boxes]) -> None:
        """Takes one look.

        Raises:
            AnonymizerError: review_too_large.
        """
        boxes = tuple(found[sought.kind] for sought in self._finders[search].sought)
        self._open[search].append(Look(self.now, index, boxes))
        self._open_boxes[search] += sum(map(len, boxes))
        if self._open_boxes[search] >= _BLOCK_BOXES or len(self._open[search]) >= _BLOCK_LOOKS:
            self._close(search)

    def cut(self, index: int) -> None:
        """Takes the first frame of a shot.

        Raises:
            AnonymizerError: review_too_large.
        """
        self._cuts.append(index)
        self._take(4)

    def recognized(self, roles: Mapping[int, str]) -> None:
        """Takes who is recognized in the next frame that is covered.

        Raises:
            AnonymizerError: review_too_large.
        """
        ended = self._noting.note(roles)
        self._stretches += ended
        if self._stretches > _MOST_STRETCHES:
            raise AnonymizerError("review_too_large")
        self._take(ended * _STRETCH_BYTES)

    def hear(self, turns: Turns) -> None:
        """Takes who speaks when.

        Raises:
            AnonymizerError: review_too_large.
        """
        self._spoken = turns
        self._take(_BLOCK.size + len(zlib.compress(packed_turns(turns))))

    def finish(self, width: int, height: int, frames: int, begun: Sequence[tuple[int, ...]]) -> Record:
        """Gives the record.

        Raises:
            AnonymizerError: review_too_large.
        """
        for search in range(len(self._finders)):
            self._close(search)
        searches = tuple(
            Searched(
                tuple(sought.kind for sought in finder.sought),
                tuple(sought.believes_all for sought in finder.sought),
                1 + len(finder.next_looks),
                numbers,
            )
            for finder, numbers in zip(self._finders, begun, strict=True)
        )
        blocks = tuple(tuple(each) for each in self._blocks)
        recognized = self._noting.finish()
        return Record(width, height, frames, searches, tuple(self._cuts), blocks, recognized, self._spoken)

    def _close(self, search: int) -> None:
        if self._open[search]:
            block = packed(self._open[search])
            self._take(_BLOCK.size + len(block))
            self._blocks[search].append(block)
            self._open[search], self._open_boxes[search] = [], 0

    def _take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise AnonymizerError("review_too_large")


def _blocks(untrusted: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    while start < len(untrusted):
        if start + _BLOCK.size > len(untrusted):
            raise AnonymizerError("record_refused")
        search, length = _BLOCK.unpack_from(untrusted, start)
        start += _BLOCK.size
        yield search, untrusted[start : start + length]
        start += length


def _whole_numbers(block: bytes) -> bytes:
    plain = inflated(block)
    if len(plain) % 4:
        raise AnonymizerError("record_refused")
    return plain
