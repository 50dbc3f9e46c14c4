"""What a finished PNG tells besides its picture, chunk by chunk (W3C PNG, third edition)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from typing import Final

from anonymizer.dating import packet_of
from anonymizer.errors import AnonymizerError
from anonymizer.intake.captured import PNG_XMP

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
# Eight bits, by colour type: grey, colours, colours with transparency.
_CHANNELS: Final = {0: 1, 2: 3, 4: 2, 6: 4}
_AT_ONCE: Final = 1 << 20


def told_by_png(untrusted: bytes, month: str | None) -> int:
    """Counts chunks that are not needed for the picture, what follows it where it is packed, and the end.

    Raises:
        AnonymizerError: result_unreadable.
    """
    if not untrusted.startswith(_SIGNATURE):
        raise AnonymizerError("result_unreadable")
    may_say = None if month is None else PNG_XMP + bytes(4) + packet_of(month)
    told, at, parts = 0, len(_SIGNATURE), []
    header: bytes | None = None
    while True:
        length, kind = _head(untrusted[at : at + 8])
        body = untrusted[at + 8 : at + 8 + length]
        check = untrusted[at + 8 + length : at + 12 + length]
        if check != struct.pack(">I", zlib.crc32(kind + body)):
            raise AnonymizerError("result_unreadable")
        at += 12 + length
        if kind == b"IEND":
            break
        if kind == b"IHDR" and header is None:
            header = body
        elif kind == b"IDAT":
            parts.append(body)
        elif kind == b"iTXt" and body == may_say:
            may_say = None
        else:
            told += 1
    told += bool(length) + (at < len(untrusted))
    return told + _behind_picture(header or b"", parts)


def _head(untrusted: bytes) -> tuple[int, bytes]:
    if len(untrusted) < 8:
        raise AnonymizerError("result_unreadable")
    length, kind = struct.unpack(">I4s", untrusted)
    return length, kind


def _behind_picture(header: bytes, parts: Sequence[bytes]) -> int:
    """Counts what is packed behind the last row, and what stands behind all that is packed.

    Raises:
        AnonymizerError: result_unreadable.
    """
    if len(header) != 13:
        raise AnonymizerError("result_unreadable")
    width, height, depth, colour, packing, filtering, interlace = struct.unpack(">IIBBBBB", header)
    if depth != 8 or colour not in _CHANNELS or packing or filtering or interlace:
        raise AnonymizerError("result_unreadable")
    left, behind = height * (1 + width * _CHANNELS[colour]), False
    packed = zlib.decompressobj()
    for part in parts:
        behind |= packed.eof and bool(part)
        waiting = part
        while not packed.eof and left >= 0:
            try:
                rows = packed.decompress(waiting, _AT_ONCE)
            except zlib.error:
                raise AnonymizerError("result_unreadable") from None
            left, waiting = left - len(rows), packed.unconsumed_tail
            if not waiting and len(rows) < _AT_ONCE:
                break
    if left > 0 or not (packed.eof or left < 0):
        raise AnonymizerError("result_unreadable")
    return int(left < 0) + int(behind or bool(packed.unused_data))
