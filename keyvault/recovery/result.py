"""The coded result inside a package, as a file: whatever is uncovered is restored into it.

It is kept whole, in pieces, in the first segment of a track of its own: a video decodes from its beginning
and not from any second. There is nobody in it who is not covered.
"""

from __future__ import annotations

import io
import os
from typing import TYPE_CHECKING, Final

from keyvault.age.streams import moved_position
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.reader import PackageReader, Scope
from keyvault.recovery.schedule import TAG_BYTES
from keyvault.recovery.writer import PackageWriter

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PIECE_BYTES: Final = 1 << 20
"""Of all pieces but the last."""
WHOLE: Final = ((0, 1),)
"""The stretch that holds it all, for `PackageReader.narrow`."""
KIND: Final = "result"


def add_result(writer: PackageWriter, result: io.RawIOBase) -> None:
    """Puts a result into a package, from its beginning.

    Raises:
        RecoveryError: package_too_large.
        Exception: whatever the two streams raise.
    """
    result.seek(0)
    # Of raw streams one read may be short; only none at all is the end.
    held = b""
    while part := result.read(PIECE_BYTES):
        held += part
        while len(held) >= PIECE_BYTES:
            writer.add(RESULT_TRACK, 0, KIND, held[:PIECE_BYTES])
            held = held[PIECE_BYTES:]
    writer.add(RESULT_TRACK, 0, KIND, held)


class ResultFile(io.RawIOBase):
    """The result, readable and seekable; a piece is opened when it is read, and forgotten for the next one.

    Args:
        reader: of the package.
        scope: `reader.narrow(RESULT_TRACK, key, WHOLE)`.

    Raises:
        RecoveryError: package_malformed.
    """

    def __init__(self, reader: PackageReader, scope: Scope) -> None:
        super().__init__()
        self._reader = reader
        self._scope = scope
        self._entries = scope.entries
        lengths = [entry.length - TAG_BYTES for entry in self._entries]
        if (
            not lengths
            or scope.track != RESULT_TRACK
            or any(entry.kind != KIND for entry in self._entries)
            or any(length != PIECE_BYTES for length in lengths[:-1])
            or lengths[-1] >= PIECE_BYTES
        ):
            raise RecoveryError("package_malformed", "the result in the package is not in its one form")
        self._size = sum(lengths)
        self._position = 0
        self._piece = (-1, b"")

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next read begins."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Moves to a place in the file.

        Raises:
            ValueError: before its beginning, or an unknown whence.
        """
        self._position = moved_position(self._position, self._size, offset, whence)
        return self._position

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer as far as the piece goes that it begins in.

        Raises:
            RecoveryError: package_entry_damaged.
        """
        if self._position >= self._size:
            return 0
        number, start = divmod(self._position, PIECE_BYTES)
        if self._piece[0] != number:
            self._piece = number, self._reader.open_one(self._scope, self._entries[number])
        target = memoryview(buffer).cast("B")
        part = memoryview(self._piece[1])[start : start + len(target)]
        target[: len(part)] = part
        self._position += len(part)
        return len(part)
