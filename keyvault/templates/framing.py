"""The common frame of templates and scores: label, context, a description in JSON, ciphertexts."""

from __future__ import annotations

from typing import Any, Final

from keyvault.templates.errors import malformed
from keyvault.templates.keys import CONTEXT_ID_BYTES
from provenance import canonical
from provenance.errors import FormatError

DESCRIPTION_BYTES: Final = 1024
TRANSFORM_CHARACTERS: Final = 32
_LENGTH_BYTES = 2
_HEX = frozenset("0123456789abcdef")


def frame(label: bytes, context_id: bytes, description: dict[str, Any], body: bytes) -> bytes:
    """Puts it together."""
    said = canonical.dumps(description)
    return b"".join((label, context_id, len(said).to_bytes(_LENGTH_BYTES), said, body))


def unframe(untrusted: bytes, label: bytes, most: int, what: str) -> tuple[bytes, dict[str, Any], bytes]:
    """Takes it apart: context id, description, body.

    Args:
        untrusted: the bytes.
        label: that they must begin with.
        most: how many bytes there may be.
        what: it is, in words.

    Raises:
        TemplateError: template_malformed.
    """
    at = len(label) + CONTEXT_ID_BYTES
    if len(untrusted) > most or not untrusted.startswith(label):
        raise malformed(what)
    begin = at + _LENGTH_BYTES
    end = begin + int.from_bytes(untrusted[at:begin])
    if not begin < end <= min(len(untrusted), begin + DESCRIPTION_BYTES):
        raise malformed(what)
    try:
        said = canonical.loads(untrusted[begin:end], DESCRIPTION_BYTES)
    except FormatError:
        raise malformed(what) from None
    if not isinstance(said, dict):
        raise malformed(what)
    return untrusted[len(label) : at], said, untrusted[end:]


def is_hex(untrusted: object, characters: int) -> bool:
    """Whether it is text of so many hexadecimal digits."""
    return isinstance(untrusted, str) and len(untrusted) == characters and set(untrusted) <= _HEX
