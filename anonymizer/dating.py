"""Writes the month of capture into a still, and no word more (docs/policies.md, `[metadata]`).

A month is all that is said: XMP takes "2019-08" for a date (XMP part 1, 8.2.1.2); EXIF would need a day.
Into an MP4 the muxer writes the same text.
"""

from __future__ import annotations

import struct
import zlib
from typing import Final

from anonymizer.intake.captured import JPEG_XMP, PNG_XMP
from anonymizer.intake.sniff import Format

# photoshop:DateCreated is the IPTC's "date created": when what is seen was captured, not when a file was.
_PACKET: Final = (
    '<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
    'xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/" photoshop:DateCreated="{month}"/>'
    '</rdf:RDF></x:xmpmeta><?xpacket end="r"?>'
)
_PNG_HEADER_ENDS: Final = 33
_WEBP_HAS_XMP, _WEBP_HAS_ALPHA = 0x04, 0x10


def packet_of(month: str) -> bytes:
    """Returns the XMP packet that says a month, such as "2019-08"."""
    return _PACKET.format(month=month).encode()


def dated(encoded: bytes, kind: Format, month: str, width: int, height: int, *, has_alpha: bool) -> bytes:
    """Returns a still that says in which month it was captured.

    Args:
        encoded: a still of our own making, without metadata.
        kind: its format.
        month: such as "2019-08".
        width, height: in pixels.
        has_alpha: whether it has transparency.
    """
    packet = packet_of(month)
    if kind is Format.JPEG:
        body = JPEG_XMP + packet
        segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
        at = 4 + int.from_bytes(encoded[4:6], "big")  # after the JFIF segment
        return encoded[:at] + segment + encoded[at:]
    if kind is Format.PNG:
        body = b"iTXt" + PNG_XMP + b"\0\0\0\0" + packet
        chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
        return encoded[:_PNG_HEADER_ENDS] + chunk + encoded[_PNG_HEADER_ENDS:]
    return _dated_webp(encoded[12:], packet, width, height, has_alpha=has_alpha)


def _dated_webp(chunks: bytes, packet: bytes, width: int, height: int, *, has_alpha: bool) -> bytes:
    """Puts the packet last, and says in the header that it is there (RFC 9649, 2.7)."""
    if chunks.startswith(b"VP8X"):
        chunks = chunks[18:]
    flags = _WEBP_HAS_XMP | (_WEBP_HAS_ALPHA if has_alpha else 0)
    header = b"VP8X" + struct.pack("<II", 10, flags)
    header += (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    last = b"XMP " + struct.pack("<I", len(packet)) + packet + b"\0" * (len(packet) % 2)
    body = b"WEBP" + header + chunks + last
    return b"RIFF" + struct.pack("<I", len(body)) + body
