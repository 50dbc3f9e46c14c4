"""The anchor file, and the check of one against a block that the reader believes.

It shows: in the block with this hash, a transaction of this anchorer succeeded, in which this contract said
that it anchored this tree head. That the block is part of the chain is not in it: the reader brings a block
hash or a saved header from where they believe it, an own node or several explorers.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from provenance import canonical
from provenance.anchors.event import AnchorLine
from provenance.anchors.header import MAX_HEADER_BYTES, BlockHeader
from provenance.anchors.receipt import MAX_INDEX, read_receipt
from provenance.anchors.rlp import encode, number
from provenance.anchors.trie import MAX_NODE_BYTES, MAX_NODES, proven_value
from provenance.checkpoint import CheckpointText
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError, SignatureError
from provenance.merkle import verify_consistency

MAX_ANCHOR_FILE_BYTES = 64 << 10
FILE_TYPE = "https://bauta.dev/anchor/v1"

_KEYS = {"type", "header", "transaction", "event", "nodes"}


@dataclass(frozen=True)
class AnchorProof:
    """An anchor as it is kept, nothing of it checked.

    Attributes:
        header: of the block, RLP.
        transaction: its index in the block; the receipt's key in the trie.
        event: the index among the receipt's events.
        nodes: of the receipts' trie, from the root down to the receipt.
    """

    header: bytes
    transaction: int
    event: int
    nodes: tuple[bytes, ...]

    def to_bytes(self) -> bytes:
        """Gives the file: canonical JSON and a newline.

        Raises:
            FormatError: larger than a reader would take.
        """
        encoded = canonical.dumps(self.to_object()) + b"\n"
        self.from_bytes(encoded)
        return encoded

    def to_object(self) -> dict[str, Any]:
        """Gives what the file holds, as JSON has it."""
        return {
            "type": FILE_TYPE,
            "header": base64_text(self.header),
            "transaction": self.transaction,
            "event": self.event,
            "nodes": [base64_text(node) for node in self.nodes],
        }

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> AnchorProof:
        """Reads a file.

        Raises:
            FormatError: too large, or anything that `to_bytes` does not write.
        """
        if not untrusted.endswith(b"\n"):
            raise FormatError("the anchor file does not end with a newline")
        return cls.from_object(canonical.loads(untrusted[:-1], MAX_ANCHOR_FILE_BYTES))

    @classmethod
    def from_object(cls, untrusted: Any) -> AnchorProof:
        """Reads what `to_object` gave.

        Raises:
            FormatError: anything else, or a part over its limit.
        """
        content = untrusted
        if not isinstance(content, dict) or set(content) != _KEYS or content["type"] != FILE_TYPE:
            raise FormatError("the anchor file does not have its fields, or is of another version")
        nodes = content["nodes"]
        if not isinstance(nodes, list) or not 1 <= len(nodes) <= MAX_NODES:
            raise FormatError("the anchor file has no proof, or too long a one")
        return cls(
            header=_capped(content["header"], MAX_HEADER_BYTES),
            transaction=_index(content["transaction"]),
            event=_index(content["event"]),
            nodes=tuple(_capped(node, MAX_NODE_BYTES) for node in nodes),
        )

    def check(self, line: AnchorLine) -> Anchor:
        """Checks everything but whether there is such a block.

        Raises:
            FormatError: malformed, of another line, or of a transaction that failed.
            MerkleError: `anchor_proof_broken`, the receipt is not of this block.
        """
        header = BlockHeader.from_bytes(self.header)
        key = encode(number(self.transaction))
        events = read_receipt(proven_value(header.receipts_root, key, self.nodes))
        if self.event >= len(events):
            raise FormatError("the receipt has no such event", "anchor_of_another")
        return Anchor(header, line.read_event(events[self.event]))


@dataclass(frozen=True)
class Anchor:
    """A tree head in a block.

    Attributes:
        block: where.
        checkpoint: the tree head; no log signed it here.
    """

    block: BlockHeader
    checkpoint: CheckpointText


def verify_anchor(untrusted_file: bytes, line: AnchorLine, believed_blocks: Collection[bytes]) -> Anchor:
    """Checks an anchor file, offline.

    Args:
        untrusted_file: what `AnchorProof.to_bytes` wrote.
        line: whose anchors are believed.
        believed_blocks: hashes of blocks that the reader knows to be of the chain, 32 bytes each; that of a
            saved header is `BlockHeader.from_bytes(saved).block_hash`.

    Returns:
        The anchor. The caller compares its tree head with a verified checkpoint (`require_anchored`).

    Raises:
        FormatError: malformed, of another line, or of a transaction that failed.
        MerkleError: `anchor_proof_broken`, the receipt is not of this block.
        SignatureError: `anchor_block_not_believed`.
    """
    anchor = AnchorProof.from_bytes(untrusted_file).check(line)
    require_believed(anchor, believed_blocks)
    return anchor


def require_believed(anchor: Anchor, believed_blocks: Collection[bytes]) -> None:
    """Checks that an anchor lies in a block that the reader believes to be on the chain.

    Raises:
        SignatureError: `anchor_block_not_believed`.
    """
    if anchor.block.block_hash not in believed_blocks:
        raise SignatureError(
            f"the anchor claims to lie in block {anchor.block.number}, and no block that you named is that "
            "one: ask a node, or several explorers, for the hash of the block with this number",
            "anchor_block_not_believed",
        )


def require_anchored(anchor: Anchor, checkpoint: CheckpointText, consistency: Sequence[bytes] = ()) -> None:
    """Checks that a verified checkpoint is anchored: itself, or as the beginning of a larger tree that is.

    Args:
        anchor: verified.
        checkpoint: verified, with its log's signatures.
        consistency: RFC 6962 proof from the checkpoint to the anchored tree; empty at the same size.

    Raises:
        FormatError: `anchor_of_another`, an anchor of another log, or of a smaller tree.
        MerkleError: another tree, or a proof that does not hold.
    """
    anchored = anchor.checkpoint
    if anchored.origin != checkpoint.origin or not 0 < checkpoint.size <= anchored.size:
        raise FormatError("the anchor is of another log, or of a smaller tree", "anchor_of_another")
    verify_consistency(checkpoint.size, anchored.size, consistency, checkpoint.root, anchored.root)


def _capped(encoded: Any, max_bytes: int) -> bytes:
    content = base64_bytes(encoded)
    if len(content) > max_bytes:
        raise FormatError("a part of the anchor file is too large", "too_large")
    return content


def _index(value: Any) -> int:
    if type(value) is not int or not 0 <= value <= MAX_INDEX:
        raise FormatError("an index of the anchor file is out of range")
    return value
