"""The log's fsck: computes every hash again from the entries alone and compares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import reduce

from provenance.checkpoint import CheckpointText, verify_checkpoint
from provenance.entry import Entry
from provenance.errors import LogError, ProvenanceError
from provenance.log_index import LogIndex
from provenance.merkle import EMPTY_ROOT, completed_nodes, node_hash
from provenance.note import VerifierKey, parse_note
from provenance.tiles.check import StaticReport

_ENTRIES_AT_ONCE = 1024


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
    """Checks the file, its rules, every entry, node and checkpoint; keeps one hash a level in memory.

    Raises:
        LogError: `log_damaged`, and what is wrong.
    """
    with index.held_still():
        index.check_rules()
        frontier: dict[int, bytes] = {}
        size = index.size()
        nodes = 0
        checkpoints = _check_checkpoint(index, 0, EMPTY_ROOT, vkeys)
        for place, entry in enumerate(_entries(index, size)):
            # The left sibling of a node that was just completed is the newest one of its level.
            completed = list(completed_nodes(place, entry.leaf, lambda level, _: frontier[level]))
            for level, position, node in completed:
                if index.node(level, position) != node:
                    raise _damaged("a stored node does not follow from the entries")
                frontier[level] = node
                nodes += 1
            checkpoints += _check_checkpoint(index, place + 1, _root(place + 1, frontier), vkeys)
        if index.counts() != (size, nodes, checkpoints):
            raise _damaged("a row stands where none can")
        latest = index.latest()
        if latest is None:
            raise _damaged("the log has no checkpoint")
    return LogReport(entries=latest[0], staged=size - latest[0], checkpoints=checkpoints)


def _entries(index: LogIndex, size: int) -> Iterator[Entry]:
    for first in range(0, size, _ENTRIES_AT_ONCE):
        yield from index.entries(first, min(_ENTRIES_AT_ONCE, size - first))


def _root(size: int, frontier: dict[int, bytes]) -> bytes:
    """Folds the complete subtrees of the right edge, the smallest first."""
    peaks = [frontier[level] for level in range(size.bit_length()) if size >> level & 1]
    return reduce(lambda right, left: node_hash(left, right), peaks)


def _check_checkpoint(index: LogIndex, size: int, root: bytes, vkeys: Sequence[VerifierKey]) -> int:
    """Checks the checkpoint of one size, if there is one; gives how many there are."""
    found = index.checkpoint(size)
    if found is None:
        return 0
    stored_root, note = found
    if stored_root != root:
        raise _damaged("a checkpoint's root does not follow from the entries")
    _check_note(note, CheckpointText(index.origin, size, root), vkeys)
    return 1


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
