"""Merkle-Patricia proofs (Ethereum yellow paper, appendix D): that a value stands at a key under a root.

A proof is the nodes from the root down. Each is named by its Keccak-256 in the one above; a node shorter than
32 bytes lies inside the one above instead, and is not listed.
"""

from __future__ import annotations

from collections.abc import Sequence

from provenance.anchors.keccak import HASH_BYTES, keccak256
from provenance.anchors.rlp import Item, RlpError, as_bytes, as_list, decode
from provenance.errors import MerkleError

MAX_NODES = 16
MAX_NODE_BYTES = 32 << 10

_BRANCH = 17
_VALUE = 16
_ODD = 1
_LEAF = 2


class TrieError(MerkleError):
    """A Merkle-Patricia proof does not lead from the root to a value."""

    code = "anchor_proof_broken"


def nibbles(key: bytes) -> tuple[int, ...]:
    """Gives a key's half bytes, the higher first."""
    return tuple(half for byte in key for half in (byte >> 4, byte & 15))


def proven_value(root: bytes, key: bytes, untrusted_nodes: Sequence[bytes]) -> bytes:
    """Follows a proof from the root to the value at a key.

    Args:
        root: 32 bytes, believed.
        key: where to look.
        untrusted_nodes: encoded nodes from the root's down, at most `MAX_NODES` of `MAX_NODE_BYTES` each;
            none may be left over.

    Raises:
        FormatError: a node is not RLP, or of no known kind.
        TrieError: it does not lead there.
    """
    if len(untrusted_nodes) > MAX_NODES or any(len(node) > MAX_NODE_BYTES for node in untrusted_nodes):
        raise RlpError("the proof is too large", "too_large")
    remaining = list(untrusted_nodes)
    path = nibbles(key)
    node = _listed(root, remaining)
    while True:
        if len(node) == _BRANCH:
            if not path:
                return _ended(as_bytes(node[_VALUE]), remaining)
            following, path = node[path[0]], path[1:]
        elif len(node) == 2:
            part, is_leaf = _shared_path(as_bytes(node[0]))
            if path[: len(part)] != part:
                raise TrieError("the proof leads to another key")
            path = path[len(part) :]
            if is_leaf:
                if path:
                    raise TrieError("the proof ends above its key")
                return _ended(as_bytes(node[1]), remaining)
            if not part:
                raise RlpError("a node of the proof is of no known kind")
            following = node[1]
        else:
            raise RlpError("a node of the proof is of no known kind")
        node = _below(following, remaining)


def _below(following: Item, remaining: list[bytes]) -> tuple[Item, ...]:
    # A short node lies here itself; `decode` has limited how deep these can be. That it is short enough to be
    # here needs no check: the node above has the hash that it should have.
    if isinstance(following, tuple):
        return following
    return _listed(following, remaining)


def _listed(name: bytes, remaining: list[bytes]) -> tuple[Item, ...]:
    if len(name) != HASH_BYTES or not remaining:
        raise TrieError("the proof leads nowhere")
    encoded = remaining.pop(0)
    if keccak256(encoded) != name:
        raise TrieError("a node of the proof is another than the one above names")
    return as_list(decode(encoded))


def _ended(value: bytes, remaining: list[bytes]) -> bytes:
    if remaining or not value:
        raise TrieError("the proof does not end with a value and nothing after it")
    return value


def _shared_path(encoded: bytes) -> tuple[tuple[int, ...], bool]:
    """Reads the hex-prefix form: the half bytes, and whether the node is a leaf."""
    if not encoded:
        raise RlpError("a path of the proof is empty")
    flags, *rest = nibbles(encoded)
    if flags > (_LEAF | _ODD) or (not flags & _ODD and rest[0]):
        raise RlpError("a path of the proof is not in its one form")
    return tuple(rest if flags & _ODD else rest[1:]), bool(flags & _LEAF)
