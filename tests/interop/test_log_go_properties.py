"""Merkle properties against Go's `tlog`: any size, any place, any two trees; what one accepts, both accept.

Small trees are grown by both sides from the same entries. Proofs in trees of up to 2^62 leaves can be made as
well where all leaves are equal, for then all complete subtrees of one height are.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from go_peer import Stranger
from hypothesis import given, settings
from hypothesis import strategies as st

from provenance.errors import MerkleError
from provenance.merkle import (
    completed_nodes,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    root_hash,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 3000
ENTRIES = [b"entry %d" % number for number in range(LARGEST)]
BOUNDED = settings(max_examples=1000, deadline=None)


def sizes_up_to(largest: int) -> st.SearchStrategy[int]:
    """Sizes of trees; powers of two and their neighbours, where the shape changes, more often than chance."""
    powers = st.integers(0, largest.bit_length() - 1).map(lambda exponent: 1 << exponent)
    near = st.tuples(powers, st.integers(-1, 1)).map(lambda pair: min(max(1, sum(pair)), largest))
    return st.one_of(near, st.integers(1, largest))


SMALL = sizes_up_to(LARGEST)
HUGE = sizes_up_to(2**62)


def ordered(sizes: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[int, int]]:
    """Two numbers, the smaller one first."""
    return st.tuples(sizes, sizes).map(lambda pair: (min(pair), max(pair)))


def placed(sizes: st.SearchStrategy[int]) -> st.SearchStrategy[tuple[int, int]]:
    """A leaf's index and the size of a tree that has it."""
    return ordered(sizes).map(lambda pair: (pair[0] - 1, pair[1]))


@cache
def node(level: int, position: int) -> bytes:
    """Of the tree of `ENTRIES`."""
    return grown_nodes()[level, position]


@cache
def grown_nodes() -> dict[tuple[int, int], bytes]:
    stored: dict[tuple[int, int], bytes] = {}
    for index, entry in enumerate(ENTRIES):
        completed = completed_nodes(index, leaf_hash(entry), lambda level, place: stored[level, place])
        for level, place, found in list(completed):
            stored[level, place] = found
    return stored


@cache
def uniform_node(level: int, _position: int = 0) -> bytes:
    """Of a tree whose leaves are all equal."""
    return node_hash(uniform_node(level - 1), uniform_node(level - 1)) if level else leaf_hash(b"the same")


@pytest.fixture(scope="module")
def grown(stranger: Stranger) -> Stranger:
    """Has taken every one of `ENTRIES` into a tree of its own."""
    assert stranger.ask("grow", entries=ENTRIES).size == LARGEST
    return stranger


def accepts(check: Callable[..., None], *claim: object) -> bool:
    """Whether we do."""
    try:
        check(*claim)
    except MerkleError:
        return False
    return True


@BOUNDED
@given(place=placed(SMALL))
def test_roots_and_inclusion_proofs_are_the_same_bytes(grown: Stranger, place: tuple[int, int]) -> None:
    index, size = place
    assert root_hash(size, node) == grown.ask("root", size=size).root
    theirs = grown.ask("prove_inclusion", index=index, size=size)
    assert theirs.error == ""
    assert inclusion_proof(index, size, node) == theirs.proof


@BOUNDED
@given(sizes=ordered(SMALL))
def test_consistency_proofs_are_the_same_bytes(grown: Stranger, sizes: tuple[int, int]) -> None:
    old_size, size = sizes
    theirs = grown.ask("prove_consistency", old_size=old_size, size=size)
    assert theirs.error == ""
    assert consistency_proof(old_size, size, node) == theirs.proof


@BOUNDED
@given(place=placed(HUGE), claimed=st.one_of(st.none(), HUGE), dropped=st.integers(-1, 62))
def test_both_judge_any_inclusion_alike(
    stranger: Stranger, place: tuple[int, int], claimed: int | None, dropped: int
) -> None:
    """Sound, of another size, or with a hash dropped; in a uniform tree another size may hold as well."""
    index, size = place
    root, leaf = root_hash(size, uniform_node), uniform_node(0)
    proof = inclusion_proof(index, size, uniform_node)
    spoiled = dropped in range(len(proof))
    if spoiled:
        del proof[dropped]
    told = claimed if claimed is not None and claimed > index else size
    theirs = stranger.ask("check_inclusion", index=index, size=told, root=root, leaf=leaf, proof=proof)
    ours = accepts(verify_inclusion, leaf, index, told, proof, root)
    assert ours == (theirs.error == "")
    if told == size:
        assert ours != spoiled


@BOUNDED
@given(sizes=ordered(HUGE), claimed=st.one_of(st.none(), HUGE), dropped=st.integers(-1, 62))
def test_both_judge_any_consistency_alike(
    stranger: Stranger, sizes: tuple[int, int], claimed: int | None, dropped: int
) -> None:
    old_size, size = sizes
    old_root, root = root_hash(old_size, uniform_node), root_hash(size, uniform_node)
    proof = consistency_proof(old_size, size, uniform_node)
    spoiled = dropped in range(len(proof))
    if spoiled:
        del proof[dropped]
    told = claimed if claimed is not None and claimed <= size else old_size
    theirs = stranger.ask(
        "check_consistency", old_size=told, size=size, old_root=old_root, root=root, proof=proof
    )
    ours = accepts(verify_consistency, told, size, proof, old_root, root)
    assert ours == (theirs.error == "")
    if told == old_size:
        assert ours != spoiled
