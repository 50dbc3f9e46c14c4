"""Writing a recovery package as a stream: in the worker, beside the result. An entry costs it 19 bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from keyvault.age.streams import ByteSink, write_all
from keyvault.recovery import layout, schedule
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.layout import (
    KINDS,
    MAX_ENTRIES,
    MAX_ENTRY_BYTES,
    MAX_PARTS,
    MAX_SEGMENT_MILLISECONDS,
    MIN_SEGMENT_MILLISECONDS,
    Entry,
)
from keyvault.recovery.ring import MAX_TRACKS, RecoveryRing
from keyvault.recovery.schedule import TAG_BYTES


@dataclass(frozen=True)
class WrittenPackage:
    """A package that is whole.

    Attributes:
        sha256: of all its bytes, 32 bytes: what the job's statement names.
        size: bytes.
        ring: the wrapped keys of its tracks, to be kept apart from it.
    """

    sha256: bytes
    size: int
    ring: RecoveryRing


class PackageWriter:
    """Encrypts entries as they come; `close` makes them a package. Not thread-safe.

    Args:
        sink: takes the bytes, in order.
        recovery_key: of the job, 32 bytes.
        context: what it is bound to, 32 bytes (`keyvault.custody.sharing.job_context`).
        segment_milliseconds: how narrow a release can be; 100 to 60,000.
    """

    def __init__(
        self, sink: ByteSink, recovery_key: bytes, context: bytes, segment_milliseconds: int = 1000
    ) -> None:
        if not MIN_SEGMENT_MILLISECONDS <= segment_milliseconds <= MAX_SEGMENT_MILLISECONDS:
            raise ValueError("a segment is out of its range")
        self._sink = sink
        self._recovery_key = recovery_key
        self._context = context
        self._segment_milliseconds = segment_milliseconds
        self._digest = hashlib.sha256()
        self._size = 0
        self._track_keys: dict[int, bytes] = {}
        self._tables: dict[int, bytearray] = {}
        self._next: dict[tuple[int, str], tuple[int, int]] = {}
        self._entries = 0
        self._open = True
        self._write(layout.header(context, segment_milliseconds))

    def add(self, track: int, at_milliseconds: int, kind: str, plaintext: bytes) -> None:
        """Encrypts one entry. Those of one track and kind come in the order of time.

        Args:
            track: number of the track.
            at_milliseconds: when in the result; says which segment it belongs to.
            kind: one of `layout.KINDS`.
            plaintext: at most 16 MiB.

        Raises:
            RecoveryError: package_too_large, in entries, tracks or bytes of an entry.
            ValueError: the package is closed; no such track, time or kind; or time goes back.
        """
        segment = at_milliseconds // self._segment_milliseconds
        if not self._open:
            raise ValueError("this package was closed or given up")
        if (
            kind not in KINDS
            or not 0 <= track <= schedule.MAX_NUMBER
            or not 0 <= segment <= schedule.MAX_NUMBER
        ):
            raise ValueError("no such track, time or kind")
        last_segment, next_part = self._next.get((track, kind), (segment, 0))
        if segment < last_segment:
            raise ValueError("entries of a track and kind come in the order of time")
        part = next_part if segment == last_segment else 0
        if len(plaintext) > MAX_ENTRY_BYTES or part >= MAX_PARTS:
            raise _too_large()
        if track not in self._track_keys:
            if len(self._track_keys) == MAX_TRACKS:
                raise _too_large()
            self._track_keys[track] = schedule.new_track_key()
            self._tables[track] = bytearray()
        if self._entries == MAX_ENTRIES:
            raise _too_large()
        key = schedule.segment_key(self._track_keys[track], self._context, track, segment)
        entry = Entry(segment, part, kind, self._size, len(plaintext) + TAG_BYTES)
        ciphertext = schedule.seal(key, entry.number, plaintext, b"")
        self._next[track, kind] = (segment, part + 1)
        self._entries += 1
        self._tables[track] += entry.pack()
        self._write(ciphertext)

    def close(self) -> WrittenPackage:
        """Writes tables and directory; the sink stays open.

        Raises:
            ValueError: closed before.
        """
        if not self._open:
            raise ValueError("this package was closed or given up")
        lengths = {}
        wrapped: dict[int, bytes | None] = {}
        for track, track_key in sorted(self._track_keys.items()):
            key = schedule.table_key(track_key, self._context, track)
            sealed = schedule.seal(key, 0, layout.pack_table(bytes(self._tables[track])), b"")
            lengths[track] = len(sealed)
            self._write(sealed)
            wrapped[track] = schedule.wrap_track_key(self._recovery_key, self._context, track, track_key)
        self._write(layout.directory(lengths, self._size))
        self.abort()
        return WrittenPackage(self._digest.digest(), self._size, RecoveryRing(self._context, wrapped))

    def abort(self) -> None:
        """Gives up: what was written has no end, and no reader takes it."""
        self._open = False
        self._track_keys.clear()
        self._tables.clear()
        self._recovery_key = b""

    def _write(self, raw: bytes) -> None:
        # Until the sink has taken it all, this package counts as given up.
        self._open = False
        write_all(self._sink, raw)
        self._digest.update(raw)
        self._size += len(raw)
        self._open = True


def _too_large() -> RecoveryError:
    return RecoveryError("package_too_large", "a recovery package does not hold that much")
