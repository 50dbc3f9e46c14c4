"""The key that sends this log's tree heads to a public chain, and the one kind of transaction that it signs.

The front desk makes the transactions and speaks to the chain. It says neither which chain and contract, nor
what an anchor may cost: the vault was told that when it was started, and reads each transaction itself. It
signs no tree head but one that it signed as a checkpoint, or that is the beginning of one.

The key is made when it is first needed and lasts as long as the installation: it is the sender of all anchors
of this log, and readers know them by its address. It holds the money that anchors cost, and nothing else
hangs on it: who steals it can spend that, and anchor other trees, which no checkpoint of the log then fits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from keyvault.signing.secp256k1 import ChainKeyError, address_of, load_chain_key, new_chain_key, sign_digest
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret
from keyvault.vault.ratchet import CheckpointRatchet
from provenance.anchors.event import AnchorLine
from provenance.anchors.keccak import keccak256
from provenance.anchors.receipt import ADDRESS_BYTES
from provenance.anchors.transaction import AnchorTransaction
from provenance.errors import ProvenanceError

ENTRY = "anchoring"


@dataclass(frozen=True)
class AnchorOrders:
    """What the operator lets this vault sign for a chain.

    Attributes:
        chain_id: of the chain (EIP-155).
        contract: address, 20 bytes.
        max_wei: that one transaction may cost.

    Raises:
        VaultStartError: vault_config_invalid.
    """

    chain_id: int
    contract: bytes
    max_wei: int

    def __post_init__(self) -> None:
        if self.chain_id < 1 or self.max_wei < 1 or len(self.contract) != ADDRESS_BYTES:
            raise VaultStartError(
                "vault_config_invalid", "anchoring takes a chain, a contract's address and what it may cost"
            )


class AnchorDesk:
    """Signs anchors. Thread-safe.

    Args:
        key: PKCS #8, DER, in protected memory.
        orders: what may be signed.
        ratchet: knows what was signed as a checkpoint.
        origin: of the log.

    Raises:
        VaultStartError: vault_store_corrupt.
    """

    def __init__(self, key: Secret, orders: AnchorOrders, ratchet: CheckpointRatchet, origin: str) -> None:
        self._key = key
        self._orders = orders
        self._ratchet = ratchet
        try:
            self.anchorer = address_of(load_chain_key(key.view).public_key())
        except ChainKeyError:
            raise VaultStartError("vault_store_corrupt", "the stored chain key has an unknown form") from None
        self._line = AnchorLine(orders.contract, self.anchorer, origin)

    def sign(self, untrusted_transaction: bytes, untrusted_consistency: Sequence[bytes]) -> bytes:
        """Gives r, s (32 bytes each) and the parity of y (one byte) over a transaction that anchors.

        Args:
            untrusted_transaction: unsigned, as `AnchorTransaction.to_sign` gives it.
            untrusted_consistency: the proof from the anchored tree to the last signed one (RFC 6962, 2.1.2).

        Raises:
            VaultRequestError: anchor_malformed, anchor_wrong_chain, anchor_of_another, anchor_too_dear,
                checkpoint_not_signed.
        """
        try:
            transaction = AnchorTransaction.from_bytes(untrusted_transaction)
        except ProvenanceError:
            raise VaultRequestError(
                "anchor_malformed", "the transaction does more than call, or is none"
            ) from None
        if transaction.chain_id != self._orders.chain_id:
            raise VaultRequestError("anchor_wrong_chain", "the transaction is for another chain")
        try:
            checkpoint = transaction.anchors(self._line)
        except ProvenanceError:
            raise VaultRequestError("anchor_of_another", "the transaction is not of this line") from None
        if transaction.most_wei > self._orders.max_wei:
            raise VaultRequestError(
                "anchor_too_dear", "the transaction may cost more than the operator allows"
            )
        if not checkpoint.size:
            raise VaultRequestError("checkpoint_not_signed", "an empty tree is not anchored")
        self._ratchet.require_signed(checkpoint, untrusted_consistency)
        return sign_digest(load_chain_key(self._key.view), keccak256(transaction.to_sign()))


def load_anchor_desk(
    store: Keystore, orders: AnchorOrders | None, ratchet: CheckpointRatchet, origin: str
) -> AnchorDesk | None:
    """Reads the key, and makes it where there is none; None where the operator asks for no anchors.

    Raises:
        VaultStartError: vault_store_corrupt or vault_store_unwritable.
    """
    if orders is None:
        return None
    if not store.has(ENTRY):
        with Secret.moved_from(new_chain_key()) as fresh:
            try:
                store.write(ENTRY, fresh.view)
            except VaultRequestError as refusal:
                raise VaultStartError(refusal.code, str(refusal)) from None
    return AnchorDesk(store.read_secret(ENTRY), orders, ratchet, origin)
