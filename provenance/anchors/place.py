"""Where a reader believes a log to be anchored: which chain, which contract, and by whom."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from provenance.anchors.address import format_address, parse_address
from provenance.anchors.event import AnchorLine
from provenance.anchors.receipt import ADDRESS_BYTES
from provenance.errors import FormatError

MAX_CHAIN_ID = (1 << 53) - 1
"""As far as every reader of JSON counts."""

_FIELDS = {"chain_id", "contract", "anchorer"}
_NAME_DIGITS = 32


@dataclass(frozen=True)
class AnchorPlace:
    """One line of anchors but for the log's name, which stands beside it in a trust file.

    Attributes:
        chain_id: of the chain (EIP-155).
        contract: address, 20 bytes.
        anchorer: address, 20 bytes.

    Raises:
        FormatError: a number that names no chain, or an address of another length.
    """

    chain_id: int
    contract: bytes
    anchorer: bytes

    def __post_init__(self) -> None:
        if type(self.chain_id) is not int or not 1 <= self.chain_id <= MAX_CHAIN_ID:
            raise FormatError("a chain is named by a whole number above zero", "anchor_chain_malformed")
        if len(self.contract) != ADDRESS_BYTES or len(self.anchorer) != ADDRESS_BYTES:
            raise FormatError("an address on a chain does not have 20 bytes", "anchor_address_malformed")

    def line(self, origin: str) -> AnchorLine:
        """Gives a log's line here.

        Raises:
            FormatError: no name of a log.
        """
        return AnchorLine(self.contract, self.anchorer, origin)

    def folder(self, origin: str) -> str:
        """Names the folder of a log's anchors here: 32 hexadecimal digits that any reader can compute."""
        named = f"{self.chain_id}\n{self.contract.hex()}\n{self.anchorer.hex()}\n{origin}\n"
        return hashlib.sha256(named.encode()).hexdigest()[:_NAME_DIGITS]

    def to_object(self) -> dict[str, Any]:
        """Gives the form that stands in a trust file."""
        return {
            "chain_id": self.chain_id,
            "contract": format_address(self.contract),
            "anchorer": format_address(self.anchorer),
        }

    @classmethod
    def from_object(cls, untrusted: Any) -> AnchorPlace:
        """Reads what `to_object` gave; letters of addresses may all be lower case.

        Raises:
            FormatError: anything else.
        """
        if not isinstance(untrusted, dict) or set(untrusted) != _FIELDS:
            raise FormatError("a place of anchors does not have exactly its three fields")
        return cls(
            untrusted["chain_id"], parse_address(untrusted["contract"]), parse_address(untrusted["anchorer"])
        )
