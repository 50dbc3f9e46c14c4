"""A TIFF block as cameras put into their pictures: four directories, a thumbnail (CIPA DC-008)."""

from __future__ import annotations

import struct
from typing import Final

import cv2
import numpy as np

from tests.security.metadata.needles import CAPTURED, LATITUDE, LONGITUDE, needle

Entry = tuple[int, int, bytes]
_UNIT: Final = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1}


def exif(place: str, captured: str = CAPTURED, orientation: int = 1) -> bytes:
    """A TIFF block with camera, serial numbers, times, a place, maker notes and a thumbnail (CIPA DC-008)."""
    thumbnail = cv2.imencode(".jpg", np.zeros((16, 16, 3), np.uint8))[1].tobytes()
    text = needle(f"{place} thumbnail").encode()
    comment = b"\xff\xfe" + struct.pack(">H", len(text) + 2) + text
    thumbnail = thumbnail[:2] + comment + thumbnail[2:]
    camera = [
        _text(0x9003, captured),
        _text(0x9004, captured),
        (0x927C, 7, b"MKRNOTE\0" + needle(f"{place} maker note").encode()),
        (0x9286, 7, b"UNICODE\0" + needle(f"{place} comment").encode("utf-16-le")),
        _text(0xA431, needle(f"{place} body serial")),
        _text(0xA435, needle(f"{place} lens serial")),
        (0xA420, 2, needle(f"{place} image id").encode().ljust(33, b"\0")),
    ]
    where = [
        _text(0x0001, "N"),
        (0x0002, 5, _degrees(LATITUDE)),
        _text(0x0003, "E"),
        (0x0004, 5, _degrees(LONGITUDE)),
        (0x001B, 7, b"ASCII\0\0\0" + needle(f"{place} gps method").encode()),
    ]
    main = [
        _text(0x010F, needle(f"{place} make")),
        _text(0x0110, needle(f"{place} model")),
        (0x0112, 3, struct.pack("<H", orientation)),
        _text(0x0131, needle(f"{place} software")),
        _text(0x0132, captured),
        _text(0x013B, needle(f"{place} artist")),
        (0x9C9B, 1, needle(f"{place} title").encode("utf-16-le") + b"\0\0"),
    ]
    return _tiff(main, camera, where, thumbnail)


def _text(tag: int, text: str) -> Entry:
    return tag, 2, text.encode() + b"\0"


def _degrees(value: float) -> bytes:
    minutes = value % 1 * 60
    return struct.pack("<6I", int(value), 1, int(minutes), 1, round(minutes % 1 * 60 * 1000), 1000)


def _tiff(main: list[Entry], camera: list[Entry], where: list[Entry], thumbnail: bytes) -> bytes:
    """Lays out four directories, one after the other: main, camera, place, thumbnail."""

    def size(entries: int, bodies: list[Entry]) -> int:
        return 2 + 12 * entries + 4 + sum(len(body) + len(body) % 2 for _, _, body in bodies if len(body) > 4)

    main_at = 8
    camera_at = main_at + size(len(main) + 2, main)
    where_at = camera_at + size(len(camera), camera)
    small_at = where_at + size(len(where), where)
    jpeg_at = small_at + size(2, [])
    pointers = [(0x8769, 4, struct.pack("<I", camera_at)), (0x8825, 4, struct.pack("<I", where_at))]
    small = [
        (0x0201, 4, struct.pack("<I", jpeg_at)),
        (0x0202, 4, struct.pack("<I", len(thumbnail))),
    ]
    return b"II*\0" + struct.pack("<I", main_at) + b"".join(
        (
            _directory(main_at, [*main, *pointers], small_at),
            _directory(camera_at, camera, 0),
            _directory(where_at, where, 0),
            _directory(small_at, small, 0),
            thumbnail,
        )
    )  # fmt: skip


def _directory(at: int, entries: list[Entry], following: int) -> bytes:
    rows, bodies = b"", b""
    bodies_at = at + 2 + 12 * len(entries) + 4
    for tag, kind, body in sorted(entries):
        rows += struct.pack("<HHI", tag, kind, len(body) // _UNIT[kind])
        if len(body) <= 4:
            rows += body.ljust(4, b"\0")
        else:
            rows += struct.pack("<I", bodies_at + len(bodies))
            bodies += body + b"\0" * (len(body) % 2)
    return struct.pack("<H", len(entries)) + rows + struct.pack("<I", following) + bodies
