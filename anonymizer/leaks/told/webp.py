"""What a finished WebP tells besides its picture, chunk by chunk (RFC 9649)."""

from __future__ import annotations

import struct
from typing import Final

from anonymizer.dating import packet_of
from anonymizer.errors import AnonymizerError

_HEADER_BYTES: Final = 12
_CHUNK_HEADER_BYTES: Final = 8
_EXTENDED, _TRANSPARENCY, _XMP = b"VP8X", b"ALPH", b"XMP "
_PICTURES: Final = frozenset({b"VP8 ", b"VP8L"})
_EXTENDED_BYTES: Final = 10
# Transparency and XMP; of the rest some announce what counts by itself, and some mean nothing.
_FLAGS: Final = 0x14


def told_by_webp(untrusted: bytes, month: str | None) -> int:
    """Counts chunks that are not needed for the picture, and what follows the end.

    Raises:
        AnonymizerError: result_unreadable.
    """
    size = int.from_bytes(untrusted[4:8], "little")
    ends = _CHUNK_HEADER_BYTES + size
    whole = untrusted.startswith(b"RIFF") and untrusted[8:12] == b"WEBP" and ends >= _HEADER_BYTES
    if not whole or ends > len(untrusted):
        raise AnonymizerError("result_unreadable")
    may_say = None if month is None else packet_of(month)
    told, at = int(ends < len(untrusted)), _HEADER_BYTES
    seen: set[bytes] = set()
    while at < ends:
        if at + _CHUNK_HEADER_BYTES > ends:
            raise AnonymizerError("result_unreadable")
        kind, length = struct.unpack_from("<4sI", untrusted, at)
        begins = at + _CHUNK_HEADER_BYTES
        at = begins + length + length % 2
        if at > ends:
            raise AnonymizerError("result_unreadable")
        body, filled = untrusted[begins : begins + length], untrusted[begins + length : at]
        told += any(filled)
        if kind == _XMP and body == may_say:
            may_say = None
        elif kind in seen or not _is_plain(kind, body):
            told += 1
        seen |= _PICTURES if kind in _PICTURES else {kind}
    return told


def _is_plain(kind: bytes, body: bytes) -> bool:
    if kind == _EXTENDED:
        flags = int.from_bytes(body[:4], "little")
        return len(body) == _EXTENDED_BYTES and not flags & ~_FLAGS
    return kind in _PICTURES or kind == _TRANSPARENCY
