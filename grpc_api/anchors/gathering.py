"""A proof from what a node says of one block. None of it is believed: header and trie are made anew from it,
and must have the hash and the root that they should have."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hexbytes import HexBytes

from grpc_api.anchors.web import BlockData, TxReceipt, Web3, Web3Exception
from provenance.anchors.anchor_proof import AnchorProof
from provenance.anchors.event import AnchorLine
from provenance.anchors.header import BlockHeader
from provenance.anchors.keccak import keccak256
from provenance.anchors.receipt import MAX_INDEX
from provenance.anchors.rlp import Encodable, encode, number
from provenance.anchors.trie_building import trie_proof
from provenance.errors import FormatError

HeaderSource = Callable[[bytes], bytes]
"""Gives a header in RLP by its block's hash, from elsewhere than the node's JSON."""

_BLOOM_BYTES = 256
# In the header's order; a number is written without leading zeros, anything else as it is.
_FIELDS = (
    ("parentHash", 32),
    ("sha3Uncles", 32),
    ("miner", 20),
    ("stateRoot", 32),
    ("transactionsRoot", 32),
    ("receiptsRoot", 32),
    ("logsBloom", _BLOOM_BYTES),
    ("difficulty", None),
    ("number", None),
    ("gasLimit", None),
    ("gasUsed", None),
    ("timestamp", None),
    ("extraData", 0),
    ("mixHash", 32),
    ("nonce", 8),
    ("baseFeePerGas", None),
    ("withdrawalsRoot", 32),
    ("blobGasUsed", None),
    ("excessBlobGas", None),
    ("parentBeaconBlockRoot", 32),
    ("requestsHash", 32),
)


def gather(
    node: Web3, line: AnchorLine, transaction_hash: bytes, header_source: HeaderSource | None = None
) -> AnchorProof:
    """Gathers the proof that a transaction anchored, and checks it.

    Raises:
        ProvenanceError: the node's answers do not make one.
        Web3Exception: no such transaction in a block, or the node refuses.
    """
    receipt = node.eth.get_transaction_receipt(HexBytes(transaction_hash))
    block = node.eth.get_block(receipt["blockHash"])
    header = header_source(bytes(block["hash"])) if header_source else header_bytes(block)
    if BlockHeader.from_bytes(header).block_hash != bytes(block["hash"]):
        raise FormatError("the node's header does not have its block's hash", "anchor_header_unknown")
    index = receipt["transactionIndex"]
    receipts = {encode(number(place)): receipt_bytes(one) for place, one in enumerate(_receipts(node, block))}
    root, nodes = trie_proof(receipts, encode(number(index)))
    if root != BlockHeader.from_bytes(header).receipts_root:
        raise FormatError("the node's receipts do not make their block's root", "anchor_receipts_unknown")
    proof = AnchorProof(header, index, _event_index(line, receipt), nodes)
    proof.check(line)
    return proof


def header_bytes(block: Mapping[str, Any]) -> bytes:
    """Makes a header from a node's JSON, as web3 reads it, with as many of the later forks' fields as it has.

    Raises:
        FormatError: `anchor_header_unknown`, a field that is needed is not there.
    """
    fields: list[Encodable] = []
    for name, length in _FIELDS:
        if block.get(name) is None:
            break
        value = block[name]
        # An in-process chain shortens what is all zeros.
        fields.append(number(value) if length is None else bytes(HexBytes(value)).rjust(length, b"\0"))
    if len(fields) < 15:
        raise FormatError("the node's header lacks a field", "anchor_header_unknown")
    return encode(fields)


def receipt_bytes(receipt: Mapping[str, Any]) -> bytes:
    """Makes a receipt from a node's JSON, as web3 reads it."""
    events = [
        (
            bytes(HexBytes(log["address"])),
            [bytes(topic) for topic in log["topics"]],
            bytes(HexBytes(log["data"])),
        )
        for log in receipt["logs"]
    ]
    fields: list[Encodable] = [
        number(receipt["status"]),
        number(receipt["cumulativeGasUsed"]),
        _bloom([word for contract, topics, _ in events for word in (contract, *topics)]),
        events,
    ]
    kind = receipt.get("type", 0)
    return number(kind if isinstance(kind, int) else int(kind, 16)) + encode(fields)


def _bloom(words: Sequence[bytes]) -> bytes:
    """The filter over events' contracts and topics (yellow paper, 4.3.1): three bits of 2048 a word."""
    bits = 0
    for word in words:
        digest = keccak256(word)
        for start in (0, 2, 4):
            bits |= 1 << (int.from_bytes(digest[start : start + 2], "big") % (8 * _BLOOM_BYTES))
    return bits.to_bytes(_BLOOM_BYTES, "big")


def _receipts(node: Web3, block: BlockData) -> Sequence[TxReceipt]:
    names = block["transactions"]
    if len(names) > MAX_INDEX:
        raise FormatError("the node names more transactions than a block holds", "too_large")
    try:
        return node.eth.get_block_receipts(block["number"])
    except Web3Exception:
        # Not every node gives all of them at once.
        return [node.eth.get_transaction_receipt(name) for name in names if isinstance(name, bytes)]


def _event_index(line: AnchorLine, receipt: TxReceipt) -> int:
    for place, log in enumerate(receipt["logs"]):
        topics = tuple(bytes(topic) for topic in log["topics"])
        if bytes(HexBytes(log["address"])) == line.contract and topics == line.topics:
            return place
    raise FormatError("the transaction did not anchor on this line", "anchor_of_another")
