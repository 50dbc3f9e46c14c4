"""The little DER that AMD and Intel put into their own certificate extensions (ITU-T X.690), read strictly.

Certificates themselves are read by `cryptography`; it hands unknown extensions over as bytes, and those are
a handful of integers, strings and nested sequences.
"""

from __future__ import annotations

from dataclasses import dataclass

from enclave.attest.errors import EvidenceError

INTEGER = 0x02
OCTET_STRING = 0x04
OBJECT_IDENTIFIER = 0x06
IA5_STRING = 0x16
SEQUENCE = 0x30

_SHORT_FORM = 0x80
_MAX_LENGTH_BYTES = 2


@dataclass(frozen=True)
class Element:
    """One DER element.

    Attributes:
        tag: its one-byte tag.
        content: what is inside.
    """

    tag: int
    content: bytes

    def integer(self, maximum: int) -> int:
        """Gives a whole number from 0 to `maximum`.

        Raises:
            EvidenceError: another type, negative, not in its shortest form, or too large.
        """
        content = self._of(INTEGER)
        value = int.from_bytes(content, "big", signed=True)
        shortest = max(1, value.bit_length() // 8 + 1)
        if not content or len(content) != shortest or not 0 <= value <= maximum:
            raise EvidenceError("a number in a certificate's extension is out of range")
        return value

    def octets(self, size: int) -> bytes:
        """Gives an octet string of exactly `size` bytes.

        Raises:
            EvidenceError: another type or length.
        """
        content = self._of(OCTET_STRING)
        if len(content) != size:
            raise EvidenceError("a byte string in a certificate's extension has another length")
        return content

    def text(self) -> str:
        """Gives an IA5 string.

        Raises:
            EvidenceError: another type, or not ASCII.
        """
        try:
            return self._of(IA5_STRING).decode("ascii")
        except UnicodeDecodeError:
            raise EvidenceError("a text in a certificate's extension is not ASCII") from None

    def members(self) -> list[Element]:
        """Gives the elements of a sequence.

        Raises:
            EvidenceError: another type, or not made of elements.
        """
        rest = self._of(SEQUENCE)
        found: list[Element] = []
        while rest:
            element, rest = _read(rest)
            found.append(element)
        return found

    def _of(self, tag: int) -> bytes:
        if self.tag != tag:
            raise EvidenceError("a certificate's extension holds another type than it should")
        return self.content


def parse_der(untrusted: bytes) -> Element:
    """Reads one element that fills the bytes.

    Raises:
        EvidenceError: the bytes are not one element in DER.
    """
    element, rest = _read(untrusted)
    if rest:
        raise EvidenceError("a certificate's extension is longer than it says")
    return element


def fields_by_oid(sequence: Element) -> dict[bytes, Element]:
    """Reads a sequence of (OBJECT IDENTIFIER, value) pairs; the identifiers stay encoded.

    Raises:
        EvidenceError: another shape, or an identifier comes twice.
    """
    fields: dict[bytes, Element] = {}
    for pair in sequence.members():
        members = pair.members()
        if len(members) != 2 or members[0].tag != OBJECT_IDENTIFIER or members[0].content in fields:
            raise EvidenceError("a certificate's extension is not a list of distinct fields")
        fields[members[0].content] = members[1]
    return fields


def _read(untrusted: bytes) -> tuple[Element, bytes]:
    if len(untrusted) < 2:
        raise EvidenceError("a certificate's extension ends too early")
    tag, length, start = untrusted[0], untrusted[1], 2
    if length >= _SHORT_FORM:
        count = length - _SHORT_FORM
        length = int.from_bytes(untrusted[2 : 2 + count], "big")
        start += count
        shortest = (length.bit_length() + 7) // 8
        if not 1 <= count <= _MAX_LENGTH_BYTES or length < _SHORT_FORM or count != shortest:
            raise EvidenceError("a length in a certificate's extension is not in its shortest form")
    if start + length > len(untrusted):
        raise EvidenceError("a certificate's extension ends too early")
    return Element(tag, untrusted[start : start + length]), untrusted[start + length :]
