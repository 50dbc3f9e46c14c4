"""A tree of salts that grows from one secret (Goldreich, Goldwasser and Micali, 1986, over HMAC-SHA-256).

Each seed gives two below it and none beside or above. So whoever gets the seed of a subtree can compute the
salts of all its leaves and of no other one, and any stretch of n leaves is handed over as at most 2 log2(n)
seeds.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterator

from provenance.pieces.errors import PiecesError

SEED_BYTES = 32
# A tree's height is fixed, so that salts can be had before anybody knows how long the original is.
TREE_LEVELS = 32
TILE_LEVELS = 16

_LEFT = b"bauta.pieces/v1 left"
_RIGHT = b"bauta.pieces/v1 right"
_SALT = b"bauta.pieces/v1 salt"
_TREE = b"bauta.pieces/v1 tree "


def tree_seed(secret: bytes, kind: str) -> bytes:
    """Gives the seed at the top of one tree's salts, 32 bytes.

    Args:
        secret: 32 random bytes, drawn once for each original.
        kind: of the tree.

    Raises:
        PiecesError: the secret has another length.
    """
    if len(secret) != SEED_BYTES:
        raise PiecesError("the secret of a commitment is not 32 bytes")
    return hmac.digest(secret, _TREE + kind.encode("ascii"), "sha256")


def salt_of(leaf_seed: bytes) -> bytes:
    """Gives a leaf's salt, 32 bytes. Not the seed itself: below a frame's seed hang its tiles."""
    return hmac.digest(leaf_seed, _SALT, "sha256")


def seed_at(top: bytes, levels: int, level: int, index: int) -> bytes:
    """Gives the seed of the subtree of leaves [index << level, (index + 1) << level).

    Args:
        top: the seed of the whole tree.
        levels: the tree's height.
        level: the subtree's.
        index: of the subtree among those of its height.

    Raises:
        PiecesError: `pieces_no_such_part`, the tree has no such subtree.
    """
    if not 0 <= level <= levels or not 0 <= index < 1 << (levels - level):
        raise PiecesError("the original has no such part", "pieces_no_such_part")
    seed = top
    for shift in range(levels - level - 1, -1, -1):
        seed = hmac.digest(seed, _RIGHT if index >> shift & 1 else _LEFT, "sha256")
    return seed


def leaf_seeds(seed: bytes, level: int) -> Iterator[bytes]:
    """Gives the seeds of all leaves of a subtree, from the left; with `level` seeds in memory."""
    waiting = [(seed, level)]
    while waiting:
        seed, level = waiting.pop()
        if level == 0:
            yield seed
            continue
        waiting.append((hmac.digest(seed, _RIGHT, "sha256"), level - 1))
        waiting.append((hmac.digest(seed, _LEFT, "sha256"), level - 1))


def covering(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Gives (level, index) of the fewest subtrees that hold exactly leaves [first, end), from the left."""
    while first < end:
        level = (end - first).bit_length() - 1
        if first:
            level = min(level, (first & -first).bit_length() - 1)
        yield level, first >> level
        first += 1 << level
