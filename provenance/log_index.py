"""What the log's index must keep, whichever database it is: SQLite in `log_storage`, a server's later.

Together with `tiles.files.StaticFiles` this is all the storage that a log has; `log` and `log_check` know
nothing else of it. One test class for each (`tests/contract/test_log_index.py`, `test_log_storage.py`) runs
over every backend; a new one inherits it and passes as it stands.

- *Who may write*: one sequencer. Opening an index takes a hold that only closing it, or the death of the
  process, gives up; whoever else opens it gets `log_in_use`. SQLite's is a lock file; a database server's
  would be a session's advisory lock.
- *Where the hold fails*: a hold over a network can be lost unnoticed. Then `publish` is the compare-and-swap
  that stops the second sequencer: a checkpoint must be larger than all before it, and the database itself
  refuses any other, like any change of a row. (The vault's memory of what it signed stands behind that.)
- *What is durable when*: everything that `stage` or `publish` did, once it returns; nothing of it if it
  raised. The sequencer counts on it in this order: `stage`, the signature, the tiles, `publish`, and last of
  all the file `checkpoint`.
- *What is never done*: to change or remove an entry, a node or a checkpoint. There is no method for it, and
  the backend refuses it to those who come past the methods.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from provenance.checkpoint import CheckpointText
from provenance.entry import Entry


class LogIndex(Protocol):
    """Entries in order, the roots of complete subtrees, and every checkpoint. Thread-safe.

    Every error is a `LogError`: `log_in_use` and `log_wrong_origin` on opening; `log_full` and
    `log_unavailable` where to try again later is safe; `log_refused`; `log_damaged`.
    """

    @property
    def origin(self) -> str:
        """The log's name; an index belongs to one log for good."""

    def stage(self, entries: Sequence[Entry]) -> list[int]:
        """Adds entries and the nodes they complete, durably, all or none.

        Returns:
            Their indices in order, without gaps from 0; an entry that is there already keeps the one it has.
        """

    def publish(self, text: CheckpointText, note: bytes) -> None:
        """Adds a signed checkpoint, durably.

        Raises:
            LogError: `log_refused`, it is not larger than every one before it.
        """

    def size(self) -> int:
        """Staged entries, published or not."""

    def tree_head(self) -> CheckpointText:
        """The head of all staged entries, not signed."""

    def latest(self) -> tuple[int, bytes] | None:
        """Size and note of the newest checkpoint; None before the first."""

    def checkpoints(self, first: int, count: int) -> dict[int, tuple[bytes, bytes]]:
        """Root and note by size, of every checkpoint of a size from `first` to before `first + count`."""

    def node(self, level: int, position: int) -> bytes:
        """The root of a complete subtree, 32 bytes; a `merkle.NodeReader`.

        Raises:
            LogError: `log_damaged`, it is missing.
        """

    def nodes(self, level: int, first: int, count: int) -> list[bytes]:
        """Roots of consecutive complete subtrees.

        Raises:
            LogError: `log_damaged`, one is missing.
        """

    def entries(self, first: int, count: int) -> list[Entry]:
        """Consecutive entries.

        Raises:
            LogError: `log_damaged`, one is missing or is none.
        """

    def counts(self) -> tuple[int, int, int]:
        """How many entries, nodes and checkpoints are stored, counted anew: the fsck finds strays by it."""

    def check_rules(self) -> None:
        """Has the backend examine itself: that its files are intact and that it still refuses changes.

        Raises:
            LogError: `log_damaged`, and what is wrong.
        """

    def held_still(self) -> AbstractContextManager[None]:
        """Lets no other thread write meanwhile; the same thread may read."""

    def close(self) -> None:
        """Gives the hold up. Whatever is called afterwards raises `log_unavailable`."""
