"""Merkle trees against RFC 6962: the published roots and proofs, and every way to bend a proof."""

from __future__ import annotations

import pytest

from provenance.errors import MerkleError
from provenance.merkle import (
    EMPTY_ROOT,
    completed_nodes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
    verify_tail,
)

# The leaves, roots and proofs of the certificate-transparency project's own tests.
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
FIRST_OF_EIGHT = [
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
]
SIX_TO_EIGHT = [
    "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
]


class Tree:
    """Nodes in memory."""

    def __init__(self, leaves: list[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.reads = 0
        for index, leaf in enumerate(leaves):
            for level, position, node in list(completed_nodes(index, leaf_hash(leaf), self.read)):
                self.nodes[level, position] = node

    def read(self, level: int, position: int) -> bytes:
        self.reads += 1
        return self.nodes[level, position]


TREE = Tree(LEAVES)


def hexes(proof: list[bytes]) -> list[str]:
    return [node.hex() for node in proof]


def test_the_published_roots() -> None:
    assert EMPTY_ROOT.hex() == ROOTS[0]
    assert [root_hash(size, TREE.read).hex() for size in range(9)] == ROOTS


def test_the_published_proofs() -> None:
    assert hexes(inclusion_proof(0, 8, TREE.read)) == FIRST_OF_EIGHT
    assert hexes(consistency_proof(6, 8, TREE.read)) == SIX_TO_EIGHT
    assert inclusion_proof(0, 1, TREE.read) == []
    assert consistency_proof(0, 8, TREE.read) == []
    assert consistency_proof(8, 8, TREE.read) == []


def test_a_large_tree_is_read_sparingly() -> None:
    leaves = [index.to_bytes(2, "big") for index in range(5000)]
    tree = Tree(leaves)
    tree.reads = 0
    root = root_hash(5000, tree.read)
    assert tree.reads <= 13
    for index in (0, 1, 2500, 4095, 4096, 4998, 4999):
        tree.reads = 0
        proof = inclusion_proof(index, 5000, tree.read)
        assert len(proof) <= 13
        assert tree.reads <= 26
        verify_inclusion(leaf_hash(leaves[index]), index, 5000, proof, root)


@pytest.mark.parametrize("size", range(1, 9))
def test_a_bent_inclusion_proof_is_refused(size: int) -> None:
    root = bytes.fromhex(ROOTS[size])
    for index in range(size):
        leaf = leaf_hash(LEAVES[index])
        proof = inclusion_proof(index, size, TREE.read)
        verify_inclusion(leaf, index, size, proof, root)
        bent = [
            (leaf_hash(b"other"), index, size, proof, root),
            (LEAVES[index].ljust(32, b"\0")[:32], index, size, proof, root),
            (leaf, index, size, [*proof, root], root),
            (leaf, index, size, [*proof, bytes(32)], root),
            (leaf, index, size, proof, bytes(32)),
            (leaf, size, size, proof, root),
            (leaf, -1, size, proof, root),
            (leaf, index, 0, proof, root),
            *((leaf, other, size, proof, root) for other in range(size) if other != index),
            *(
                (leaf, index, size, [*proof[:i], bytes([node[0] ^ 1]) + node[1:], *proof[i + 1 :]], root)
                for i, node in enumerate(proof)
            ),
        ]
        if proof:
            bent += [(leaf, index, size, proof[:-1], root), (leaf, index, size, proof[1:], root)]
        if len(proof) > 1:
            bent.append((leaf, index, size, proof[::-1], root))
        for arguments in bent:
            with pytest.raises(MerkleError):
                verify_inclusion(*arguments)


@pytest.mark.parametrize("new", range(9))
def test_a_bent_consistency_proof_is_refused(new: int) -> None:
    new_root = bytes.fromhex(ROOTS[new])
    for old in range(new + 1):
        old_root = bytes.fromhex(ROOTS[old])
        proof = consistency_proof(old, new, TREE.read)
        verify_consistency(old, new, proof, old_root, new_root)
        bent = [
            (old, new, [*proof, bytes(32)], old_root, new_root),
            (old, new, [*proof, new_root], old_root, new_root),
            (old, new, proof, bytes(32), new_root),
            (new + 1, new, proof, old_root, new_root),
            (-1, new, proof, old_root, new_root),
            *(
                (old, new, [*proof[:i], bytes([node[0] ^ 1]) + node[1:], *proof[i + 1 :]], old_root, new_root)
                for i, node in enumerate(proof)
            ),
        ]
        if old:
            bent.append((old, new, proof, old_root, bytes(32)))
        if proof:
            bent += [
                (old, new, [], old_root, new_root),
                (old, new, proof[1:], old_root, new_root),
                (old, new, proof[:-1], old_root, new_root),
            ]
        for arguments in bent:
            with pytest.raises(MerkleError):
                verify_consistency(*arguments)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 21, 32])
def test_the_end_of_a_tree_is_whole_or_refused(size: int) -> None:
    leaves = [leaf_hash(bytes([index])) for index in range(size)]
    tree = Tree([bytes([index]) for index in range(size)])
    root = root_hash(size, tree.read)
    for index in range(size):
        proof, tail = inclusion_proof(index, size, tree.read), leaves[index:]
        verify_tail(tail, index, size, proof, root)
        other = leaf_hash(b"other")
        bent = [
            [],
            tail[:-1],
            tail[1:],
            [*tail, other],
            *([*tail[:at], other, *tail[at + 1 :]] for at in range(len(tail))),
            *([*tail[:at], *tail[at + 1 :], other] for at in range(len(tail) - 1)),
        ]
        if len(tail) > 1:
            bent.append(tail[::-1])
        for wrong in bent:
            with pytest.raises(MerkleError):
                verify_tail(wrong, index, size, proof, root)
        with pytest.raises(MerkleError):
            verify_tail(tail, index, size, [*proof, other], root)
        with pytest.raises(MerkleError):
            verify_tail(tail, index, size, proof, other)


def test_a_tree_with_other_leaves_is_not_consistent() -> None:
    forked = Tree([*LEAVES[:3], b"other", *LEAVES[4:]])
    for old in range(4, 8):
        proof = consistency_proof(old, 8, forked.read)
        with pytest.raises(MerkleError):
            verify_consistency(old, 8, proof, bytes.fromhex(ROOTS[old]), root_hash(8, forked.read))


def test_proofs_of_what_is_not_there_are_not_made() -> None:
    for index, size in ((8, 8), (0, 0), (-1, 8)):
        with pytest.raises(MerkleError):
            inclusion_proof(index, size, TREE.read)
    for old, new in ((8, 7), (-1, 3)):
        with pytest.raises(MerkleError):
            consistency_proof(old, new, TREE.read)
