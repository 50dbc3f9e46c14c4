"""The log's fsck: computes every hash again from the entries alone and compares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from provenance.checkpoint import CheckpointText, verify_checkpoint
from provenance.entry import Entry
from provenance.errors import LogError, ProvenanceError
from provenance.log_storage import TABLES, LogStorage, trigger_statements
from provenance.merkle import EMPTY_ROOT, completed_nodes, node_hash
from provenance.note import VerifierKey, parse_note
from provenance.tiles.check import StaticReport


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


def check_log(storage: LogStorage, vkeys: Sequence[VerifierKey]) -> LogReport:
    """Checks the file, its rules, every entry, node and checkpoint; keeps one hash a level in memory.

    Raises:
        LogError: `log_damaged`, and what is wrong.
    """
    with storage.held_still():
        _check_file(storage)
        frontier: dict[int, bytes] = {}
        size = storage.size()
        nodes = 0
        checkpoints = _check_checkpoint(storage, 0, EMPTY_ROOT, vkeys)
        for index in range(size):
            leaf = _entry(storage, index).leaf
            # The left sibling of a node that was just completed is the newest one of its level.
            completed = list(completed_nodes(index, leaf, lambda level, _: frontier[level]))
            for level, position, node in completed:
                if storage.node(level, position) != node:
                    raise _damaged("a stored node does not follow from the entries")
                frontier[level] = node
                nodes += 1
            checkpoints += _check_checkpoint(storage, index + 1, _root(index + 1, frontier), vkeys)
        if storage.counts() != (size, nodes, checkpoints):
            raise _damaged("a row stands where none can")
        latest = storage.latest()
        if latest is None:
            raise _damaged("the log has no checkpoint")
    return LogReport(entries=latest[0], staged=size - latest[0], checkpoints=checkpoints)


def _check_file(storage: LogStorage) -> None:
    if storage.rows("PRAGMA integrity_check") != [("ok",)]:
        raise _damaged("the database file is damaged")
    expected = {**TABLES, **trigger_statements()}
    found = dict(storage.rows("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL"))
    if found != expected:
        raise _damaged("the tables or the rules that keep them append-only were changed")


def _entry(storage: LogStorage, index: int) -> Entry:
    found = storage.rows("SELECT kind, envelope_sha256 FROM entries WHERE position = ?", index)
    if not found:
        raise _damaged("an entry is missing")
    try:
        return Entry(*found[0])
    except ProvenanceError:
        raise _damaged("an entry is not of a known kind") from None


def _root(size: int, frontier: dict[int, bytes]) -> bytes:
    """Folds the complete subtrees of the right edge, the smallest first."""
    peaks = [frontier[level] for level in range(size.bit_length()) if size >> level & 1]
    return reduce(lambda right, left: node_hash(left, right), peaks)


def _check_checkpoint(storage: LogStorage, size: int, root: bytes, vkeys: Sequence[VerifierKey]) -> int:
    """Checks the checkpoint of one size, if there is one; gives how many there are."""
    found = storage.rows("SELECT root, note FROM checkpoints WHERE size = ?", size)
    for stored_root, note in found:
        if stored_root != root:
            raise _damaged("a checkpoint's root does not follow from the entries")
        _check_note(note, CheckpointText(storage.origin, size, root), vkeys)
    return len(found)


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
