"""Anchor files of a block that never was, with other transactions' receipts around ours: without a chain."""

from __future__ import annotations

from functools import cache

from provenance.anchors.anchor_proof import AnchorProof
from provenance.anchors.event import AnchorLine
from provenance.anchors.keccak import keccak256
from provenance.anchors.rlp import encode, number
from provenance.anchors.trie_building import trie_proof
from provenance.checkpoint import CheckpointText

LINE = AnchorLine(b"\x01" * 20, b"\x02" * 20, "bauta.test/log")
HEAD = CheckpointText(LINE.origin, 5, keccak256(b"root"))


def event(line: AnchorLine = LINE, checkpoint: CheckpointText = HEAD) -> list[object]:
    """What the contract says."""
    return [line.contract, list(line.topics), checkpoint.size.to_bytes(32, "big") + checkpoint.root]


def receipt(events: list[object], status: int = 1, kind: int = 2) -> bytes:
    """A receipt; the filter is not looked at."""
    return number(kind) + encode([number(status), number(21_000), bytes(256), events])  # type: ignore[list-item]


def header(receipts_root: bytes, fields: int = 21) -> bytes:
    """A header of as many fields."""
    content = [b"\x11" * 32] * fields
    content[5], content[6], content[8], content[11] = (
        receipts_root,
        bytes(256),
        number(7),
        number(1_700_000_000),
    )
    return encode(content)


@cache
def proof(index: int = 3, others: int = 200, ours: bytes = b"") -> AnchorProof:
    """The receipt at an index among others."""
    receipts = {encode(number(place)): receipt([], kind=place % 4) for place in range(others)}
    receipts[encode(number(index))] = ours or receipt([[b"\x09" * 20, [], b"other"], event()])
    root, nodes = trie_proof(receipts, encode(number(index)))
    return AnchorProof(header(root), index, 0 if ours else 1, nodes)
