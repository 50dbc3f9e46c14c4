"""The two things that are ever taken from EXIF: which side is up, and when it was captured (CIPA DC-008).

A block that cannot be read is no reason to refuse a picture: viewers show it unturned and undated then.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Final

ORIENTATION: Final = 0x0112
CAMERA_DIRECTORY: Final = 0x8769
# Captured, digitized, changed: the first that is there is believed.
TIMES: Final = (0x9003, 0x9004, 0x0132)
SHORT, LONG, ASCII = 3, 4, 2
MAX_ENTRIES: Final = 512
MAX_TEXT: Final = 64
# Orientation to: transpose, then flip rows, then flip columns.
TURNS: Final = {
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
    """Returns how to turn a JPEG, PNG or WebP upright: transpose, then flip rows, then flip columns."""
    try:
        turn = _entries(_block(content)).get(ORIENTATION)
    except (struct.error, IndexError):
        turn = None
    return TURNS.get(turn, TURNS[1]) if isinstance(turn, int) else TURNS[1]


def time_in_exif(content: bytes) -> str:
    """Returns the text that says when a JPEG, PNG or WebP was captured, unchecked; empty where none does."""
    try:
        block = _block(content)
        main = _entries(block)
        camera_at = main.get(CAMERA_DIRECTORY)
        camera = _entries(block, camera_at) if isinstance(camera_at, int) else {}
    except (struct.error, IndexError):
        return ""
    said = {**main, **camera}
    return next((text for tag in TIMES if isinstance(text := said.get(tag), str)), "")


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


def _entries(block: bytes, at: int | None = None) -> Mapping[int, int | str]:
    """Reads what one directory (the main one, where none is named) says in a number or as a time."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(block[:4])
    if order is None:
        return {}
    if at is None:
        (at,) = struct.unpack_from(order + "I", block, 4)
    (entries,) = struct.unpack_from(order + "H", block, at)
    said: dict[int, int | str] = {}
    for entry in range(min(entries, MAX_ENTRIES, (len(block) - at - 2) // 12)):
        place = at + 2 + 12 * entry
        tag, kind, count, long = struct.unpack_from(order + "HHII", block, place)
        if kind == SHORT and count == 1:
            said.setdefault(tag, struct.unpack_from(order + "H", block, place + 8)[0])
        elif kind == LONG and tag == CAMERA_DIRECTORY:
            said.setdefault(tag, long)
        elif kind == ASCII and tag in TIMES and count <= MAX_TEXT:
            said.setdefault(tag, block[long : long + count].rstrip(b"\0").decode("ascii", "replace"))
    return said
