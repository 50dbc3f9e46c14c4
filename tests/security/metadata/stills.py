"""Plants in stills, by hand: every segment and chunk that there is, and what may follow the end."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.media_factory import face_image, png_chunk, riff_chunk
from tests.security.metadata.needles import needle, xmp
from tests.security.metadata.tiff import exif

SIZE: Final = 320


def jpeg_segment(marker: int, body: bytes) -> bytes:
    """Returns one segment of a JPEG."""
    return b"\xff" + bytes([marker]) + struct.pack(">H", len(body) + 2) + body


def box(name: bytes, body: bytes) -> bytes:
    """Returns one box of an MP4."""
    return struct.pack(">I4s", len(body) + 8, name) + body


def plain_still(path: Path) -> bytes:
    """A still with a face and nothing else."""
    return face_image(path, (SIZE, SIZE)).read_bytes()


def _thumbnail() -> bytes:
    """A JFIF thumbnail of one row: its size, then its pixels, of which there are a few too many."""
    pixels = needle("jfif thumbnail").encode().ljust(30, b"\0")
    return bytes([len(pixels) // 3, 1]) + pixels


def planted_jpeg(plain: bytes) -> bytes:
    """Every segment that a JPEG may carry before its picture, and what may follow its end."""
    iptc = b"\x1c\x02\x78" + struct.pack(">H", len(needle("iptc caption"))) + needle("iptc caption").encode()
    photoshop = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(iptc)) + iptc + b"\0" * (len(iptc) % 2)
    profile = b"ICC_PROFILE\0\1\1" + needle("icc").encode()
    head = [
        (0xE0, b"JFIF\0\1\2\1\1\x2c\1\x2c" + _thumbnail()),
        (0xE0, b"JFXX\0\x10" + needle("jfxx").encode()),
        (0xE1, b"Exif\0\0" + exif("jpeg exif")),
        (0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp("jpeg xmp")),
        (0xE1, b"http://ns.adobe.com/xmp/extension/\0" + b"0" * 32 + bytes(8) + needle("long xmp").encode()),
        (0xE2, profile),
        (0xE2, b"MPF\0" + needle("mpf").encode()),
        (0xE2, b"FPXR\0" + needle("flashpix").encode()),
        (0xE3, b"Meta\0\0" + needle("kodak").encode()),
        (0xE4, needle("app4").encode()),
        (0xE8, needle("app8").encode()),
        (0xEB, b"JP\0\1\0\0\0\1" + box(b"jumb", needle("c2pa").encode())),
        (0xEC, b"Ducky" + needle("ducky").encode()),
        (0xED, b"Photoshop 3.0\0" + photoshop),
        (0xEF, needle("app15").encode()),
        (0xFE, needle("comment").encode()),
        (0xFE, needle("wide comment").encode("utf-16-be")),
    ]
    trailer = box(b"ftyp", b"mp42") + box(b"mdat", needle("motion photo").encode()) + plain
    segments = b"".join(jpeg_segment(marker, body) for marker, body in head)
    return plain[:2] + segments + plain[2:] + trailer + needle("trailer").encode()


def planted_png(plain: bytes) -> bytes:
    """Every ancillary chunk, compressed ones too, private ones, and what may follow the end."""

    def deflated(place: str) -> bytes:
        return zlib.compress(needle(place).encode() * 20)

    early = [
        (b"iCCP", needle("iccp name").encode() + b"\0\0" + deflated("iccp")),
        (b"sPLT", needle("splt name").encode() + b"\0\x08" + b"\1\2\3\4\0\1"),
        (b"pHYs", struct.pack(">IIB", 0x4E444C37, 0x4E444C37, 1)),
        (b"oFFs", struct.pack(">iiB", 0x4E444C, 0x37, 0)),
        (b"bKGD", struct.pack(">3H", 78, 68, 76)),
        (b"gAMA", struct.pack(">I", 47113)),
        (b"eXIf", exif("png exif")),
        (b"tIME", struct.pack(">HBBBBB", 2019, 8, 17, 14, 23, 51)),
        (b"tEXt", b"Author\0" + needle("text").encode()),
        (b"tEXt", b"Raw profile type exif\0\nexif\n 4\n" + needle("hex profile").encode().hex().encode()),
        (b"zTXt", b"Comment\0\0" + deflated("ztxt")),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp("png xmp")),
        (b"iTXt", b"Description\0\1\0en\0\0" + deflated("itxt")),
        (b"prVt", needle("private").encode()),
        (b"caBX", box(b"jumb", needle("c2pa").encode())),
    ]
    late = [(b"tEXt", b"Software\0" + needle("late text").encode()), (b"prVt", needle("late").encode())]
    ends = plain.rindex(b"IEND") - 4
    return (
        plain[:33]
        + b"".join(png_chunk(*chunk) for chunk in early)
        + plain[33:ends]
        + b"".join(png_chunk(*chunk) for chunk in late)
        + plain[ends:]
        + needle("trailer").encode()
    )


def planted_webp(plain: bytes) -> bytes:
    """EXIF, XMP, a profile, unknown chunks and content credentials (RFC 9649)."""
    extended = b"\x2c\0\0\0" + (SIZE - 1).to_bytes(3, "little") * 2
    chunks = [
        (b"VP8X", extended),
        (b"ICCP", needle("iccp").encode()),
        (b"prVt", needle("private").encode()),
    ]
    after = [
        (b"EXIF", exif("webp exif")),
        (b"XMP ", xmp("webp xmp")),
        (b"C2PA", box(b"jumb", needle("c2pa").encode())),
        (b"prVu", zlib.compress(needle("late private").encode() * 20)),
    ]
    body = b"WEBP" + b"".join(riff_chunk(*chunk) for chunk in chunks) + plain[12:]
    body += b"".join(riff_chunk(*chunk) for chunk in after)
    return b"RIFF" + struct.pack("<I", len(body)) + body + needle("trailer").encode()


PLANTED_STILLS: Final[dict[str, Callable[[bytes], bytes]]] = {
    ".jpg": planted_jpeg,
    ".png": planted_png,
    ".webp": planted_webp,
}
