"""The textual header: a version line, recipient stanzas, a MAC (c2sp.org/age, "Header").

Parsing is canonical: what is accepted here encodes back to the very same bytes. Everything is capped
before it is read, because a header is the first thing a stranger sends.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import io
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.age.errors import AgeHeaderError, AgeHeaderMacError

FILE_KEY_BYTES = 16
MAC_BYTES = 32
MAX_HEADER_BYTES = 64 * 1024
MAX_STANZAS = 32
"""A post-quantum stanza takes some 1,600 bytes: 32 of them fit the cap on the whole header."""

_VERSION_LINE = b"age-encryption.org/v1\n"
_BODY_COLUMNS = 64
_ARGUMENTS = re.compile(rb"-> ([!-~]+(?: [!-~]+)*)\n")
_END_LINE = re.compile(rb"--- ([A-Za-z0-9+/]{43})\n")
_BASE64 = re.compile(r"[A-Za-z0-9+/]*")


@dataclass(frozen=True)
class Stanza:
    """The file key, wrapped for one recipient.

    Attributes:
        kind: the first argument, e.g. "X25519".
        arguments: the others.
        body: the wrapped file key.
    """

    kind: str
    arguments: tuple[str, ...]
    body: bytes

    def encode(self) -> bytes:
        """The stanza's lines; the last is always shorter than 64 columns, and may be empty."""
        text = encode_base64(self.body)
        lines = [text[start : start + _BODY_COLUMNS] for start in range(0, len(text) + 1, _BODY_COLUMNS)]
        return "\n".join([" ".join(["->", self.kind, *self.arguments]), *lines, ""]).encode("ascii")


@dataclass(frozen=True)
class Header:
    """A header that follows the grammar. Its MAC is checked only where a file key is at hand.

    Attributes:
        stanzas: one or more, in the file's order.
        mac: 32 bytes.
        raw: the header as read, through the newline of the MAC line.
    """

    stanzas: tuple[Stanza, ...]
    mac: bytes
    raw: bytes

    def check_mac(self, file_key: bytes) -> None:
        """Checks that whoever wrote this header knew the file key, and wrote all of it.

        Raises:
            AgeHeaderMacError: they did not.
        """
        if not hmac.compare_digest(_header_mac(file_key, _encode_stanzas(self.stanzas)), self.mac):
            raise AgeHeaderMacError("the header was changed after it was sealed")


def make_header(file_key: bytes, stanzas: tuple[Stanza, ...]) -> Header:
    """Puts stanzas together with the MAC that the file key makes over them."""
    covered = _encode_stanzas(stanzas)
    mac = _header_mac(file_key, covered)
    return Header(stanzas, mac, covered + _encode_mac(mac))


def parse_header(raw: bytes) -> Header:
    """Parses the bytes of a header and nothing else.

    Raises:
        AgeHeaderError: not a header, or there is more after it.
    """
    if len(raw) > MAX_HEADER_BYTES:
        raise AgeHeaderError("the header is too large")
    header = read_header(io.BytesIO(raw))
    if len(header.raw) != len(raw):
        raise AgeHeaderError("there is data after the header")
    return header


def read_header(stream: BinaryIO) -> Header:
    """Reads a header and leaves the stream just after the MAC line, where the payload begins.

    Args:
        stream: a blocking binary stream; raw or buffered, it need not be seekable.

    Raises:
        AgeHeaderError: no age v1 header, or it breaks the grammar, a cap, or canonical base64.
    """
    if stream.readline(len(_VERSION_LINE)) != _VERSION_LINE:
        raise AgeHeaderError("this is not an age v1 file")
    lines = _Lines(stream)
    stanzas: list[Stanza] = []
    while not (line := lines.take()).startswith(b"---"):
        if len(stanzas) == MAX_STANZAS:
            raise AgeHeaderError(f"the header has more than {MAX_STANZAS} stanzas")
        stanzas.append(_read_stanza(line, lines))
    end = _END_LINE.fullmatch(line)
    if end is None:
        raise AgeHeaderError("the header's MAC line is malformed")
    if not stanzas:
        raise AgeHeaderError("the header has no recipient stanza")
    header = Header(tuple(stanzas), decode_base64(end[1].decode("ascii")), bytes(lines.raw))
    if _encode_stanzas(header.stanzas) + _encode_mac(header.mac) != header.raw:
        # Unreachable as the grammar stands; it keeps a later slip from opening two spellings of one header.
        raise AgeHeaderError("the header is not in its canonical form")
    return header


def encode_base64(decoded: bytes) -> str:
    """RFC 4648 section 4 without padding."""
    return base64.b64encode(decoded).rstrip(b"=").decode("ascii")


def decode_base64(text: str) -> bytes:
    """Decodes canonical base64 without padding.

    Raises:
        AgeHeaderError: another alphabet, padding, a stray character, or spare bits that are not zero.
    """
    if _BASE64.fullmatch(text) is None:
        raise AgeHeaderError("the header has malformed base64")
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        raise AgeHeaderError("the header has malformed base64") from None
    if encode_base64(decoded) != text:
        raise AgeHeaderError("the header has base64 that is not canonical")
    return decoded


class _Lines:
    """Takes the lines after the version line off a stream, keeps them, and stops at the cap."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.raw = bytearray(_VERSION_LINE)

    def take(self) -> bytes:
        room = MAX_HEADER_BYTES - len(self.raw)
        line = self._stream.readline(room) if room else b""
        if not line.endswith(b"\n"):
            raise AgeHeaderError("the header is cut short or too large")
        self.raw += line
        return line


def _read_stanza(first_line: bytes, lines: _Lines) -> Stanza:
    opening = _ARGUMENTS.fullmatch(first_line)
    if opening is None:
        raise AgeHeaderError("the header has a malformed stanza line")
    kind, *arguments = opening[1].decode("ascii").split(" ")
    body = bytearray()
    while True:
        try:
            text = lines.take()[:-1].decode("ascii")
        except UnicodeDecodeError:
            raise AgeHeaderError("the header has malformed base64") from None
        if len(text) > _BODY_COLUMNS:
            raise AgeHeaderError("the header has a stanza line over 64 columns")
        body += decode_base64(text)
        if len(text) < _BODY_COLUMNS:
            return Stanza(kind, tuple(arguments), bytes(body))


def _encode_stanzas(stanzas: tuple[Stanza, ...]) -> bytes:
    return _VERSION_LINE + b"".join(stanza.encode() for stanza in stanzas) + b"---"


def _encode_mac(mac: bytes) -> bytes:
    return f" {encode_base64(mac)}\n".encode("ascii")


def _header_mac(file_key: bytes, covered: bytes) -> bytes:
    key = HKDF(SHA256(), MAC_BYTES, salt=None, info=b"header").derive(file_key)
    return hmac.new(key, covered, sha256).digest()
