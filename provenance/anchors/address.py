"""Addresses on a chain as people write them: 0x and 40 hexadecimal digits.

Upper and lower case among the letters is a checksum (EIP-55). It is written always; of what is read, digits
without any upper case (or any lower) carry none, and a mixture must be the right one: a mistyped digit passes
once in 4,000 times or more.
"""

from __future__ import annotations

import re

from provenance.anchors.keccak import keccak256
from provenance.errors import FormatError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}", re.ASCII)


def format_address(address: bytes) -> str:
    """Writes an address of 20 bytes, with its checksum."""
    digits = address.hex()
    checksum = keccak256(digits.encode("ascii")).hex()
    return "0x" + "".join(
        digit.upper() if int(high, 16) > 7 else digit for digit, high in zip(digits, checksum, strict=False)
    )


def parse_address(untrusted: object) -> bytes:
    """Reads an address.

    Raises:
        FormatError: `anchor_address_malformed`, it is none, or its checksum says that it was mistyped.
    """
    if not isinstance(untrusted, str) or not _ADDRESS.fullmatch(untrusted):
        raise FormatError("an address on a chain is 0x and 40 hexadecimal digits", "anchor_address_malformed")
    address = bytes.fromhex(untrusted[2:])
    digits = untrusted[2:]
    if digits not in {digits.lower(), digits.upper()} and format_address(address) != untrusted:
        raise FormatError(
            "an address on a chain was mistyped: its checksum fails", "anchor_address_malformed"
        )
    return address
