"""Base64 with exactly one spelling for each byte string."""

from __future__ import annotations

import base64
import binascii

from provenance.errors import FormatError


def base64_text(raw: bytes) -> str:
    """Encodes with the standard alphabet and padding (RFC 4648, section 4)."""
    return base64.b64encode(raw).decode("ascii")


def base64_bytes(text: object) -> bytes:
    """Decodes what `base64_text` wrote.

    Raises:
        FormatError: not a string, or another spelling (spaces, missing padding, stray trailing bits).
    """
    if not isinstance(text, str):
        raise FormatError("a base64 field is not a string")
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise FormatError("a base64 field does not decode") from None
    if base64_text(raw) != text:
        raise FormatError("a base64 field is not in its canonical form")
    return raw
