"""Puts the contract on a chain, once, by whoever pays for it: it has no owner afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from hexbytes import HexBytes

from grpc_api.anchors.chain import SignTransaction
from grpc_api.anchors.contract import compiled
from grpc_api.anchors.web import TransactionNotFound, TxReceipt, Web3, Web3Exception, Wei
from grpc_api.errors import precondition, unavailable
from provenance.anchors.address import format_address
from provenance.anchors.transaction import contract_creation

MAX_DEPLOYMENT_GAS = 400_000
"""Measured 217,191."""

PRIORITY_WEI = 1_000_000_000
_LOOK_SECONDS = 2.0


@dataclass(frozen=True)
class Deployment:
    """The contract, where it now stands.

    Attributes:
        contract: address, 20 bytes.
        block: number.
        gas: used.
    """

    contract: bytes
    block: int
    gas: int


def deploy(
    node: Web3,
    chain_id: int,
    payer: bytes,
    sign: SignTransaction,
    *,
    max_fee_wei: int,
    wait_seconds: float,
    pause: Callable[[float], None] = time.sleep,
) -> Deployment:
    """Deploys, waits until it is in a block, and compares the code that stands there.

    Args:
        node: of the chain.
        chain_id: which one it must be.
        payer: address, 20 bytes.
        sign: the payer's key.
        max_fee_wei: per gas, at most.
        wait_seconds: for a block.
        pause: sleeps.

    Raises:
        ServiceError: `anchor_wrong_chain`, `anchor_fee_too_high`, `anchor_unfunded`,
            `anchor_chain_unavailable`, `anchor_contract_unknown`.
    """
    try:
        sent = _send(node, chain_id, payer, sign, max_fee_wei)
        receipt = _awaited(node, sent, time.monotonic() + wait_seconds, pause)
        contract = receipt["contractAddress"]
        if (
            receipt["status"] != 1
            or contract is None
            or bytes(node.eth.get_code(contract)) != compiled().runtime_code
        ):
            raise precondition(
                "anchor_contract_unknown", "The chain took the contract, and holds another code."
            )
        return Deployment(bytes(HexBytes(contract)), receipt["blockNumber"], receipt["gasUsed"])
    # A node that answers with other types than it should makes web3 raise any of these.
    except (Web3Exception, KeyError, TypeError, ValueError):
        raise unavailable("anchor_chain_unavailable", "The chain's node refused, or made no sense.") from None


def _send(node: Web3, chain_id: int, payer: bytes, sign: SignTransaction, max_fee_wei: int) -> HexBytes:
    if node.eth.chain_id != chain_id:
        raise precondition("anchor_wrong_chain", "The node is of another chain than the one that was named.")
    base = node.eth.get_block("latest").get("baseFeePerGas", Wei(0))
    fee = min(2 * base + PRIORITY_WEI, max_fee_wei)
    if base + PRIORITY_WEI > max_fee_wei:
        raise precondition("anchor_fee_too_high", "The chain asks more than --max-fee-wei allows.")
    address = Web3.to_checksum_address(payer)
    if node.eth.get_balance(address) < MAX_DEPLOYMENT_GAS * fee:
        raise precondition(
            "anchor_unfunded",
            f"The address {format_address(payer)} cannot pay: it needs {MAX_DEPLOYMENT_GAS * fee} wei.",
        )
    transaction = contract_creation(
        chain_id=chain_id,
        nonce=node.eth.get_transaction_count(address),
        priority_wei=PRIORITY_WEI,
        max_fee_wei=fee,
        gas=MAX_DEPLOYMENT_GAS,
        code=compiled().creation_code,
    )
    return node.eth.send_raw_transaction(HexBytes(transaction.signed(sign(transaction.to_sign()))))


def _awaited(node: Web3, sent: HexBytes, deadline: float, pause: Callable[[float], None]) -> TxReceipt:
    while True:
        try:
            return node.eth.get_transaction_receipt(sent)
        except TransactionNotFound:
            if time.monotonic() > deadline:
                raise unavailable(
                    "anchor_chain_unavailable",
                    "The deployment was sent and is in no block yet; look for it, or raise --wait.",
                ) from None
        pause(_LOOK_SECONDS)
