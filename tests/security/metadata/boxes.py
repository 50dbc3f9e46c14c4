"""Plants in containers by hand: boxes of MP4 and MOV, elements of Matroska."""

from __future__ import annotations

import struct
import zlib
from typing import Final

from tests.security.metadata.needles import needle, xmp
from tests.security.metadata.stills import box

XMP_UUID: Final = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
CANON_UUID: Final = bytes.fromhex("85c0b687820f11e08111f4ce462b6a48")
C2PA_UUID: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")


def in_boxes(whole: bytes) -> bytes:
    """Adds boxes, makers' own in the movie and everybody's after its end."""
    extra = [
        box(b"uuid", XMP_UUID + xmp("box xmp")),
        box(b"uuid", CANON_UUID + needle("canon").encode()),
        box(b"free", needle("free box").encode()),
        box(b"skip", needle("skip box").encode("utf-16-le")),
        box(b"wide", needle("wide box").encode()),
        box(b"meta", bytes(4) + box(b"hdlr", bytes(8) + b"mdta" + needle("meta box").encode())),
        box(b"mdat", needle("unused sample data").encode()),
        box(b"prvt", zlib.compress(needle("private box").encode() * 20)),
        box(b"uuid", C2PA_UUID + needle("c2pa box").encode()),
    ]  # fmt: skip
    user = box(b"udta", b"".join(
        box(name, needle(f"udta {name.decode('latin-1')}").encode())
        for name in (b"GPMF", b"CAME", b"SNum", b"\xa9mak", b"\xa9mod", b"\xa9xyz", b"SDLN", b"thmb")
    ))  # fmt: skip
    return _into_movie(whole, user) + b"".join(extra)


def _into_movie(whole: bytes, added: bytes) -> bytes:
    """Puts boxes at the end of the movie box; where samples follow it, their offsets grow."""
    at = 0
    while whole[at + 4 : at + 8] != b"moov":
        at += int.from_bytes(whole[at : at + 4], "big")
    size = int.from_bytes(whole[at : at + 4], "big")
    movie = bytearray(whole[at : at + size])
    if whole.find(b"mdat", at + size) > 0:
        place = 0
        while (place := movie.find(b"stco", place + 1)) > 0:
            (count,) = struct.unpack_from(">I", movie, place + 8)
            offsets = struct.unpack_from(f">{count}I", movie, place + 12)
            struct.pack_into(f">{count}I", movie, place + 12, *(o + len(added) for o in offsets))
    return whole[:at] + struct.pack(">I", size + len(added)) + bytes(movie[4:]) + added + whole[at + size :]


def in_elements(whole: bytes) -> bytes:
    """Fills the reserved padding (a Void element)."""
    content = bytearray(whole)
    at = content.index(b"\xec\x01", 40)
    hidden = needle("void element").encode()
    content[at + 9 : at + 9 + len(hidden)] = hidden
    return bytes(content)
