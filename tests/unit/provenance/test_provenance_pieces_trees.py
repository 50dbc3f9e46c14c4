"""Salts and openings: exactly the shown leaves, at every boundary, and nothing that leads to another one."""

from __future__ import annotations

import hashlib
import hmac
from itertools import combinations

import pytest

from provenance import merkle
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import LeafHashes, Spine, piece_hash, root_over
from provenance.pieces.opening import Opening, hidden_subtrees, open_stretches, row_lengths
from provenance.pieces.seeds import TREE_LEVELS, covering, leaf_seeds, salt_of, seed_at, tree_seed

TOP = tree_seed(bytes(range(32)), "frames")
LEVELS = 5


def leaves_of(size: int) -> list[bytes]:
    seeds = leaf_seeds(TOP, LEVELS)
    return [piece_hash("frames", salt_of(next(seeds)), b"%d" % at) for at in range(size)]


def stretches_of(size: int) -> list[tuple[tuple[int, int], ...]]:
    single = [((first, end),) for first, end in combinations(range(size + 1), 2)]
    double = [(*a, *b) for a, b in combinations(single, 2) if a[0][1] < b[0][0]]
    return [(), *single, *double]


def test_salts_are_what_the_format_says() -> None:
    """Computed again as docs/pieces.md has it, without this package."""

    def step(key: bytes, word: bytes) -> bytes:
        return hmac.new(key, b"bauta.pieces/v1 " + word, hashlib.sha256).digest()

    seed = step(bytes(range(32)), b"tree frames")
    for bit in f"{5:032b}":
        seed = step(seed, b"right" if bit == "1" else b"left")
    seeds = leaf_seeds(TOP, TREE_LEVELS)
    sixth = [next(seeds) for _ in range(6)][5]
    assert sixth == seed == seed_at(TOP, TREE_LEVELS, 0, 5)
    salt = step(seed, b"salt")
    assert salt_of(sixth) == salt
    expected = hashlib.sha256(b"\x00bauta.pieces/v1 frames\x00" + salt + b"a piece").digest()
    assert piece_hash("frames", salt, b"a piece") == expected


@pytest.mark.parametrize("size", range(34))
def test_three_ways_to_one_root(size: int) -> None:
    leaves = leaves_of(size) if size <= 1 << LEVELS else [bytes([at]) * 32 for at in range(size)]
    nodes: dict[tuple[int, int], bytes] = {}

    def read(level: int, index: int) -> bytes:
        return nodes[level, index]

    spine = Spine()
    for at, leaf in enumerate(leaves):
        spine.append(leaf)
        for level, index, node in list(merkle.completed_nodes(at, leaf, read)):
            nodes[level, index] = node
    assert root_over(leaves) == spine.root() == merkle.root_hash(size, read) == LeafHashes(leaves).root()


@pytest.mark.parametrize("size", range(1, 10))
def test_every_set_of_stretches_opens_and_leads_to_the_root(size: int) -> None:
    leaves = leaves_of(size)
    all_salts = list(map(salt_of, leaf_seeds(TOP, LEVELS)))
    for stretches in stretches_of(size):
        opening = open_stretches(TOP, LEVELS, LeafHashes(leaves), stretches)
        at = list(opening.positions())
        assert list(opening.salts()) == [all_salts[index] for index in at]
        assert list(opening.shown) == [leaves[index] for index in at]
        assert opening.root() == root_over(leaves)
        assert Opening.from_bytes(size, stretches, opening.to_bytes()) == opening


@pytest.mark.parametrize("size", range(1, 10))
def test_the_seeds_of_a_stretch_have_no_hidden_leaf_below_them(size: int) -> None:
    """What grows from the seeds handed over are the shown leaves; the hidden subtrees are all the others."""
    for stretches in stretches_of(size):
        shown = {at for first, end in stretches for at in range(first, end)}
        below = [
            at
            for stretch in stretches
            for level, index in covering(*stretch)
            for at in range(index << level, (index + 1) << level)
        ]
        assert sorted(below) == sorted(shown)
        hidden = [at for low, high in hidden_subtrees(size, stretches) for at in range(low, high)]
        assert sorted(hidden) == sorted(set(range(size)) - shown)


def test_a_long_stretch_costs_few_seeds() -> None:
    for first, end in [(1, 90_000), (0, 2**32), (2**31 - 1, 2**31 + 1), (12_345, 12_346)]:
        nodes = list(covering(first, end))
        assert len(nodes) <= 2 * 32
        assert sum(1 << level for level, _ in nodes) == end - first


def test_a_changed_row_does_not_lead_to_the_root() -> None:
    leaves = leaves_of(9)
    opening = open_stretches(TOP, LEVELS, LeafHashes(leaves), [(2, 3), (5, 7)])
    seeds = len(opening.seeds) * 32
    raw = opening.to_bytes()
    for at in range(seeds, len(raw), 32):
        bent = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        assert Opening.from_bytes(9, opening.stretches, bent).root() != root_over(leaves), at
    for at in range(0, seeds, 32):
        bent = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
        salts = list(Opening.from_bytes(9, opening.stretches, bent).salts())
        assert salts != list(opening.salts()), at


@pytest.mark.parametrize(
    ("stretches", "code"),
    [
        (((3, 3),), "pieces_malformed"),
        (((4, 2),), "pieces_malformed"),
        (((-1, 2),), "pieces_malformed"),
        (((5, 6), (1, 2)), "pieces_malformed"),
        (((1, 3), (2, 4)), "pieces_malformed"),
        (((1, 3), (3, 4)), "pieces_malformed"),
        (((7, 10),), "pieces_no_such_part"),
        (((2**70, 2**71),), "pieces_no_such_part"),
    ],
)
def test_stretches_have_one_form(stretches: tuple[tuple[int, int], ...], code: str) -> None:
    with pytest.raises(PiecesError) as caught:
        row_lengths(9, stretches)
    assert caught.value.code == code


@pytest.mark.parametrize(("level", "index"), [(-1, 0), (6, 0), (0, 32), (5, 1), (0, -1)])
def test_there_is_no_seed_beside_the_tree(level: int, index: int) -> None:
    with pytest.raises(PiecesError):
        seed_at(TOP, LEVELS, level, index)


def test_a_secret_is_32_bytes_and_no_repr_tells_a_seed() -> None:
    with pytest.raises(PiecesError):
        tree_seed(b"short", "frames")
    opening = open_stretches(TOP, LEVELS, LeafHashes(leaves_of(4)), [(1, 2)])
    assert repr(opening.seeds[0]) not in repr(opening)
