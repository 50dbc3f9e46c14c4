"""Salted leaves, and trees of them in 32 bytes a leaf (RFC 6962, section 2.1, over `provenance.merkle`)."""

from __future__ import annotations

from collections.abc import Sequence

from provenance.merkle import EMPTY_ROOT, HASH_BYTES, leaf_hash, node_hash

__all__ = ["EMPTY_ROOT", "HASH_BYTES", "LeafHashes", "Spine", "piece_hash", "root_over"]

_PIECE = b"bauta.pieces/v1 "


def piece_hash(kind: str, salt: bytes, piece: bytes) -> bytes:
    """Gives the leaf hash of one piece.

    Args:
        kind: of the tree, so that a leaf of one never passes as a leaf of another.
        salt: 32 bytes, never used twice: without it nobody can try out what the piece might be.
        piece: the bytes.
    """
    return leaf_hash(_PIECE + kind.encode("ascii") + b"\x00" + salt + piece)


def root_over(hashes: Sequence[bytes]) -> bytes:
    """Gives the RFC 6962 root over leaf hashes; the last one of an odd row moves up as it is."""
    row = list(hashes)
    if not row:
        return EMPTY_ROOT
    while len(row) > 1:
        above = [node_hash(row[at], row[at + 1]) for at in range(0, len(row) - 1, 2)]
        row = above + row[len(row) & ~1 :]
    return row[0]


class LeafHashes:
    """The leaf hashes of one tree, in order: what is kept of a long original, 32 bytes a piece."""

    def __init__(self, hashes: Sequence[bytes] = ()) -> None:
        self._bytes = bytearray(b"".join(hashes))

    def __len__(self) -> int:
        return len(self._bytes) // HASH_BYTES

    def append(self, leaf: bytes) -> None:
        """Adds the next one."""
        self._bytes += leaf

    def between(self, first: int, end: int) -> list[bytes]:
        """Gives those of leaves [first, end)."""
        return [bytes(self._bytes[at * HASH_BYTES : (at + 1) * HASH_BYTES]) for at in range(first, end)]

    def root(self) -> bytes:
        """Gives the root over all of them."""
        return root_over(self.between(0, len(self)))


class Spine:
    """A root over leaf hashes that come one by one, in memory for as many as the tree is high."""

    def __init__(self) -> None:
        self._complete: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        """Adds the next leaf hash."""
        level, node = 0, leaf
        while self._complete and self._complete[-1][0] == level:
            node = node_hash(self._complete.pop()[1], node)
            level += 1
        self._complete.append((level, node))

    def root(self) -> bytes:
        """Gives the root over all that came so far."""
        if not self._complete:
            return EMPTY_ROOT
        node = self._complete[-1][1]
        for _, left in reversed(self._complete[:-1]):
            node = node_hash(left, node)
        return node
