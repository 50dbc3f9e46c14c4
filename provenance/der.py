"""DER (ITU-T X.690): one element after the other, read strictly, and a few written.

Certificates are read by `cryptography`; this is for what no library hands out: the signed attributes of a
timestamp, and the extensions that makers of processors put into their own certificates.
"""

from __future__ import annotations

from dataclasses import dataclass

from provenance.errors import FormatError

INTEGER = 0x02
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
SEQUENCE = 0x30
SET = 0x31
CONTEXT_0 = 0xA0
CONTEXT_1 = 0xA1

_SHORT_FORM = 0x80
_LONG_TAG = 0x1F
_MAX_LENGTH_BYTES = 3


class DerError(FormatError):
    """Bytes are not DER, or not of the type that is asked for; whoever reads says of what."""


@dataclass(frozen=True)
class Element:
    """One element.

    Attributes:
        tag: its one-byte tag.
        content: what is inside.
        encoded: the whole of it, as it stood.
    """

    tag: int
    content: bytes
    encoded: bytes

    def members(self, tag: int = SEQUENCE) -> list[Element]:
        """Gives the elements inside one of this constructed type.

        Raises:
            DerError: another type, or not made of elements.
        """
        rest = self.of(tag)
        found: list[Element] = []
        while rest:
            element, rest = _read(rest)
            found.append(element)
        return found

    def only(self, tag: int) -> Element:
        """Gives the one element inside.

        Raises:
            DerError: another type, or not exactly one.
        """
        found = self.members(tag)
        if len(found) != 1:
            raise DerError("there are more or fewer parts than there should be")
        return found[0]

    def of(self, tag: int) -> bytes:
        """Gives the content of an element that must be of this type.

        Raises:
            DerError: another type.
        """
        if self.tag != tag:
            raise DerError("there is another type than there should be")
        return self.content

    def oid(self) -> str:
        """Gives an object identifier, dotted.

        Raises:
            DerError: another type, or an arc that is not in its shortest form.
        """
        content = self.of(OBJECT_IDENTIFIER)
        if not content or content[-1] & 0x80:
            raise DerError("an object identifier ends too early")
        arcs, value, fresh = [], 0, True
        for byte in content:
            if fresh and byte == 0x80:
                raise DerError("an object identifier is not in its shortest form")
            value, fresh = value << 7 | byte & 0x7F, not byte & 0x80
            if fresh:
                arcs.append(value)
                value = 0
        first = min(arcs[0] // 40, 2)
        return ".".join(str(arc) for arc in (first, arcs[0] - 40 * first, *arcs[1:]))


def parse_der(untrusted: bytes) -> Element:
    """Reads one element that fills the bytes.

    Raises:
        DerError: the bytes are not one element in DER.
    """
    element, rest = _read(untrusted)
    if rest:
        raise DerError("it is longer than it says")
    return element


def element(tag: int, content: bytes) -> bytes:
    """Writes one element."""
    length = len(content)
    if length < _SHORT_FORM:
        return bytes([tag, length]) + content
    size = (length.bit_length() + 7) // 8
    return bytes([tag, _SHORT_FORM | size]) + length.to_bytes(size, "big") + content


def _read(untrusted: bytes) -> tuple[Element, bytes]:
    if len(untrusted) < 2:
        raise DerError("it ends too early")
    tag, length, start = untrusted[0], untrusted[1], 2
    if tag & _LONG_TAG == _LONG_TAG:
        raise DerError("there is another type than there should be")
    if length >= _SHORT_FORM:
        count = length - _SHORT_FORM
        length = int.from_bytes(untrusted[2 : 2 + count], "big")
        start += count
        shortest = (length.bit_length() + 7) // 8
        if not 1 <= count <= _MAX_LENGTH_BYTES or length < _SHORT_FORM or count != shortest:
            raise DerError("a length is not in its shortest form")
    end = start + length
    if end > len(untrusted):
        raise DerError("it ends too early")
    return Element(tag, untrusted[start:end], untrusted[:end]), untrusted[end:]
