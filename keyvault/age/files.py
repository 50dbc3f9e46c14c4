"""Whole files: seal to recipients, open with identities, in constant memory."""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from types import TracebackType
from typing import BinaryIO

from keyvault.age.armor import ArmorReader, ArmorWriter
from keyvault.age.chunks import CHUNK_BYTES, ChunkCipher, new_payload_nonce
from keyvault.age.header import FILE_KEY_BYTES, read_header
from keyvault.age.keys import Identity, Recipient, unwrap_file_key, wrap_file_key
from keyvault.age.reading import open_chunks
from keyvault.age.streams import Bytes, ByteSink, PutBack, read_some, write_all

_MAX_LEADING_SPACE_BYTES = 1024


class SealWriter:
    """Seals what is written to it, chunk by chunk, to a sink that need not be seekable.

    As a context manager it writes the final chunk only when the block ends well. Whatever was written
    before an exception, or without a call to close, is a truncated file that no age reader accepts.

    It is no io class on purpose: the collector closes those, and a close is a signature under "whole".
    """

    def __init__(self, sink: ByteSink, recipients: Sequence[Recipient], armor: bool = False) -> None:
        """Writes the header.

        Raises:
            AgeRecipientError: none, too many, or recipients that must not share a file.
        """
        file_key = os.urandom(FILE_KEY_BYTES)
        header = wrap_file_key(file_key, recipients)
        payload_nonce = new_payload_nonce()
        self._cipher = ChunkCipher(file_key, payload_nonce)
        self._armor = ArmorWriter(sink) if armor else None
        self._sink: ByteSink = self._armor if self._armor is not None else sink
        self._index = 0
        self._pending = bytearray()
        self._open = True
        self._write_out(header.raw + payload_nonce)

    def write(self, data: Bytes, /) -> int:
        """Seals every chunk that these bytes complete, as long as more follow it.

        Returns:
            How many bytes were taken, always all of them.
        """
        self._check_open()
        view = memoryview(data).cast("B")
        size = len(view)
        if self._pending and size:
            room = CHUNK_BYTES - len(self._pending)
            self._pending += view[:room]
            view = view[room:]
            if view:
                self._seal(self._pending, final=False)
                self._pending = bytearray()
        # A full chunk waits until a byte follows it, because only then is it known not to be the last.
        while len(view) > CHUNK_BYTES:
            self._seal(view[:CHUNK_BYTES], final=False)
            view = view[CHUNK_BYTES:]
        self._pending += view
        return size

    def close(self) -> None:
        """Writes the final chunk; the sink stays open. A second call does nothing."""
        if self._open:
            self._seal(self._pending, final=True)
            if self._armor is not None:
                self._open = False
                self._armor.close()
            self.abort()

    def abort(self) -> None:
        """Gives up: the file stays without its final chunk, and nothing more can be written."""
        self._open = False
        self._pending = bytearray()

    def __enter__(self) -> SealWriter:
        """Nothing happens here."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes after a block that ended well, aborts after one that did not."""
        if kind is None:
            self.close()
        else:
            self.abort()

    def _check_open(self) -> None:
        if not self._open:
            raise ValueError("this sealed file was closed or given up")

    def _seal(self, plaintext: Bytes, *, final: bool) -> None:
        sealed = self._cipher.seal(self._index, plaintext, final=final)
        self._index += 1
        self._write_out(sealed)

    def _write_out(self, sealed: bytes) -> None:
        # Until the sink has taken it all, this file counts as given up: a close after a failed write must
        # not put a valid end to a file with a hole.
        self._open = False
        write_all(self._sink, sealed)
        self._open = True


def seal(source: BinaryIO, sink: ByteSink, recipients: Sequence[Recipient], armor: bool = False) -> None:
    """Seals everything that the source holds.

    Raises:
        AgeRecipientError: none, too many, or recipients that must not share a file.
    """
    with SealWriter(sink, recipients, armor) as writer:
        while plaintext := read_some(source, CHUNK_BYTES):
            writer.write(plaintext)


def open_sealed(source: BinaryIO, sink: ByteSink, identities: Sequence[Identity]) -> None:
    """Opens a sealed file, armored or binary, and writes its plaintext chunk by authenticated chunk.

    The plaintext is whole only when this function returns: until then keep it under a temporary name.

    Raises:
        AgeError: not an age file, not for these identities, damaged, or cut short.
    """
    stream = without_armor(source)
    file_key = unwrap_file_key(read_header(stream), identities)
    for plaintext in open_chunks(stream, file_key):
        write_all(sink, plaintext)


def without_armor(source: BinaryIO) -> BinaryIO:
    """The binary age file in a source that may be armored; it reads ahead in the source.

    No binary file begins with a dash or a space, and no armored one with anything else.
    """
    front = read_some(source, 1)
    while front.isspace() and len(front) < _MAX_LEADING_SPACE_BYTES and (byte := read_some(source, 1)):
        front += byte
    whole = PutBack(front, source)
    raw = ArmorReader(io.BufferedReader(whole)) if front.endswith(b"-") else whole
    return io.BufferedReader(raw)
