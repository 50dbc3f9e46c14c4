"""A still's size, and whether it is animated or lossless, before any decoder sees it.

JPEG: ITU-T T.81. PNG: W3C PNG third edition. WebP: RFC 9649.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

from anonymizer.errors import AnonymizerError
from anonymizer.intake.sniff import Format
from anonymizer.settings import Limits

# Start-of-frame markers of a JPEG, which hold the size; C4, C8 and CC are something else.
JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
WEBP_ANIMATED = 0x02
VP8L_SIGNATURE, VP8_START_CODE = 0x2F, b"\x9d\x01\x2a"


@dataclass(frozen=True)
class StillHeader:
    """What a still says about itself. Sizes are in pixels, as stored."""

    width: int
    height: int
    lossless: bool


def still_header(content: bytes, kind: Format, limits: Limits) -> StillHeader:
    """Reads the header and checks it against the limits.

    Raises:
        AnonymizerError: media_corrupt, media_too_large, or media_unsupported for an animation.
    """
    read = {Format.JPEG: _jpeg, Format.PNG: _png, Format.WEBP: _webp}[kind]
    try:
        header = read(content)
    except (struct.error, IndexError):
        raise AnonymizerError("media_corrupt") from None
    if header.width == 0 or header.height == 0:
        raise AnonymizerError("media_corrupt")
    if header.width * header.height > limits.max_frame_pixels:
        raise AnonymizerError("media_too_large")
    return header


def _jpeg(content: bytes) -> StillHeader:
    at = 2
    while content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in JPEG_FRAMES:
            height, width = struct.unpack_from(">HH", content, at + 5)
            return StillHeader(width, height, lossless=False)
        (length,) = struct.unpack_from(">H", content, at + 2)
        at += 2 + length
    raise AnonymizerError("media_corrupt")


def _png(content: bytes) -> StillHeader:
    name, width, height = struct.unpack_from(">4sII", content, 12)
    if name != b"IHDR":
        raise AnonymizerError("media_corrupt")
    at = 8
    while at + 8 <= len(content):
        length, chunk = struct.unpack_from(">I4s", content, at)
        if chunk == b"acTL":
            raise AnonymizerError("media_unsupported", "Animated PNG is not taken.")
        if chunk == b"IDAT":
            break
        at += 12 + length
    return StillHeader(width, height, lossless=True)


def _webp(content: bytes) -> StillHeader:
    at, size, lossless = 12, (0, 0), False
    while at + 8 <= len(content):
        name, length = struct.unpack_from("<4sI", content, at)
        body = content[at + 8 : at + 8 + min(length, 16)]
        if name in {b"ANIM", b"ANMF"} or (name == b"VP8X" and body[0] & WEBP_ANIMATED):
            raise AnonymizerError("media_unsupported", "Animated WebP is not taken.")
        if name == b"VP8X":
            size = (int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1)
        elif name == b"VP8L" and body[0] == VP8L_SIGNATURE:
            (bits,) = struct.unpack_from("<I", body, 1)
            size, lossless = ((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1), True
        elif name == b"VP8 " and body[3:6] == VP8_START_CODE:
            across, down = struct.unpack_from("<HH", body, 6)
            size = (across & 0x3FFF, down & 0x3FFF)
        at += 8 + length + length % 2
    return StillHeader(size[0], size[1], lossless)
