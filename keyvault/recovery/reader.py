"""Opening a scope of a recovery package: some segments of one track, with keys that open nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from cryptography.exceptions import InvalidTag

from keyvault.age.streams import read_up_to
from keyvault.recovery import schedule
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.layout import Entry, read_frame, unpack_table

_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Scope:
    """What one release may open: entries, and the keys of their segments. No other key follows from these.

    Attributes:
        track: number of the track.
        entries: in the order in which they were written.
        keys: by segment.
    """

    track: int
    entries: tuple[Entry, ...]
    keys: Mapping[int, bytes] = field(repr=False)


@dataclass(frozen=True)
class Opened:
    """One entry in the clear.

    Attributes:
        segment: its stretch of time.
        kind: one of `layout.KINDS`.
        plaintext: as it was given to the writer.
    """

    segment: int
    kind: str
    plaintext: bytes = field(repr=False)


class PackageReader:
    """A recovery package in a seekable file, which stays open.

    Args:
        untrusted_file: the package; whoever stores it may have changed it.

    Raises:
        RecoveryError: package_malformed.
        OSError: it cannot be read.
    """

    def __init__(self, untrusted_file: BinaryIO) -> None:
        self._file = untrusted_file
        self._frame = read_frame(untrusted_file)

    @property
    def context(self) -> bytes:
        """What it says it is bound to, 32 bytes; keys of another context open nothing."""
        return self._frame.context

    @property
    def tracks(self) -> tuple[int, ...]:
        """Numbers of its tracks, rising, erased ones too."""
        return tuple(self._frame.tables)

    def sha256(self) -> bytes:
        """Of all its bytes, read once."""
        digest = hashlib.sha256()
        self._file.seek(0)
        while block := self._file.read(_READ_BYTES):
            digest.update(block)
        return digest.digest()

    def narrow(self, track: int, track_key: bytes, stretches: Sequence[tuple[int, int]]) -> Scope:
        """Derives the keys for some stretches of a track; the caller then forgets the track's key.

        Args:
            track: number of the track.
            track_key: from the ring.
            stretches: (first, end) in milliseconds. Segments are taken whole: what lies before or after in
                the first and the last is for the caller to leave out.

        Raises:
            RecoveryError: track_unknown, package_key_wrong or package_malformed.
        """
        table = self._frame.tables.get(track)
        if table is None:
            raise RecoveryError("track_unknown", "the package has no such track")
        key = schedule.table_key(track_key, self.context, track)
        try:
            plain = schedule.unseal(key, 0, self._read(table.offset, table.length), b"")
        except InvalidTag:
            raise RecoveryError(
                "package_key_wrong", "the key is not this track's, or its table was changed"
            ) from None
        length = self._frame.segment_milliseconds
        wanted = tuple(
            entry
            for entry in unpack_table(plain, self._frame.entries_end)
            if any(
                first < (entry.segment + 1) * length and entry.segment * length < end
                for first, end in stretches
            )
        )
        segments = {entry.segment for entry in wanted}
        keys = {number: schedule.segment_key(track_key, self.context, track, number) for number in segments}
        return Scope(track, wanted, keys)

    def open(self, scope: Scope) -> Iterator[Opened]:
        """Opens a scope, entry by entry.

        Raises:
            RecoveryError: package_entry_damaged; what was yielded before is good, and not all there is.
        """
        for entry in scope.entries:
            yield Opened(entry.segment, entry.kind, self.open_one(scope, entry))

    def open_one(self, scope: Scope, entry: Entry) -> bytes:
        """Opens one entry of a scope.

        Raises:
            RecoveryError: package_entry_damaged.
        """
        sealed = self._read(entry.offset, entry.length)
        try:
            return schedule.unseal(scope.keys[entry.segment], entry.number, sealed, b"")
        except InvalidTag:
            raise RecoveryError("package_entry_damaged", "an entry of the package was changed") from None

    def _read(self, offset: int, length: int) -> bytes:
        self._file.seek(offset)
        return read_up_to(self._file, length)
