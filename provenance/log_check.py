"""The log's fsck: computes every hash again from the entries alone and compares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

from provenance.checkpoint import CheckpointText, verify_checkpoint
from provenance.errors import LogError, ProvenanceError
from provenance.log_index import LogIndex
from provenance.merkle import EMPTY_ROOT, completed_nodes, node_hash
from provenance.note import VerifierKey, parse_note
from provenance.tiles.check import StaticReport

# Read at once; a power of two, so that the nodes which a block completes are consecutive on every level.
_BLOCK = 1024


@dataclass(frozen=True)
class LogReport:
    """What a clean log holds.

    Attributes:
        entries: under a published checkpoint.
        staged: still waiting for a signature; the next append publishes them.
        checkpoints: ever published.
        static: what the static files hold; None if only the index was checked.
    """

    entries: int
    staged: int
    checkpoints: int
    static: StaticReport | None = None


def check_log(index: LogIndex, vkeys: Sequence[VerifierKey]) -> LogReport:
    """Checks the file, its rules, every entry, node and checkpoint; keeps a block of it in memory.

    Raises:
        LogError: `log_damaged`, and what is wrong.
    """
    with index.held_still():
        index.check_rules()
        size, nodes = index.size(), 0
        frontier: dict[int, bytes] = {}
        checkpoints = _check_checkpoints(index, index.checkpoints(0, 1), frontier, vkeys)
        for first in range(0, size, _BLOCK):
            entries = index.entries(first, min(_BLOCK, size - first))
            heads = index.checkpoints(first + 1, len(entries))
            rows: dict[int, list[bytes]] = {}
            for place, entry in enumerate(entries, first):
                # The left sibling of a node that was just completed is the newest one of its level.
                for level, _, node in list(completed_nodes(place, entry.leaf, lambda at, _: frontier[at])):
                    frontier[level] = node
                    rows.setdefault(level, []).append(node)
                if head := heads.get(place + 1):
                    checkpoints += _check_checkpoints(index, {place + 1: head}, frontier, vkeys)
            for level, row in rows.items():
                if index.nodes(level, first >> level, len(row)) != row:
                    raise _damaged("a stored node does not follow from the entries")
                nodes += len(row)
        if index.counts() != (size, nodes, checkpoints):
            raise _damaged("a row stands where none can")
        latest = index.latest()
        if latest is None:
            raise _damaged("the log has no checkpoint")
    return LogReport(entries=latest[0], staged=size - latest[0], checkpoints=checkpoints)


def _root(size: int, frontier: dict[int, bytes]) -> bytes:
    """Folds the complete subtrees of the right edge, the smallest first."""
    peaks = [frontier[level] for level in range(size.bit_length()) if size >> level & 1]
    return reduce(lambda right, left: node_hash(left, right), peaks) if peaks else EMPTY_ROOT


def _check_checkpoints(
    index: LogIndex,
    heads: Mapping[int, tuple[bytes, bytes]],
    frontier: dict[int, bytes],
    vkeys: Sequence[VerifierKey],
) -> int:
    """Checks checkpoints of the tree that the frontier is of; gives how many there are, none or one."""
    for size, (stored_root, note) in heads.items():
        root = _root(size, frontier)
        if stored_root != root:
            raise _damaged("a checkpoint's root does not follow from the entries")
        _check_note(note, CheckpointText(index.origin, size, root), vkeys)
    return len(heads)


def _check_note(note: bytes, text: CheckpointText, vkeys: Sequence[VerifierKey]) -> None:
    try:
        if parse_note(note).text.encode() != text.to_bytes():
            raise _damaged("a checkpoint's note does not say what its row says")
        if vkeys:
            verify_checkpoint(note, text.origin, vkeys)
    except LogError:
        raise
    except ProvenanceError:
        raise _damaged("a checkpoint's note or signature is false") from None


def _damaged(message: str) -> LogError:
    return LogError(message, "log_damaged")
