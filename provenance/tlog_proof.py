"""Proofs of inclusion that stand alone (c2sp.org/tlog-proof): an index, hashes, and the signed checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from provenance.checkpoint import MAX_SIZE, parse_decimal
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.merkle import HASH_BYTES
from provenance.note import MAX_NOTE_BYTES

HEADER = "c2sp.org/tlog-proof@v1"
MAX_HASHES = MAX_SIZE.bit_length()
MAX_PROOF_BYTES = MAX_NOTE_BYTES + (8 << 10)


@dataclass(frozen=True)
class TlogProof:
    """One proof of inclusion, not yet verified. The format's `extra` line is not used and not accepted.

    Attributes:
        index: of the entry, from 0.
        hashes: from the leaf's sibling upwards, 32 bytes each.
        checkpoint: the signed note, verbatim.

    Raises:
        FormatError: a value out of range.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.index <= MAX_SIZE or len(self.hashes) > MAX_HASHES:
            raise FormatError("the inclusion proof's index or length is out of range")
        if any(len(item) != HASH_BYTES for item in self.hashes):
            raise FormatError("the inclusion proof holds a hash of the wrong length")

    def to_bytes(self) -> bytes:
        """Gives the text."""
        lines = [HEADER, f"index {self.index}", *(base64_text(item) for item in self.hashes)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.checkpoint

    @classmethod
    def parse(cls, untrusted: bytes) -> TlogProof:
        """Reads what `to_bytes` wrote.

        Raises:
            FormatError: not exactly this form, or too large.
        """
        if len(untrusted) > MAX_PROOF_BYTES:
            raise FormatError("the inclusion proof is too large", "too_large")
        head, gap, checkpoint = untrusted.partition(b"\n\n")
        try:
            header, index, *hashes = head.decode("ascii").split("\n")
        except ValueError:
            raise FormatError("the inclusion proof does not begin with its header and index") from None
        if not gap or header != HEADER or not index.startswith("index "):
            raise FormatError("the inclusion proof does not begin with its header and index")
        return cls(
            index=parse_decimal(index.removeprefix("index ")),
            hashes=tuple(base64_bytes(line) for line in hashes),
            checkpoint=checkpoint,
        )
