"""ASCII armor: strict PEM (RFC 7468, figure 3) with the label AGE ENCRYPTED FILE.

Only three things are lenient, as c2sp.org/age allows: whitespace around the block, CRLF for LF, and a
missing newline at the very end.
"""

from __future__ import annotations

import base64
import binascii
import io
from typing import TYPE_CHECKING, BinaryIO, Final

from keyvault.age.errors import AgeArmorError
from keyvault.age.streams import Bytes, ByteSink, PutBack, write_all

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

BEGIN: Final = b"-----BEGIN AGE ENCRYPTED FILE-----"
END: Final = b"-----END AGE ENCRYPTED FILE-----"
MAX_WHITESPACE_BYTES: Final = 1024

_COLUMNS = 64
_LINE_BYTES = 48
_WHITESPACE = b" \t\r\n\v\f"


class ArmorWriter:
    """Armors what is written to it. Not an io class: the collector must never close it into a valid end."""

    def __init__(self, sink: ByteSink) -> None:
        self._sink = sink
        self._pending = bytearray()
        write_all(sink, BEGIN + b"\n")

    def write(self, data: Bytes, /) -> int:
        """Takes every byte; what fills whole lines goes out now."""
        self._pending += data
        whole = len(self._pending) - len(self._pending) % _LINE_BYTES
        self._flush(whole)
        return len(data)

    def close(self) -> None:
        """Writes the last line and the END line; the sink stays open."""
        self._flush(len(self._pending))
        write_all(self._sink, END + b"\n")

    def _flush(self, size: int) -> None:
        text = base64.b64encode(self._pending[:size])
        del self._pending[:size]
        lines = [text[start : start + _COLUMNS] + b"\n" for start in range(0, len(text), _COLUMNS)]
        if lines:
            write_all(self._sink, b"".join(lines))


class ArmorReader(io.RawIOBase):
    """The bytes inside an armor, as a readable, non-seekable stream. It reads ahead in its source."""

    def __init__(self, source: BinaryIO) -> None:
        super().__init__()
        self._lines = io.BufferedReader(PutBack(b"", source))
        self._unread = memoryview(b"")
        self._began = False
        self._ended = False
        self._defect: AgeArmorError | None = None

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fills a buffer from the next line; 0 means that the END line was seen and nothing follows it.

        Raises:
            AgeArmorError: the armor breaks the rules; every later read says so again.
        """
        if self.closed:
            raise ValueError("read of a closed armor")
        target = memoryview(buffer).cast("B")
        if not self._unread:
            self._unread = memoryview(self._next_line())
        taken = min(len(target), len(self._unread))
        target[:taken] = self._unread[:taken]
        self._unread = self._unread[taken:]
        return taken

    def _next_line(self) -> bytes:
        if self._defect is not None:
            raise self._defect
        if self._ended:
            return b""
        try:
            if not self._began:
                self._read_begin()
            return self._read_body_line()
        except AgeArmorError as defect:
            self._defect = defect
            raise

    def _read_begin(self) -> None:
        room = MAX_WHITESPACE_BYTES
        while not (line := self._take_line(MAX_WHITESPACE_BYTES)).strip(_WHITESPACE):
            room -= len(line) + 1
            if room < 0:
                raise AgeArmorError("there is too much space before the armor")
        if line != BEGIN:
            raise AgeArmorError("the armor does not begin with its BEGIN line")
        self._began = True

    def _read_body_line(self) -> bytes:
        line = self._take_line(_COLUMNS)
        if line == END:
            self._read_end()
            return b""
        decoded = _decode_line(line)
        if len(decoded) < _LINE_BYTES:
            if self._take_line(_COLUMNS) != END:
                raise AgeArmorError("a short line of the armor is not its last")
            self._read_end()
        return decoded

    def _read_end(self) -> None:
        rest = self._lines.read(MAX_WHITESPACE_BYTES + 1)
        if rest.strip(_WHITESPACE) or len(rest) > MAX_WHITESPACE_BYTES:
            raise AgeArmorError("there is data after the armor")
        self._ended = True

    def _take_line(self, max_columns: int) -> bytes:
        line = self._lines.readline(max_columns + len(b"\r\n"))
        if not line:
            raise AgeArmorError("the armor is cut short")
        bare = line.removesuffix(b"\n").removesuffix(b"\r")
        if len(bare) > max_columns:
            raise AgeArmorError("a line of the armor is too long")
        return bare


def _decode_line(line: bytes) -> bytes:
    try:
        decoded = base64.b64decode(line, validate=True)
    except binascii.Error:
        raise AgeArmorError("a line of the armor is not base64") from None
    if not decoded or base64.b64encode(decoded) != line:
        raise AgeArmorError("a line of the armor is not canonical base64")
    return decoded
