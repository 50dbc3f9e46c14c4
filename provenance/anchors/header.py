"""What is read of a block's header: its number, its time, and the root of its receipts.

A header's Keccak-256 is the block's hash, so that whoever knows the hash can be given the header by anybody.
"""

from __future__ import annotations

from dataclasses import dataclass

from provenance.anchors.keccak import HASH_BYTES, keccak256
from provenance.anchors.rlp import RlpError, as_bytes, as_list, as_number, decode

MAX_HEADER_BYTES = 2 << 10
"""Main network headers have about 640; nothing in one can grow but `extraData`."""

MIN_FIELDS = 15
MAX_FIELDS = 32
"""Every fork so far added fields at the end, and moved none: 15 at first, 21 since Prague."""

_PARENT, _RECEIPTS_ROOT, _NUMBER, _TIMESTAMP = 0, 5, 8, 11


@dataclass(frozen=True)
class BlockHeader:
    """A block.

    Attributes:
        block_hash: 32 bytes.
        parent_hash: 32 bytes.
        receipts_root: of the trie of its transactions' receipts, 32 bytes.
        number: blocks before it.
        mined_at: POSIX seconds, as whoever proposed the block says, within what the others let pass.
    """

    block_hash: bytes
    parent_hash: bytes
    receipts_root: bytes
    number: int
    mined_at: int

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> BlockHeader:
        """Reads a header in RLP. That there is such a block is not known from it.

        Raises:
            FormatError: it is none.
        """
        if len(untrusted) > MAX_HEADER_BYTES:
            raise RlpError("the block header is too large", "too_large")
        fields = as_list(decode(untrusted))
        if not MIN_FIELDS <= len(fields) <= MAX_FIELDS:
            raise RlpError("the block header has too few or too many fields")
        for field in fields:
            as_bytes(field)
        return cls(
            block_hash=keccak256(untrusted),
            parent_hash=as_bytes(fields[_PARENT], HASH_BYTES),
            receipts_root=as_bytes(fields[_RECEIPTS_ROOT], HASH_BYTES),
            number=as_number(fields[_NUMBER]),
            mined_at=as_number(fields[_TIMESTAMP]),
        )
