"""JUMBF boxes (ISO 19566-5), as far as a C2PA manifest store needs them: writing only.

Our own writer, since the c2pa library holds a file twice in memory while it signs (docs/adr/0012); what it
writes is read back by that library in the tests.
"""

from __future__ import annotations

import struct
from typing import Final

_HEADER: Final = struct.Struct(">I4s")
HEADER_BYTES: Final = _HEADER.size

# Types of superboxes: four letters and the tail that ISO 19566-5 gives them (C2PA 2.2, 11.1).
_TAIL: Final = bytes.fromhex("00110010800000aa00389b71")
STORE: Final = b"c2pa" + _TAIL
MANIFEST: Final = b"c2ma" + _TAIL
ASSERTIONS: Final = b"c2as" + _TAIL
CLAIM: Final = b"c2cl" + _TAIL
SIGNATURE: Final = b"c2cs" + _TAIL
CBOR: Final = b"cbor" + _TAIL

# Can be referred to by a URI, and has a label to do so.
_REQUESTABLE_WITH_LABEL: Final = 3


def box(kind: bytes, content: bytes) -> bytes:
    """Gives a box: length, four-letter type, content."""
    return _HEADER.pack(HEADER_BYTES + len(content), kind) + content


def superbox(kind: bytes, label: str, *children: bytes) -> bytes:
    """Gives a superbox: a description with type and label, then other boxes.

    Args:
        kind: one of this module's types, 16 bytes.
        label: what a URI calls it, ASCII.
        children: whole boxes.
    """
    description = kind + bytes([_REQUESTABLE_WITH_LABEL]) + label.encode("ascii") + b"\0"
    return box(b"jumb", box(b"jumd", description) + b"".join(children))


def cbor_superbox(kind: bytes, label: str, content: bytes) -> bytes:
    """Gives a superbox around one box of CBOR."""
    return superbox(kind, label, box(b"cbor", content))
