"""Each thing that is put into a finished still counts, once."""

from __future__ import annotations

import struct
import zlib
from typing import Final

import pytest

from tests.media_factory import png_chunk
from tests.security.metadata.needles import xmp
from tests.security.metadata.stills import box
from tests.unit.anonymizer.leaks.finished import PLANT_EXIF, Made, Put, in_jpeg, in_png, in_webp, left


def behind_rows(plain: bytes) -> bytes:
    """Packs more behind the last row of a PNG."""
    at = plain.index(b"IDAT") - 4
    length = int.from_bytes(plain[at : at + 4], "big")
    rows = zlib.decompress(plain[at + 8 : at + 8 + length])
    return plain[:at] + png_chunk(b"IDAT", zlib.compress(rows + b"somebody")) + plain[at + 12 + length :]


def behind_packed(plain: bytes) -> bytes:
    """Adds bytes to the last chunk of a PNG's picture, behind what is packed."""
    ends = plain.rindex(b"IEND") - 4
    return plain[:ends] + png_chunk(b"IDAT", b"somebody") + plain[ends:]


STILLS: Final[dict[str, tuple[str, Put]]] = {
    "jpeg exif": (".jpg", PLANT_EXIF[".jpg"]),
    "jpeg xmp": (".jpg", in_jpeg(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("x"))),
    "jpeg colour profile": (".jpg", in_jpeg(0xE2, b"ICC_PROFILE\0\1\1" + bytes(128))),
    "jpeg photoshop": (".jpg", in_jpeg(0xED, b"Photoshop 3.0\0")),
    "jpeg adobe": (".jpg", in_jpeg(0xEE, b"Adobe\0\x64\0\0\0\0\0")),
    "jpeg content credentials": (".jpg", in_jpeg(0xEB, b"JP\0\1\0\0\0\1" + box(b"jumb", b""))),
    "jpeg comment": (".jpg", in_jpeg(0xFE, b"somebody")),
    "jpeg empty comment": (".jpg", in_jpeg(0xFE, b"")),
    "jpeg thumbnail": (".jpg", lambda jpeg: jpeg[:4] + b"\0\x13" + jpeg[6:18] + b"\1\1abc" + jpeg[20:]),
    "jpeg dots an inch": (".jpg", lambda jpeg: jpeg[:13] + b"\1\0\x48\0\x48" + jpeg[18:]),
    "jpeg second header": (".jpg", in_jpeg(0xE0, b"JFXX\0\x10abc")),
    "jpeg bytes in a table": (".jpg", in_jpeg(0xDB, b"\3" + bytes(64) + b"somebody")),
    "jpeg fill byte": (".jpg", lambda jpeg: jpeg[:-2] + b"\xff" + jpeg[-2:]),
    "jpeg trailer": (".jpg", lambda jpeg: jpeg + b"\0"),
    "png exif": (".png", PLANT_EXIF[".png"]),
    "png text": (".png", in_png(b"tEXt", b"Author\0somebody")),
    "png packed text": (".png", in_png(b"zTXt", b"Author\0\0" + zlib.compress(b"somebody"))),
    "png xmp": (".png", in_png(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp("x"))),
    "png time": (".png", in_png(b"tIME", struct.pack(">HBBBBB", 2019, 8, 17, 14, 23, 51))),
    "png colour profile": (".png", in_png(b"iCCP", b"x\0\0" + zlib.compress(bytes(128)))),
    "png gamma": (".png", in_png(b"gAMA", struct.pack(">I", 45455))),
    "png dots a metre": (".png", in_png(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))),
    "png private": (".png", in_png(b"prVt", b"")),
    "png second header": (".png", lambda png: png[:33] + png[8:33] + png[33:]),
    "png behind the rows": (".png", behind_rows),
    "png behind what is packed": (".png", behind_packed),
    "png trailer": (".png", lambda png: png + b"\0"),
    "webp exif": (".webp", PLANT_EXIF[".webp"]),
    "webp xmp": (".webp", in_webp(b"XMP ", xmp("x"))),
    "webp colour profile": (".webp", in_webp(b"ICCP", bytes(128))),
    "webp private": (".webp", in_webp(b"prVt", b"")),
    "webp second picture": (".webp", lambda webp: in_webp(b"VP8 ", webp[20:])(webp)),
    "webp trailer": (".webp", lambda webp: webp + b"\0"),
}  # fmt: skip


@pytest.mark.parametrize("name", STILLS)
def test_each_thing_in_a_still_counts(made: Made, name: str) -> None:
    suffix, put = STILLS[name]
    planted = put(made[suffix])
    assert planted != made[suffix]
    assert left(planted, suffix) == 1
