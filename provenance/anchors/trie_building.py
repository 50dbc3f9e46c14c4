"""Makes Merkle-Patricia tries and proofs, in memory, for a block's receipts: at most a few thousand.

Whoever gathers a proof rebuilds the trie from the receipts that a node gave, and compares the root with the
header's: so a node can leave out an answer, and not falsify one.
"""

from __future__ import annotations

from collections.abc import Mapping

from provenance.anchors.keccak import HASH_BYTES, keccak256
from provenance.anchors.rlp import Encodable, encode
from provenance.anchors.trie import nibbles

EMPTY_ROOT = keccak256(encode(b""))

_Entries = list[tuple[tuple[int, ...], bytes]]


def trie_proof(values: Mapping[bytes, bytes], key: bytes) -> tuple[bytes, tuple[bytes, ...]]:
    """Builds a trie.

    Args:
        values: by key; none empty, and no key the beginning of another.
        key: which to prove.

    Returns:
        The root, 32 bytes, and the nodes from the root down to the key's value.
    """
    if not values:
        return EMPTY_ROOT, ()
    entries = sorted((nibbles(name), value) for name, value in values.items())
    passed: list[bytes] = []
    top = encode(_node(entries, 0, nibbles(key), passed))
    # Listed from below, and the root's even where it is short.
    return keccak256(top), (top, *reversed(passed))


def _node(entries: _Entries, depth: int, towards: tuple[int, ...] | None, passed: list[bytes]) -> Encodable:
    first, last = entries[0][0], entries[-1][0]
    if len(entries) == 1:
        return [_hex_prefix(first[depth:], leaf=True), entries[0][1]]
    shared = depth
    while first[shared] == last[shared]:
        shared += 1
    if shared > depth:
        part = first[depth:shared]
        onwards = towards if towards is not None and towards[depth:shared] == part else None
        return [_hex_prefix(part, leaf=False), _reference(entries, shared, onwards, passed)]
    branch: list[Encodable] = []
    for half in range(16):
        below = [entry for entry in entries if entry[0][depth] == half]
        onwards = towards if towards is not None and towards[depth : depth + 1] == (half,) else None
        branch.append(_reference(below, depth + 1, onwards, passed) if below else b"")
    return [*branch, b""]


def _reference(
    entries: _Entries, depth: int, towards: tuple[int, ...] | None, passed: list[bytes]
) -> Encodable:
    """A node as the one above holds it: by its hash, or itself if that is not longer."""
    node = _node(entries, depth, towards, passed)
    encoded = encode(node)
    if len(encoded) < HASH_BYTES:
        return node
    if towards is not None:
        passed.append(encoded)
    return keccak256(encoded)


def _hex_prefix(path: tuple[int, ...], leaf: bool) -> bytes:
    flags = 2 * leaf + len(path) % 2
    halves = (flags, *path) if len(path) % 2 else (flags, 0, *path)
    return bytes(high << 4 | low for high, low in zip(halves[::2], halves[1::2], strict=True))
