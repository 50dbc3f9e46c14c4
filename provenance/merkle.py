"""RFC 6962 Merkle trees: hashing, proofs and their verification. Pure functions, no storage.

Whoever builds a proof hands in a `NodeReader` over the stored roots of complete subtrees, so that a root
or a proof costs a number of reads that grows with the logarithm of the tree's size.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence

from provenance.errors import MerkleError

HASH_BYTES = 32
# RFC 6962, section 2.1: the root of a tree without leaves.
EMPTY_ROOT = hashlib.sha256(b"").digest()

NodeReader = Callable[[int, int], bytes]
"""(level, index) -> root of the complete subtree of leaves [index << level, (index + 1) << level)."""


def leaf_hash(entry: bytes) -> bytes:
    """Hashes a leaf; the prefix keeps leaves apart from nodes."""
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hashes an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def completed_nodes(index: int, leaf: bytes, read_node: NodeReader) -> Iterator[tuple[int, int, bytes]]:
    """Gives (level, index, hash) of each complete subtree that appending this leaf completes, leaf first."""
    level, node = 0, leaf
    yield level, index, node
    while index & 1:
        node = node_hash(read_node(level, index - 1), node)
        level, index = level + 1, index >> 1
        yield level, index, node


def root_hash(size: int, read_node: NodeReader) -> bytes:
    """Gives the root of the tree of the first `size` leaves."""
    return _range_hash(0, size, read_node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, read_node: NodeReader) -> list[bytes]:
    """Gives PATH(index, D[0:size]) of RFC 6962, section 2.1.1: hashes from the leaf's sibling upwards.

    Raises:
        MerkleError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise MerkleError("there is no such leaf in a tree of that size", "no_such_leaf")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_range_hash(middle, high, read_node))
            high = middle
        else:
            path.append(_range_hash(low, middle, read_node))
            low = middle
    return path[::-1]


def consistency_proof(old_size: int, new_size: int, read_node: NodeReader) -> list[bytes]:
    """Gives PROOF(old_size, D[0:new_size]) of RFC 6962, section 2.1.2; empty from size 0 or to the same size.

    Raises:
        MerkleError: the old tree is larger than the new one.
    """
    if not 0 <= old_size <= new_size:
        raise MerkleError("the old tree is larger than the new one", "no_such_tree")
    if old_size in (0, new_size):
        return []
    path: list[bytes] = []
    low, high = 0, new_size
    while old_size != high:
        middle = low + _split(high - low)
        if old_size <= middle:
            path.append(_range_hash(middle, high, read_node))
            high = middle
        else:
            path.append(_range_hash(low, middle, read_node))
            low = middle
    # Where the walk never went right, the old tree is itself this subtree, and its root is known.
    if low:
        path.append(_range_hash(low, high, read_node))
    return path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Checks that a leaf hash stands at an index of a tree (RFC 9162, section 2.1.3.2).

    Raises:
        MerkleError: it does not, or the proof is of the wrong length.
    """
    if not 0 <= index < size:
        raise MerkleError("there is no such leaf in a tree of that size", "no_such_leaf")
    node, position, last = leaf, index, size - 1
    for sibling in proof:
        if last == 0:
            raise MerkleError("the inclusion proof is too long")
        if position & 1 or position == last:
            node = node_hash(sibling, node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or node != root:
        raise MerkleError("the inclusion proof does not lead to the root")


def verify_tail(leaves: Sequence[bytes], index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Checks that these are all the leaves of a tree from an index to its end, none left out.

    Args:
        leaves: leaf hashes; the first one's is at `index`.
        index: where they begin.
        size: of the tree.
        proof: the inclusion proof of the first one. What stands right of its path is recomputed.
        root: of the tree.

    Raises:
        MerkleError: they are not.
    """
    if len(leaves) != size - index or not leaves:
        raise MerkleError("these are not as many leaves as the tree has from there on")
    verify_inclusion(leaves[0], index, size, proof, root)
    path = list(proof)
    low, high = 0, size
    while high - low > 1:
        middle, sibling = low + _split(high - low), path.pop()
        if index >= middle:
            low = middle
            continue
        if _leaves_hash(leaves, middle - index, high - index) != sibling:
            raise MerkleError("a leaf of the tree was left out or changed")
        high = middle


def verify_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Checks that the old tree is the beginning of the new one (RFC 9162, section 2.1.4.2).

    Raises:
        MerkleError: it is not, or the proof is of the wrong length.
    """
    if not 0 <= old_size <= new_size:
        raise MerkleError("the old tree is larger than the new one", "no_such_tree")
    if old_size in (0, new_size):
        expected = EMPTY_ROOT if old_size == 0 else new_root
        if proof or old_root != expected:
            raise MerkleError("the consistency proof does not lead to both roots")
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise MerkleError("the consistency proof is too short")
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise MerkleError("the consistency proof is too long")
        if position & 1 or position == last:
            old_node, new_node = node_hash(sibling, old_node), node_hash(sibling, new_node)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        position, last = position >> 1, last >> 1
    if last != 0 or old_node != old_root or new_node != new_root:
        raise MerkleError("the consistency proof does not lead to both roots")


def _range_hash(low: int, high: int, read_node: NodeReader) -> bytes:
    """The root over leaves [low, high), where low is a multiple of the next power of two of the width."""
    width = high - low
    if width & (width - 1) == 0:
        level = width.bit_length() - 1
        return read_node(level, low >> level)
    middle = low + _split(width)
    return node_hash(_range_hash(low, middle, read_node), _range_hash(middle, high, read_node))


def _leaves_hash(leaves: Sequence[bytes], low: int, high: int) -> bytes:
    if high - low == 1:
        return leaves[low]
    middle = low + _split(high - low)
    return node_hash(_leaves_hash(leaves, low, middle), _leaves_hash(leaves, middle, high))


def _split(width: int) -> int:
    """The largest power of two that is smaller than the width."""
    return 1 << ((width - 1).bit_length() - 1)
