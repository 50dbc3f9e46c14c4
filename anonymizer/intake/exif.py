"""The one thing taken from EXIF: which side is up (CIPA DC-008, tag 0x0112)."""

from __future__ import annotations

import struct

ORIENTATION = 0x0112
MAX_ENTRIES = 512
# Orientation to: transpose, then flip rows, then flip columns.
TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def orientation_of(content: bytes) -> tuple[bool, bool, bool]:
    """Returns how to turn a JPEG, PNG or WebP upright: transpose, then flip rows, then flip columns.

    A block that cannot be read is no reason to refuse a picture: viewers show it unturned then, and so it is.
    """
    try:
        return TURNS.get(_read(_block(content)), TURNS[1])
    except (struct.error, IndexError):
        return TURNS[1]


def _block(content: bytes) -> bytes:
    """Returns the TIFF block of the first EXIF segment or chunk, or nothing."""
    if content.startswith(b"\xff\xd8"):
        at = 2
        while content[at] == 0xFF and content[at + 1] not in {0xDA, 0xD9}:
            (length,) = struct.unpack_from(">H", content, at + 2)
            body = content[at + 4 : at + 2 + length]
            if content[at + 1] == 0xE1 and body.startswith(b"Exif\0\0"):
                return body[6:]
            at += 2 + length
    elif content.startswith(b"\x89PNG"):
        at = 8
        while at + 8 <= len(content):
            (length,) = struct.unpack_from(">I", content, at)
            if content[at + 4 : at + 8] == b"eXIf":
                return content[at + 8 : at + 8 + length]
            at += 12 + length
    elif content.startswith(b"RIFF"):
        at = 12
        while at + 8 <= len(content):
            (length,) = struct.unpack_from("<I", content, at + 4)
            if content[at : at + 4] == b"EXIF":
                return content[at + 8 : at + 8 + length].removeprefix(b"Exif\0\0")
            at += 8 + length + length % 2
    return b""


def _read(block: bytes) -> int:
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return 1
    (at,) = struct.unpack_from(order + "I", block, 4)
    (entries,) = struct.unpack_from(order + "H", block, at)
    for entry in range(min(entries, MAX_ENTRIES)):
        tag, kind, count, value = struct.unpack_from(order + "HHIH", block, at + 2 + 12 * entry)
        if tag == ORIENTATION and kind == 3 and count == 1:
            return int(value)
    return 1
