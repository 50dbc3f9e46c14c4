"""The types that AMD and Intel use in their own certificate extensions, over `provenance.der`.

Certificates themselves are read by `cryptography`; it hands unknown extensions over as bytes, and those are
a handful of integers, strings and nested sequences.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from enclave.attest.errors import EvidenceError
from provenance import der

_IA5_STRING = 0x16


@dataclass(frozen=True)
class Field:
    """One value in an extension.

    Attributes:
        element: as it stands.
    """

    element: der.Element

    def integer(self, maximum: int) -> int:
        """Gives a whole number from 0 to `maximum`.

        Raises:
            EvidenceError: another type, negative, not in its shortest form, or too large.
        """
        content = self._of(der.INTEGER)
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
        content = self._of(der.OCTET_STRING)
        if len(content) != size:
            raise EvidenceError("a byte string in a certificate's extension has another length")
        return content

    def text(self) -> str:
        """Gives an IA5 string.

        Raises:
            EvidenceError: another type, or not ASCII.
        """
        try:
            return self._of(_IA5_STRING).decode("ascii")
        except UnicodeDecodeError:
            raise EvidenceError("a text in a certificate's extension is not ASCII") from None

    def members(self) -> list[Field]:
        """Gives the values in a sequence.

        Raises:
            EvidenceError: another type, or not made of elements.
        """
        with _reading():
            return [Field(element) for element in self.element.members(der.SEQUENCE)]

    def _of(self, tag: int) -> bytes:
        with _reading():
            return self.element.of(tag)


def parse_der(untrusted: bytes) -> Field:
    """Reads one value that fills the bytes.

    Raises:
        EvidenceError: the bytes are not one element in DER.
    """
    with _reading():
        return Field(der.parse_der(untrusted))


def fields_by_oid(sequence: Field) -> dict[bytes, Field]:
    """Reads a sequence of (OBJECT IDENTIFIER, value) pairs; the identifiers stay encoded.

    Raises:
        EvidenceError: another shape, or an identifier comes twice.
    """
    fields: dict[bytes, Field] = {}
    for pair in sequence.members():
        members = [member.element for member in pair.members()]
        if len(members) != 2 or members[0].tag != der.OBJECT_IDENTIFIER or members[0].content in fields:
            raise EvidenceError("a certificate's extension is not a list of distinct fields")
        fields[members[0].content] = Field(members[1])
    return fields


@contextmanager
def _reading() -> Iterator[None]:
    try:
        yield
    except der.DerError as error:
        raise EvidenceError(f"a certificate's extension is malformed: {error}") from None
