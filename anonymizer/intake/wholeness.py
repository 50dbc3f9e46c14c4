"""Files that end too early. A decoder would give what is there and say nothing; a witness must know.

MP4 and MOV are walked box by box (ISO/IEC 14496-12), Matroska by its segment's size (RFC 9559), AVI, WebP and
WAV by their RIFF size, Ogg page by page (ogg.py), JPEG to its end marker (ITU-T T.81), PNG chunk by chunk to
IEND. FLAC says how many samples it has, which is checked when they are decoded (sound/reading.py). MP3 and
raw AAC say nothing of their end: of them a clean cut goes unnoticed.
"""

from __future__ import annotations

import re
from typing import BinaryIO

from anonymizer.errors import AnonymizerError
from anonymizer.intake.gif import check_gif
from anonymizer.intake.ogg import check_ogg
from anonymizer.intake.sniff import Format
from anonymizer.settings import Limits

MAX_TOP_LEVEL_BOXES = 1_000_000
MATROSKA_SEGMENT = b"\x18\x53\x80\x67"
# A marker in a JPEG's entropy-coded part: not a stuffed zero, not a restart, not a fill byte.
JPEG_MARKER = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
JPEG_START_OF_SCAN, JPEG_END = 0xDA, 0xD9
# Small: each marker in a scan costs one such read, and a hostile file is all markers.
READ_BYTES = 4 << 10


def check_whole(source: BinaryIO, kind: Format, limits: Limits) -> None:
    """Checks that the file goes on to where it says it ends, and leaves the stream at its start.

    Raises:
        AnonymizerError: media_truncated; for a GIF or an Ogg, what check_gif and check_ogg raise.
    """
    size = source.seek(0, 2)
    source.seek(0)
    if kind is Format.MP4:
        _check_boxes(source, size)
    elif kind is Format.MATROSKA:
        _check_matroska(source, size)
    elif kind in {Format.AVI, Format.WEBP, Format.WAV}:
        _check_riff(source, size)
    elif kind is Format.OGG:
        check_ogg(source)
    elif kind is Format.GIF:
        check_gif(source, limits)
    elif kind is Format.JPEG:
        _check_jpeg(source)
    elif kind is Format.PNG:
        _check_png(source, size)
    source.seek(0)


def _check_boxes(source: BinaryIO, size: int) -> None:
    at, has_index = 0, False
    for _ in range(MAX_TOP_LEVEL_BOXES):
        if at == size:
            break
        source.seek(at)
        head = source.read(16)
        length, name = int.from_bytes(head[:4], "big"), head[4:8]
        if length == 1:
            length = int.from_bytes(head[8:16], "big")
        elif length == 0:
            length = size - at
        if at and not name.isascii():
            break  # padding after the last box, which players ignore too
        if length < 8 or at + length > size:
            raise AnonymizerError("media_truncated")
        has_index |= name == b"moov"
        at += length
    if not has_index:
        raise AnonymizerError("media_truncated")


def _check_matroska(source: BinaryIO, size: int) -> None:
    head = source.read(4096)
    at = head.find(MATROSKA_SEGMENT)
    if at < 0:
        raise AnonymizerError("media_truncated" if size < len(head) else "media_corrupt")
    at += len(MATROSKA_SEGMENT)
    first = head[at] if at < len(head) else 0
    width = 9 - first.bit_length()
    if not first or at + width > len(head):
        raise AnonymizerError("media_truncated")
    length = int.from_bytes(head[at : at + width], "big") & ((1 << 7 * width) - 1)
    unknown = (1 << 7 * width) - 1
    if length != unknown and at + width + length > size:
        raise AnonymizerError("media_truncated")


def _check_riff(source: BinaryIO, size: int) -> None:
    length = int.from_bytes(source.read(8)[4:8], "little")
    # Streamed AVI files hold 0 here, or a size that was never filled in.
    if length not in {0, 0xFFFFFFFF} and 8 + length > size:
        raise AnonymizerError("media_truncated")


def _check_jpeg(source: BinaryIO) -> None:
    at, in_scan = 2, False
    while True:
        if in_scan:
            marker, at = _next_marker(source, at)
        else:
            source.seek(at)
            head = source.read(2)
            if len(head) < 2 or head[0] != 0xFF:
                raise AnonymizerError("media_truncated" if len(head) < 2 else "media_corrupt")
            marker, at = head[1], at + (1 if head[1] == 0xFF else 2)
            if marker == 0xFF:
                continue
        if marker == JPEG_END:
            return
        source.seek(at)
        length = source.read(2)
        if len(length) < 2:
            raise AnonymizerError("media_truncated")
        at += int.from_bytes(length, "big")
        in_scan = marker == JPEG_START_OF_SCAN


def _next_marker(source: BinaryIO, at: int) -> tuple[int, int]:
    while True:
        source.seek(at)
        part = source.read(READ_BYTES)
        if found := JPEG_MARKER.search(part):
            return found.group(1)[0], at + found.end()
        if len(part) < READ_BYTES:
            raise AnonymizerError("media_truncated")
        at += len(part) - 1  # a marker may straddle two parts


def _check_png(source: BinaryIO, size: int) -> None:
    at = 8
    while True:
        source.seek(at)
        head = source.read(8)
        if len(head) < 8:
            raise AnonymizerError("media_truncated")
        at += 12 + int.from_bytes(head[:4], "big")
        if at > size:
            raise AnonymizerError("media_truncated")
        if head[4:] == b"IEND":
            return
