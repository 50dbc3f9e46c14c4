"""What a finished JPEG tells besides its picture, segment by segment (ITU-T T.81, annex B)."""

from __future__ import annotations

import re
from typing import Final

from anonymizer.dating import packet_of
from anonymizer.errors import AnonymizerError
from anonymizer.intake.captured import JPEG_XMP

_START: Final = b"\xff\xd8"
_SCAN, _END, _XMP = 0xDA, 0xD9, 0xE1
# The first marker in coded data: not a stuffed zero, not a restart, not a fill byte.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
# Of other segments, what they may be.
_PLAIN: Final = {
    0xE0: re.compile(rb"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),  # no unit, no thumbnail
    0xC0: re.compile(rb"\x08.{4}(?:\x01.{3}|\x03.{9})", re.DOTALL),
    0xC2: re.compile(rb"\x08.{4}(?:\x01.{3}|\x03.{9})", re.DOTALL),
    0xDD: re.compile(rb"..", re.DOTALL),
    0xDB: re.compile(rb"(?:[\0-\x03].{64}){1,4}", re.DOTALL),
}
_HUFFMAN, _HUFFMAN_LENGTHS = 0xC4, 17


def told_by_jpeg(untrusted: bytes, month: str | None) -> int:
    """Counts segments that are not needed for the picture, and what follows the end.

    Raises:
        AnonymizerError: result_unreadable.
    """
    if not untrusted.startswith(_START):
        raise AnonymizerError("result_unreadable")
    may_say = None if month is None else JPEG_XMP + packet_of(month)
    told, at = 0, len(_START)
    while True:
        head = untrusted[at : at + 4]
        if head[:2] == b"\xff" + bytes([_END]):
            return told + (at + 2 < len(untrusted))
        length = int.from_bytes(head[2:], "big")
        if len(head) < 4 or head[0] != 0xFF or length < 2 or at + 2 + length > len(untrusted):
            raise AnonymizerError("result_unreadable")
        body = untrusted[at + 4 : at + 2 + length]
        at += 2 + length
        if head[1] == _SCAN:
            found = _MARKER.search(untrusted, at)
            if found is None:
                raise AnonymizerError("result_unreadable")
            told, at = told + (found.start() > at and untrusted[found.start() - 1] == 0xFF), found.start()
        elif head[1] == _XMP and body == may_say:
            may_say = None
        elif not _is_plain(head[1], body):
            told += 1


def _is_plain(marker: int, body: bytes) -> bool:
    if marker == _HUFFMAN:
        return _is_huffman(body)
    return marker in _PLAIN and _PLAIN[marker].fullmatch(body) is not None


def _is_huffman(body: bytes) -> bool:
    """Tables, and not a byte after them: sixteen counts each, then so many values."""
    at = 0
    while at < len(body):
        at += _HUFFMAN_LENGTHS + sum(body[at + 1 : at + _HUFFMAN_LENGTHS])
    return at == len(body)
