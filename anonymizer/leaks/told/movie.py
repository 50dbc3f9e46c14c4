"""The index of an MP4: what each of its boxes may say (ISO/IEC 14496-12; AVC and AAC: 14496-15 and -14).

Times of creation are zero, languages undetermined, handlers have the muxer's neutral names, pictures lie
upright; there is one track of pictures and one of sound. What is not as our own muxer writes it, counts: one
for each box, without looking into one that should not be there.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from anonymizer.leaks.told.boxes import HEADER_BYTES, Box, boxes_in

PICTURES, SOUND = b"vide", b"soun"

_UPRIGHT: Final = re.escape(struct.pack(">9I", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30))
# An hour and a half counts more ticks than 32 bits hold: then times are twice as long (version 1).
_FIXED: Final[Mapping[bytes, re.Pattern[bytes]]] = {
    kind: re.compile(pattern, re.DOTALL)
    for kind, pattern in {
        b"mvhd": rb"(?:\0{12}.{8}|\x01\0{19}.{12})\0\x01\0\0\x01\0\0{10}" + _UPRIGHT + rb"\0{24}.{4}",
        b"tkhd": rb"(?:\0\0\0\x03\0{8}.{4}\0{4}.{4}|\x01\0\0\x03\0{16}.{4}\0{4}.{8})\0{8}"
        rb"\0\0\0[\0\x01](?:\0\0|\x01\0)\0\0" + _UPRIGHT + rb".{8}",
        b"mdhd": rb"(?:\0{12}.{8}|\x01\0{19}.{12})\x55\xc4\0\0",
        b"vmhd": rb"\0\0\0\x01\0{8}",
        b"smhd": rb"\0{8}",
        b"dinf": rb"\0\0\0\x1cdref\0{7}\x01\0\0\0\x0curl \0\0\0\x01",
        b"pasp": rb".{8}",
        b"btrt": rb".{12}",
        b"colr": rb"nclx.{6}[\0\x80]",
        b"sgpd": rb"\x01\0\0\0roll\0\0\0\x02\0\0\0\x01\xff\xff",
        b"sbgp": rb"\0{4}roll\0\0\0\x01.{4}\0\0\0\x01",
        # One elementary stream of MPEG-4 audio: rates, and five bytes that say how it is coded.
        b"esds": rb"\0{4}\x03\x80\x80\x80\x25\0.\0\x04\x80\x80\x80\x17\x40\x15\0{3}.{8}"
        rb"\x05\x80\x80\x80\x05.{5}\x06\x80\x80\x80\x01\x02",
    }.items()
}
_HANDLERS: Final = {
    PICTURES: bytes(8) + b"vide" + bytes(12) + b"VideoHandler\0",
    SOUND: bytes(8) + b"soun" + bytes(12) + b"SoundHandler\0",
}
# Tables: what stands before their entries, and how long one is.
_TABLES: Final[Mapping[bytes, tuple[int, int]]] = {
    b"stts": (8, 8),
    b"ctts": (8, 8),
    b"stss": (8, 4),
    b"stsc": (8, 12),
    b"stsz": (12, 4),
    b"stco": (8, 4),
    b"co64": (8, 8),
}
_EDITS: Final = {0: 12, 1: 20}
# Sizes and 72 dots an inch, a depth of 24 bits, and no compressor's name.
_VISUAL: Final = re.compile(
    rb"\0{6}\0\x01\0{16}.{4}\0\x48\0\0\0\x48\0\0\0{4}\0\x01\0{32}\0\x18\xff\xff", re.DOTALL
)
_AUDIBLE: Final = re.compile(rb"\0{6}\0\x01\0{8}\0[\x01-\x06]\0\x10\0{4}.{4}", re.DOTALL)
_VISUAL_BYTES, _AUDIBLE_BYTES = 78, 28
_ENTRIES_BEGIN: Final = 8
# Baseline, main, extended: the profiles that say no more of their colours.
_SIMPLE_PROFILES: Final = frozenset({66, 77, 88})


@dataclass(frozen=True)
class Track:
    """One track that should be there.

    Attributes:
        kind: PICTURES or SOUND.
        tables: where its samples lie, by the name of the box.
    """

    kind: bytes
    tables: Mapping[bytes, bytes]


class Movie:
    """Reads an index once.

    Attributes:
        told: how many things in it tell more than they should.
        tracks: those that should be there.
    """

    def __init__(self, untrusted_index: bytes, *, may_hold: frozenset[bytes], month: str | None) -> None:
        """Reads it.

        Args:
            untrusted_index: what is in the movie box.
            may_hold: of PICTURES and SOUND, once each.
            month: that it may say.

        Raises:
            AnonymizerError: result_unreadable.
        """
        self.told = 0
        self.tracks: list[Track] = []
        self._may_hold = set(may_hold)
        user_data = (_user_data(None), *((_user_data(month),) if month is not None else ()))
        self._each(
            untrusted_index,
            {
                b"mvhd": _is_fixed,
                b"trak": self._is_track,
                b"udta": lambda box: box.body in user_data,
            },
            may_repeat=frozenset({b"trak"}),
        )

    def _each(
        self,
        untrusted_body: bytes,
        known: Mapping[bytes, Callable[[Box], bool]],
        may_repeat: frozenset[bytes] = frozenset(),
    ) -> None:
        """Counts boxes that nobody knows, that come twice, or that say more than they should."""
        seen = set()
        for box in boxes_in(untrusted_body):
            is_plain = known.get(box.kind)
            if is_plain is None or (box.kind in seen and box.kind not in may_repeat) or not is_plain(box):
                self.told += 1
            seen.add(box.kind)

    def _is_track(self, track: Box) -> bool:
        kind = _kind_of(track)
        if kind not in self._may_hold:
            return False
        self._may_hold.remove(kind)
        tables: dict[bytes, bytes] = {}

        def is_table(box: Box) -> bool:
            tables[box.kind] = box.body
            return _is_table(box)

        def inside(known: Mapping[bytes, Callable[[Box], bool]]) -> Callable[[Box], bool]:
            def is_plain(box: Box) -> bool:
                self._each(box.body, known)
                return True

            return is_plain

        samples = {
            b"stsd": lambda box: self._is_description(box, kind),
            **dict.fromkeys(_TABLES, is_table),
            **dict.fromkeys((b"sgpd", b"sbgp"), _is_fixed),
        }
        header = b"vmhd" if kind == PICTURES else b"smhd"
        media = {header: _is_fixed, b"dinf": _is_fixed, b"stbl": inside(samples)}
        described = {
            b"mdhd": _is_fixed,
            b"hdlr": lambda box: box.body == _HANDLERS[kind],
            b"minf": inside(media),
        }
        edits = {b"elst": _is_edit_list}
        self._each(track.body, {b"tkhd": _is_fixed, b"edts": inside(edits), b"mdia": inside(described)})
        self.tracks.append(Track(kind, tables))
        return True

    def _is_description(self, box: Box, kind: bytes) -> bool:
        """One way of coding, and nothing else."""
        wanted, form, length = (
            (b"avc1", _VISUAL, _VISUAL_BYTES) if kind == PICTURES else (b"mp4a", _AUDIBLE, _AUDIBLE_BYTES)
        )
        entries = list(boxes_in(box.body[_ENTRIES_BEGIN:]))
        if [entry.kind for entry in entries] != [wanted]:
            return False
        known = {b"avcC": _is_avc, b"pasp": _is_fixed, b"colr": _is_fixed, b"btrt": _is_fixed}
        if kind == SOUND:
            known = {b"esds": _is_fixed, b"btrt": _is_fixed}
        self._each(entries[0].body[length:], known)
        return form.fullmatch(entries[0].body[:length]) is not None


def _kind_of(track: Box) -> bytes:
    """Which handler a track names; nothing where it names none."""
    for box in boxes_in(track.body):
        if box.kind == b"mdia":
            return next((inner.body[8:12] for inner in boxes_in(box.body) if inner.kind == b"hdlr"), b"")
    return b""


def _is_fixed(box: Box) -> bool:
    return _FIXED[box.kind].fullmatch(box.body) is not None


def _is_table(box: Box) -> bool:
    """As long as its number of entries says, and not a byte longer."""
    begin, each = _TABLES[box.kind]
    if len(box.body) < begin or box.body[:4] not in {bytes(4), b"\1\0\0\0"}:
        return False
    count = int.from_bytes(box.body[begin - 4 : begin], "big")
    one_size_for_all = box.kind == b"stsz" and box.body[4:8] != bytes(4)
    return len(box.body) == begin + (0 if one_size_for_all else each * count)


def _is_edit_list(box: Box) -> bool:
    if len(box.body) < _ENTRIES_BEGIN or box.body[0] not in _EDITS or any(box.body[1:4]):
        return False
    count = int.from_bytes(box.body[4:_ENTRIES_BEGIN], "big")
    return len(box.body) == _ENTRIES_BEGIN + _EDITS[box.body[0]] * count


def _is_avc(box: Box) -> bool:
    """One sequence and one picture parameter set, and what other profiles add (ISO/IEC 14496-15, 5.3.3)."""
    body, at = box.body, 5
    if len(body) < at or body[0] != 1 or body[4] != 0xFF:
        return False
    for count in (0xE1, 0x01):
        if len(body) < at + 3 or body[at] != count:
            return False
        at += 3 + int.from_bytes(body[at + 1 : at + 3], "big")
    extension = body[at:]
    if body[1] in _SIMPLE_PROFILES:
        return at == len(body)
    return re.fullmatch(rb"[\xfc-\xff][\xf8-\xff]{2}\0", extension) is not None


def _user_data(month: str | None) -> bytes:
    """What the muxer writes into its user data: nothing, or a date (QuickTime's "day")."""
    said = b""
    if month is not None:
        text = month.encode()
        said = _box(b"\xa9day", _box(b"data", struct.pack(">II", 1, 0) + text))
    handler = _box(b"hdlr", bytes(8) + b"mdirappl" + bytes(9))
    return _box(b"meta", bytes(4) + handler + _box(b"ilst", said))


def _box(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", HEADER_BYTES + len(body), kind) + body
