"""When something was captured, to the month: the only time that a policy may keep.

Believed is what the camera itself says, as it says it: its own clock, which is the place's. Where nothing
plausible is said there is no month, and nothing is guessed from the date of a file.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Mapping
from typing import Final

from anonymizer.intake.exif import time_in_exif
from anonymizer.intake.sniff import Format

# A year and a month, as EXIF ("2019:08:17 ..."), XMP and containers ("2019-08-17T...") write them. A clock
# that was never set says 1904, 1970 or 1980; a year far away is a mark and no date.
_MONTH: Final = re.compile(r"(199\d|20\d\d)[:-](0[1-9]|1[0-2])(?!\d)")
# Of the places in which XMP may say it, the ones about capturing.
_IN_XMP: Final = re.compile(
    rb"(?:exif:DateTimeOriginal|photoshop:DateCreated|xmp:CreateDate)\s*(?:=\s*[\"']|>)\s*(\d{4}-\d\d)"
)
# FFmpeg's names, the most local first: Apple's has the place's own clock, creation_time is in UTC.
_IN_CONTAINERS: Final = ("com.apple.quicktime.creationdate", "creation_time", "date")
JPEG_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
PNG_XMP: Final = b"XML:com.adobe.xmp\0"
MAX_XMP_BYTES: Final = 1 << 20
START_OF_SCAN, END = 0xDA, 0xD9


def month_of_still(content: bytes, kind: Format) -> str | None:
    """Returns the month in which a still was captured, such as "2019-08"; None where it does not say."""
    return _month(time_in_exif(content)) or _month(_time_in_xmp(_packet(content, kind)))


def month_of_video(tags: Mapping[str, str]) -> str | None:
    """Returns the month in which a video was captured; None where its container does not say.

    Args:
        tags: what the container says about itself, by FFmpeg's names.
    """
    return next((month for name in _IN_CONTAINERS if (month := _month(tags.get(name, "")))), None)


def _month(text: str) -> str | None:
    said = _MONTH.match(text)
    return f"{said[1]}-{said[2]}" if said else None


def _time_in_xmp(packet: bytes) -> str:
    # Read as text: a parser for XML would bring entities and other people's ideas of depth.
    said = _IN_XMP.search(packet[:MAX_XMP_BYTES])
    return said[1].decode() if said else ""


def _packet(content: bytes, kind: Format) -> bytes:
    """Returns a still's first XMP packet, or nothing."""
    find = {Format.JPEG: _in_jpeg, Format.PNG: _in_png, Format.WEBP: _in_webp}[kind]
    try:
        return find(content)
    except (struct.error, IndexError, zlib.error):
        return b""


def _in_jpeg(content: bytes) -> bytes:
    at = 2
    while content[at] == 0xFF and content[at + 1] not in {START_OF_SCAN, END}:
        (length,) = struct.unpack_from(">H", content, at + 2)
        body = content[at + 4 : at + 2 + length]
        if content[at + 1] == 0xE1 and body.startswith(JPEG_XMP):
            return body[len(JPEG_XMP) :]
        at += 2 + length
    return b""


def _in_png(content: bytes) -> bytes:
    at = 8
    while at + 8 <= len(content):
        (length,) = struct.unpack_from(">I", content, at)
        body = content[at + 8 : at + 8 + length]
        if content[at + 4 : at + 8] == b"iTXt" and body.startswith(PNG_XMP):
            is_deflated, fields = body[len(PNG_XMP)], body[len(PNG_XMP) + 2 :].split(b"\0", 2)
            return zlib.decompressobj().decompress(fields[2], MAX_XMP_BYTES) if is_deflated else fields[2]
        at += 12 + length
    return b""


def _in_webp(content: bytes) -> bytes:
    at = 12
    while at + 8 <= len(content):
        (length,) = struct.unpack_from("<I", content, at + 4)
        if content[at : at + 4] == b"XMP ":
            return content[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    return b""
