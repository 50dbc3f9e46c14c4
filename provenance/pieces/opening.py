"""Some leaves of a tree shown, all others hidden: seeds, leaf hashes and one proof for all of them.

An opening is three rows of 32 bytes whose lengths follow from the tree's size and the stretches alone, so
that it has one form and no numbers that could lie:

- `seeds`: of the fewest subtrees that hold exactly the shown leaves; their salts follow from them;
- `shown`: the leaf hashes of the shown leaves, so that a changed piece is named and does not spoil the
others;
- `hidden`: the roots of the largest subtrees without a shown leaf, from the left.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from provenance.merkle import node_hash
from provenance.pieces.errors import PiecesError
from provenance.pieces.hashing import EMPTY_ROOT, HASH_BYTES, LeafHashes, root_over
from provenance.pieces.seeds import covering, leaf_seeds, salt_of, seed_at

Stretch = tuple[int, int]
"""(first, end): the leaves from `first` up to but without `end`."""


@dataclass(frozen=True)
class Opening:
    """What shows the leaves of some stretches; not yet compared with any root.

    Attributes:
        size: leaves in the tree.
        stretches: ascending, none empty, none touching the next.
        seeds: 32 bytes each; whoever has them can compute the salts of the shown leaves.
        shown: their leaf hashes.
        hidden: roots of the subtrees between them.

    Raises:
        PiecesError: the stretches are not in that form or the rows are not of the lengths that follow.
    """

    size: int
    stretches: tuple[Stretch, ...]
    seeds: tuple[bytes, ...] = field(repr=False)
    shown: tuple[bytes, ...] = field(repr=False)
    hidden: tuple[bytes, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if (len(self.seeds), len(self.shown), len(self.hidden)) != row_lengths(self.size, self.stretches):
            raise PiecesError("an opening has not as many hashes as follow from its stretches")
        if any(len(row) != HASH_BYTES for row in (*self.seeds, *self.shown, *self.hidden)):
            raise PiecesError("a hash in an opening is not 32 bytes")

    def to_bytes(self) -> bytes:
        """Gives the three rows, one after the other."""
        return b"".join((*self.seeds, *self.shown, *self.hidden))

    @classmethod
    def from_bytes(cls, size: int, stretches: tuple[Stretch, ...], untrusted: bytes) -> Opening:
        """Reads what `to_bytes` wrote.

        Raises:
            PiecesError: another length.
        """
        seeds, shown, hidden = row_lengths(size, stretches)
        if len(untrusted) != (seeds + shown + hidden) * HASH_BYTES:
            raise PiecesError("an opening has another length than follows from its stretches")
        rows = tuple(untrusted[at : at + HASH_BYTES] for at in range(0, len(untrusted), HASH_BYTES))
        return cls(size, stretches, rows[:seeds], rows[seeds : seeds + shown], rows[seeds + shown :])

    def salts(self) -> Iterator[bytes]:
        """Gives the salts of the shown leaves, in order."""
        nodes = (node for stretch in self.stretches for node in covering(*stretch))
        for (level, _), seed in zip(nodes, self.seeds, strict=True):
            yield from map(salt_of, leaf_seeds(seed, level))

    def positions(self) -> Iterator[int]:
        """Gives the indices of the shown leaves, in order."""
        for first, end in self.stretches:
            yield from range(first, end)

    def root(self) -> bytes:
        """Gives the root that shown and hidden hashes lead to."""
        if self.size == 0:
            return EMPTY_ROOT
        shown, hidden = iter(self.shown), iter(self.hidden)

        def node(low: int, high: int) -> bytes:
            if not _meets(self.stretches, low, high):
                return next(hidden)
            if _within(self.stretches, low, high):
                return root_over([next(shown) for _ in range(low, high)])
            middle = low + _split(high - low)
            left = node(low, middle)
            return node_hash(left, node(middle, high))

        return node(0, self.size)


def row_lengths(size: int, stretches: Sequence[Stretch]) -> tuple[int, int, int]:
    """Gives how many seeds, shown leaf hashes and hidden hashes an opening of these stretches has.

    Raises:
        PiecesError: the stretches are out of order, empty, touch each other (two that touch are one) or leave
            the
            tree (`pieces_no_such_part`).
    """
    before = -1
    for first, end in stretches:
        if not before < first < end:
            raise PiecesError("the stretches of an opening are not in their one order")
        before = end
    if not 0 <= size <= 1 << 32 or before > size:
        raise PiecesError("the original has no such part", "pieces_no_such_part")
    return (
        sum(1 for stretch in stretches for _ in covering(*stretch)),
        sum(end - first for first, end in stretches),
        sum(1 for _ in hidden_subtrees(size, stretches)),
    )


def hidden_subtrees(size: int, stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """Gives the largest subtrees without a shown leaf as leaves [low, high), from the left."""
    waiting = [(0, size)] if size else []
    while waiting:
        low, high = waiting.pop()
        if not _meets(stretches, low, high):
            yield low, high
        elif not _within(stretches, low, high):
            middle = low + _split(high - low)
            waiting += [(middle, high), (low, middle)]


def open_stretches(top: bytes, levels: int, leaves: LeafHashes, stretches: Sequence[Stretch]) -> Opening:
    """Opens stretches of a tree.

    Args:
        top: the seed of the tree's salts, 32 bytes.
        levels: their tree's height.
        leaves: all leaf hashes.
        stretches: ascending, not touching each other; none shows nothing.

    Raises:
        PiecesError: the tree has no such stretches.
    """
    size = len(leaves)
    row_lengths(size, stretches)
    return Opening(
        size=size,
        stretches=tuple(stretches),
        seeds=tuple(seed_at(top, levels, *node) for stretch in stretches for node in covering(*stretch)),
        shown=tuple(leaf for stretch in stretches for leaf in leaves.between(*stretch)),
        hidden=tuple(root_over(leaves.between(*hidden)) for hidden in hidden_subtrees(size, stretches)),
    )


def _meets(stretches: Sequence[Stretch], low: int, high: int) -> bool:
    """Whether a stretch has a leaf in [low, high)."""
    at = bisect_right(stretches, high - 1, key=_first)
    return at > 0 and stretches[at - 1][1] > low


def _within(stretches: Sequence[Stretch], low: int, high: int) -> bool:
    """Whether one stretch has all of [low, high)."""
    at = bisect_right(stretches, low, key=_first)
    return at > 0 and stretches[at - 1][1] >= high


def _first(stretch: Stretch) -> int:
    return stretch[0]


def _split(width: int) -> int:
    """The largest power of two that is smaller than the width (RFC 6962, section 2.1)."""
    return 1 << ((width - 1).bit_length() - 1)
