"""The bytes of a recovery package. Numbers are big-endian.

    "bauta.recovery/v1\\n"
    context                    32 bytes: the job
    segment length             4 bytes, milliseconds
    entries                    ciphertexts, one after the other, with nothing between them
    tables                     one a track, sealed: where its entries are
    directory                  for each track, rising: its number, 4 bytes, and its table's length, 4 bytes
    end                        number of tracks, 4 bytes; offset of the directory, 8 bytes

Whoever holds a package and no key sees how many tracks there are, how long all entries are together, and how
many entries each track has to within some two hundred. When somebody is seen stands in the sealed tables.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import BinaryIO, Final

from keyvault.age.streams import read_up_to
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.ring import MAX_TRACKS
from keyvault.recovery.schedule import CONTEXT_BYTES, MAX_NUMBER, TAG_BYTES

MAGIC: Final = b"bauta.recovery/v1\n"
HEADER_BYTES: Final = len(MAGIC) + CONTEXT_BYTES + 4
MAX_ENTRY_BYTES: Final = 16 << 20
"""Of an entry's plaintext."""
MAX_ENTRIES: Final = 1 << 20
"""Of a package: 20 MB of tables in the writer's memory."""
MAX_PARTS: Final = 1 << 16
"""Entries of one segment and kind of one track."""
MIN_SEGMENT_MILLISECONDS: Final = 100
MAX_SEGMENT_MILLISECONDS: Final = 60_000
KINDS: Final = ("pixels", "sound", "result")
RESULT_TRACK: Final = MAX_NUMBER
"""No person: the coded result by segments, with everybody covered; a disclosure is restored into it."""

_SEGMENT_LENGTH = struct.Struct(">I")
_ENTRY = struct.Struct(">IHBQI")
_COUNT = struct.Struct(">I")
_LINE = struct.Struct(">II")
_END = struct.Struct(">IQ")
_TABLE_STEP = 4096


@dataclass(frozen=True, order=True)
class Entry:
    """One ciphertext.

    Attributes:
        segment: number of the stretch of time.
        part: number among those of its segment and kind, from 0.
        kind: one of KINDS.
        offset: in the package, bytes.
        length: of the ciphertext, tag included, bytes.
    """

    segment: int
    part: int
    kind: str
    offset: int
    length: int

    @property
    def number(self) -> int:
        """Told to the cipher; no other entry under the segment's key has it."""
        return KINDS.index(self.kind) * MAX_PARTS + self.part

    def pack(self) -> bytes:
        """19 bytes."""
        kind = KINDS.index(self.kind)
        return _ENTRY.pack(self.segment, self.part, kind, self.offset, self.length)


@dataclass(frozen=True)
class Table:
    """Where a sealed table lies, in bytes."""

    offset: int
    length: int


@dataclass(frozen=True)
class Frame:
    """A package without its secrets.

    Attributes:
        context: 32 bytes.
        segment_milliseconds: how long a segment is.
        tables: by track.
        entries_end: where the last entry ends, bytes.
    """

    context: bytes
    segment_milliseconds: int
    tables: dict[int, Table]
    entries_end: int


def header(context: bytes, segment_milliseconds: int) -> bytes:
    """The first 54 bytes."""
    return MAGIC + context + _SEGMENT_LENGTH.pack(segment_milliseconds)


def pack_table(entries: bytes) -> bytes:
    """A table's plaintext: the number of entries, the entries, and zeros to a multiple of 4 KiB."""
    plain = _COUNT.pack(len(entries) // _ENTRY.size) + entries
    return plain + bytes(-len(plain) % _TABLE_STEP)


def unpack_table(plain: bytes, entries_end: int) -> tuple[Entry, ...]:
    """Reads what `pack_table` gave.

    Raises:
        RecoveryError: package_malformed; that of a table which its own key opened is a writer's fault.
    """
    if not plain or len(plain) % _TABLE_STEP:
        raise _malformed()
    (count,) = _COUNT.unpack_from(plain)
    if count > MAX_ENTRIES or len(pack_table(bytes(count * _ENTRY.size))) != len(plain):
        raise _malformed()
    packed = plain[_COUNT.size : _COUNT.size + count * _ENTRY.size]
    if any(plain[_COUNT.size + len(packed) :]):
        raise _malformed()
    entries = []
    next_part: dict[tuple[int, int], int] = {}
    for segment, part, kind, offset, length in _ENTRY.iter_unpack(packed):
        if kind >= len(KINDS) or part != next_part.get((segment, kind), 0):
            raise _malformed()
        next_part[segment, kind] = part + 1
        if not TAG_BYTES <= length <= MAX_ENTRY_BYTES + TAG_BYTES:
            raise _malformed()
        if offset < HEADER_BYTES or offset + length > entries_end:
            raise _malformed()
        entries.append(Entry(segment, part, KINDS[kind], offset, length))
    return tuple(entries)


def directory(tables: dict[int, int], offset: int) -> bytes:
    """The end of a package.

    Args:
        tables: the length of each track's sealed table, in the order in which they lie there.
        offset: where these bytes will stand.
    """
    lines = b"".join(_LINE.pack(track, length) for track, length in tables.items())
    return lines + _END.pack(len(tables), offset)


def read_frame(untrusted_file: BinaryIO) -> Frame:
    """Reads header and directory of a seekable file.

    Raises:
        RecoveryError: package_malformed; a package that was cut short has no end.
        OSError: it cannot be read.
    """
    size = untrusted_file.seek(0, 2)
    if size < HEADER_BYTES + _END.size:
        raise _malformed()
    untrusted_file.seek(0)
    head = read_up_to(untrusted_file, HEADER_BYTES)
    untrusted_file.seek(size - _END.size)
    count, offset = _END.unpack(read_up_to(untrusted_file, _END.size))
    if not head.startswith(MAGIC) or count > MAX_TRACKS:
        raise _malformed()
    if offset + count * _LINE.size + _END.size != size:
        raise _malformed()
    (segment_milliseconds,) = _SEGMENT_LENGTH.unpack(head[-_SEGMENT_LENGTH.size :])
    if not MIN_SEGMENT_MILLISECONDS <= segment_milliseconds <= MAX_SEGMENT_MILLISECONDS:
        raise _malformed()
    untrusted_file.seek(offset)
    lines = list(_LINE.iter_unpack(read_up_to(untrusted_file, count * _LINE.size)))
    tracks = [track for track, _ in lines]
    if tracks != sorted(set(tracks)):
        raise _malformed()
    at = offset - sum(length for _, length in lines)
    if at < HEADER_BYTES:
        raise _malformed()
    tables, entries_end = {}, at
    for track, length in lines:
        if (length - TAG_BYTES) % _TABLE_STEP or not TAG_BYTES < length <= _MOST_TABLE_BYTES:
            raise _malformed()
        tables[track] = Table(at, length)
        at += length
    context = head[len(MAGIC) : len(MAGIC) + CONTEXT_BYTES]
    return Frame(context, segment_milliseconds, tables, entries_end)


_MOST_TABLE_BYTES = len(pack_table(bytes(MAX_ENTRIES * _ENTRY.size))) + TAG_BYTES


def _malformed() -> RecoveryError:
    return RecoveryError("package_malformed", "this is no recovery package, or it was cut short or changed")
