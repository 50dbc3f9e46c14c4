"""The one kind of transaction that anchors (EIP-1559), as it is made and as its signer reads it; and the one
that puts the contract on a chain in the first place, which no vault signs.

Whoever keeps the key is given the unsigned transaction and not its hash: so it can see for itself that it
pays nobody, and which tree head it moves its line forward to.
"""

from __future__ import annotations

from dataclasses import dataclass

from provenance.anchors.event import ANCHOR_SELECTOR, AnchorLine
from provenance.anchors.keccak import keccak256
from provenance.anchors.receipt import ADDRESS_BYTES
from provenance.anchors.rlp import RlpError, as_bytes, as_list, as_number, decode, encode, number
from provenance.checkpoint import CheckpointText
from provenance.errors import FormatError

MAX_TRANSACTION_BYTES = 1 << 10
SIGNATURE_BYTES = 65

_TYPE = b"\x02"
_FIELDS = 9


@dataclass(frozen=True)
class AnchorTransaction:
    """A call of a contract, which pays it nothing.

    Attributes:
        chain_id: of the chain (EIP-155); elsewhere the signature is worth nothing.
        nonce: how many transactions the sender made before.
        priority_wei: per gas, to whoever proposes the block.
        max_fee_wei: per gas, in all, at most.
        gas: at most.
        contract: 20 bytes; none where `call` becomes a contract (`contract_creation`).
        call: what it is told.
    """

    chain_id: int
    nonce: int
    priority_wei: int
    max_fee_wei: int
    gas: int
    contract: bytes
    call: bytes

    def to_sign(self) -> bytes:
        """Gives the bytes whose Keccak-256 is signed."""
        return _TYPE + encode(self._fields())

    def signed(self, signature: bytes) -> bytes:
        """Gives the transaction to send.

        Args:
            signature: over secp256k1: r and s, 32 bytes each, and the parity of y, one byte.

        Raises:
            FormatError: no such signature.
        """
        if len(signature) != SIGNATURE_BYTES or signature[-1] > 1:
            raise FormatError("a transaction's signature is malformed", "anchor_signature_malformed")
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:64]))
        return _TYPE + encode([*self._fields(), number(signature[-1]), number(r), number(s)])

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> AnchorTransaction:
        """Reads what `to_sign` gave.

        Raises:
            FormatError: anything else: also a transaction that pays or names an access list.
        """
        if len(untrusted) > MAX_TRANSACTION_BYTES:
            raise RlpError("the transaction is too large", "too_large")
        if untrusted[:1] != _TYPE:
            raise RlpError("the transaction is of another type")
        fields = as_list(decode(untrusted[1:]))
        if len(fields) != _FIELDS or fields[6] != b"" or fields[8] != ():
            raise RlpError("the transaction does more than call a contract")
        chain_id, nonce, priority, fee, gas = (as_number(field) for field in fields[:5])
        contract = as_bytes(fields[5], ADDRESS_BYTES)
        return cls(chain_id, nonce, priority, fee, gas, contract, as_bytes(fields[7]))

    def anchors(self, line: AnchorLine) -> CheckpointText:
        """Gives the tree head that this anchors, for a signer to compare with what it signed itself.

        Raises:
            FormatError: it calls something else, or is of another line.
        """
        selector, origin, words = self.call[:4], self.call[4:36], self.call[36:]
        if self.contract != line.contract or selector != ANCHOR_SELECTOR or origin != line.origin_word:
            raise FormatError("the transaction is not of this line of anchors", "anchor_of_another")
        return line.read_words(words)

    @property
    def most_wei(self) -> int:
        """What it can cost at most."""
        return self.gas * self.max_fee_wei

    def _fields(self) -> list[bytes | list[bytes]]:
        numbers = (self.chain_id, self.nonce, self.priority_wei, self.max_fee_wei, self.gas)
        return [*map(number, numbers), self.contract, b"", self.call, []]


def contract_creation(
    *, chain_id: int, nonce: int, priority_wei: int, max_fee_wei: int, gas: int, code: bytes
) -> AnchorTransaction:
    """Gives the transaction that makes a contract of its creation code; `from_bytes` takes none such."""
    return AnchorTransaction(chain_id, nonce, priority_wei, max_fee_wei, gas, b"", code)


def signed_hash(transaction: bytes) -> bytes:
    """Gives the name of a signed transaction on the chain, 32 bytes."""
    return keccak256(transaction)
