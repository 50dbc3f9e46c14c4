"""A second Merkle tree, written from the recursive definitions of RFC 6962, section 2.1, checks the log's.

It knows nothing of stored nodes or of the iterative verification of RFC 9162, and shares no code with ours.
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from provenance.merkle import (
    completed_nodes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

SIZES = range(71)
ENTRIES = [b"entry %d" % number for number in range(70)]


def split(n: int) -> int:
    """The largest power of two smaller than n, by the RFC's words."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


def mth(d: list[bytes]) -> bytes:
    """Merkle Tree Hash."""
    if not d:
        return sha256(b"").digest()
    if len(d) == 1:
        return sha256(b"\x00" + d[0]).digest()
    k = split(len(d))
    return sha256(b"\x01" + mth(d[:k]) + mth(d[k:])).digest()


def path(m: int, d: list[bytes]) -> list[bytes]:
    """Merkle audit path."""
    if len(d) == 1:
        return []
    k = split(len(d))
    return [*path(m, d[:k]), mth(d[k:])] if m < k else [*path(m - k, d[k:]), mth(d[:k])]


def subproof(m: int, d: list[bytes], complete: bool) -> list[bytes]:
    """Merkle consistency proof."""
    if m == len(d):
        return [] if complete else [mth(d)]
    k = split(len(d))
    if m <= k:
        return [*subproof(m, d[:k], complete), mth(d[k:])]
    return [*subproof(m - k, d[k:], False), mth(d[:k])]


@pytest.fixture(scope="module")
def nodes() -> dict[tuple[int, int], bytes]:
    stored: dict[tuple[int, int], bytes] = {}
    for index, entry in enumerate(ENTRIES):
        completed = completed_nodes(index, leaf_hash(entry), lambda level, place: stored[level, place])
        for level, place, node in list(completed):
            assert (level, place) not in stored
            stored[level, place] = node
    return stored


def test_every_root_is_the_same(nodes: dict[tuple[int, int], bytes]) -> None:
    for size in SIZES:
        assert root_hash(size, lambda level, place: nodes[level, place]) == mth(ENTRIES[:size])


def test_every_inclusion_proof_is_the_same_and_verifies(nodes: dict[tuple[int, int], bytes]) -> None:
    for size in SIZES:
        root = mth(ENTRIES[:size])
        for index in range(size):
            proof = inclusion_proof(index, size, lambda level, place: nodes[level, place])
            assert proof == path(index, ENTRIES[:size])
            verify_inclusion(leaf_hash(ENTRIES[index]), index, size, proof, root)


def test_every_consistency_proof_is_the_same_and_verifies(nodes: dict[tuple[int, int], bytes]) -> None:
    roots = [mth(ENTRIES[:size]) for size in SIZES]
    for new in SIZES:
        for old in range(new + 1):
            proof = consistency_proof(old, new, lambda level, place: nodes[level, place])
            assert proof == (subproof(old, ENTRIES[:new], True) if old else [])
            verify_consistency(old, new, proof, roots[old], roots[new])
