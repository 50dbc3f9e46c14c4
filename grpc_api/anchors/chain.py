"""One line of anchors on one chain: send a tree head, and gather its proof when it is settled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eth_typing import ChecksumAddress
from hexbytes import HexBytes

from grpc_api.anchors.config import MAX_GAS
from grpc_api.anchors.contract import compiled
from grpc_api.anchors.gathering import HeaderSource, gather
from grpc_api.anchors.web import TransactionNotFound, TxParams, Web3, Wei
from grpc_api.errors import precondition
from provenance.anchors.anchor_proof import AnchorProof
from provenance.anchors.event import AnchorLine
from provenance.anchors.receipt import TRANSACTION_FAILED
from provenance.anchors.transaction import AnchorTransaction, signed_hash
from provenance.checkpoint import CheckpointText
from provenance.errors import FormatError

SignTransaction = Callable[[bytes], bytes]
"""Takes `AnchorTransaction.to_sign()`, gives r, s and the parity of y, 65 bytes."""

MAX_BUMPS = 10


@dataclass(frozen=True)
class ChainLimits:
    """What may be spent, and what counts as settled.

    Attributes:
        confirmations: blocks that must follow before a proof is gathered: a young one can be replaced.
        gas: of one anchor.
        priority_wei: per gas, to whoever proposes the block.
        max_fee_wei: per gas, in all; when the chain asks more, nothing is sent.
    """

    confirmations: int = 12
    gas: int = MAX_GAS
    priority_wei: int = 1_000_000_000
    max_fee_wei: int = 100_000_000_000


@dataclass(frozen=True)
class Sent:
    """A tree head on its way.

    Attributes:
        size: of the tree.
        nonce: of the transaction; of all with one nonce, one at most gets into a block.
        transaction_hash: 32 bytes.
    """

    size: int
    nonce: int
    transaction_hash: bytes


@dataclass(frozen=True)
class AnchorChain:
    """A chain, and what we do there.

    Attributes:
        node: web3 over a node (`transport.open_node`).
        chain_id: which chain it must be; a node of another one is refused.
        line: contract, sender and log.
        sign: the sender's key.
        limits: of money and time.
        header_source: for nodes whose JSON does not give headers exactly.
    """

    node: Web3
    chain_id: int
    line: AnchorLine
    sign: SignTransaction
    limits: ChainLimits = ChainLimits()
    header_source: HeaderSource | None = None

    def send(self, checkpoint: CheckpointText, bumps: int = 0) -> Sent:
        """Hands a tree head to the chain; whether it gets in is not known yet.

        Args:
            checkpoint: of the line's log, not empty, and not smaller than the last.
            bumps: how many that were sent may still be waiting. Each offers a quarter more than the one
                before, as far as the limit goes, so as to replace it.

        Raises:
            ServiceError: `anchor_wrong_chain`; `anchor_contract_unknown`; `anchor_goes_back`;
                `anchor_fee_too_high`.
            ProvenanceError: a checkpoint that is not of this line.
            Web3Exception: the node refuses.
        """
        self._require_contract()
        self._require_forward(checkpoint)
        priority, fee = self._fees(min(bumps, MAX_BUMPS))
        transaction = AnchorTransaction(
            chain_id=self.chain_id,
            nonce=self.node.eth.get_transaction_count(_checksummed(self.line.anchorer)),
            priority_wei=priority,
            max_fee_wei=fee,
            gas=self.limits.gas,
            contract=self.line.contract,
            call=self.line.call_to_anchor(checkpoint),
        )
        signed = transaction.signed(self.sign(transaction.to_sign()))
        self.node.eth.send_raw_transaction(HexBytes(signed))
        return Sent(checkpoint.size, transaction.nonce, signed_hash(signed))

    def settled(self, transaction_hash: bytes) -> AnchorProof | None:
        """Gathers the proof of a transaction; None while it is in no block, or in one that is too young.

        Raises:
            ProvenanceError: the node's answers do not make a proof, or the transaction failed.
            Web3Exception: the node refuses.
        """
        try:
            receipt = self.node.eth.get_transaction_receipt(HexBytes(transaction_hash))
        except TransactionNotFound:
            return None
        if self.node.eth.block_number - receipt["blockNumber"] < self.limits.confirmations:
            return None
        if receipt["status"] != 1:
            raise FormatError("the transaction failed, so that nothing was anchored", TRANSACTION_FAILED)
        return gather(self.node, self.line, transaction_hash, self.header_source)

    def latest(self) -> CheckpointText | None:
        """Asks the contract for the line's last anchor; None before the first. The node's word, unproven.

        Raises:
            ProvenanceError: an answer of another form.
            Web3Exception: the node refuses.
        """
        call: TxParams = {
            "to": _checksummed(self.line.contract),
            "data": HexBytes(self.line.call_for_latest),
        }
        found = self.line.read_words(bytes(self.node.eth.call(call)))
        return found if found.size else None

    def _fees(self, bumps: int) -> tuple[int, int]:
        most = self.limits.max_fee_wei
        base = self.node.eth.get_block("latest").get("baseFeePerGas", Wei(0))
        if base + self.limits.priority_wei > most:
            raise precondition("anchor_fee_too_high", "The chain asks more for an anchor than is allowed.")
        priority = min(self.limits.priority_wei * 5**bumps // 4**bumps, most)
        return priority, min(2 * base * 5**bumps // 4**bumps + priority, most)

    def _require_forward(self, checkpoint: CheckpointText) -> None:
        # The contract would refuse it, too, and be paid for that.
        latest = self.latest()
        if latest is None or checkpoint.size > latest.size or checkpoint == latest:
            return
        raise precondition(
            "anchor_goes_back",
            "The chain holds a larger tree of this log, or another: the log was set back, or has a twin.",
        )

    def _require_contract(self) -> None:
        if self.node.eth.chain_id != self.chain_id:
            raise precondition("anchor_wrong_chain", "The node is of another chain than the configured one.")
        if bytes(self.node.eth.get_code(_checksummed(self.line.contract))) != compiled().runtime_code:
            raise precondition(
                "anchor_contract_unknown",
                "At the contract's address stands something else than our contract.",
            )


def _checksummed(address: bytes) -> ChecksumAddress:
    return Web3.to_checksum_address(address)
