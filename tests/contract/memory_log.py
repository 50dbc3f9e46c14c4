"""The log's two stores in memory: they show that the contract tests are not SQLite's or a folder's own tests.

Nothing here survives the process, so nothing outside the tests may use it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from provenance.checkpoint import CheckpointText
from provenance.entry import Entry
from provenance.errors import LogError
from provenance.merkle import completed_nodes, root_hash
from provenance.tiles.files import MAX_FILE_BYTES


@dataclass
class MemoryStore:
    """What outlives one opening, as a database server would keep it."""

    origin: str
    entries: list[Entry] = field(default_factory=list)
    nodes: dict[tuple[int, int], bytes] = field(default_factory=dict)
    checkpoints: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)
    held: bool = False


class MemoryIndex:
    """One opening of a store; keeps `log_index.LogIndex`."""

    def __init__(self, store: MemoryStore, origin: str) -> None:
        if "PYTEST_CURRENT_TEST" not in os.environ:
            raise RuntimeError("a log in memory is only for tests")
        if store.held:
            raise LogError("another one writes this log", "log_in_use")
        if store.origin != origin:
            raise LogError("the store holds a log of another origin", "log_wrong_origin")
        store.held = True
        self._store: MemoryStore | None = store
        self._lock = threading.RLock()
        self.origin = origin

    def close(self) -> None:
        with self._lock:
            self._open.held = False
            self._store = None

    def stage(self, entries: Sequence[Entry]) -> list[int]:
        with self._lock:
            staged, nodes = list(self._open.entries), dict(self._open.nodes)
            indices = []
            for entry in entries:
                if entry not in staged:
                    completed = completed_nodes(len(staged), entry.leaf, lambda *place: nodes[place])
                    for level, position, node in list(completed):
                        nodes[level, position] = node
                    staged.append(entry)
                indices.append(staged.index(entry))
            self._open.entries, self._open.nodes = staged, nodes
            return indices

    def publish(self, text: CheckpointText, note: bytes) -> None:
        with self._lock:
            if text.size <= max(self._open.checkpoints, default=-1):
                raise LogError("a checkpoint must be larger than all before it", "log_refused")
            self._open.checkpoints[text.size] = text.root, note

    def size(self) -> int:
        return len(self._open.entries)

    def tree_head(self) -> CheckpointText:
        with self._lock:
            return CheckpointText(self.origin, self.size(), root_hash(self.size(), self.node))

    def latest(self) -> tuple[int, bytes] | None:
        checkpoints = self._open.checkpoints
        return (max(checkpoints), checkpoints[max(checkpoints)][1]) if checkpoints else None

    def checkpoints(self, first: int, count: int) -> dict[int, tuple[bytes, bytes]]:
        stored = self._open.checkpoints
        return {size: stored[size] for size in range(first, first + count) if size in stored}

    def node(self, level: int, position: int) -> bytes:
        found = self._open.nodes.get((level, position))
        if found is None:
            raise LogError("a node of the log is missing", "log_damaged")
        return found

    def nodes(self, level: int, first: int, count: int) -> list[bytes]:
        return [self.node(level, position) for position in range(first, first + count)]

    def entries(self, first: int, count: int) -> list[Entry]:
        found = self._open.entries[first : first + count]
        if len(found) != count:
            raise LogError("an entry is missing", "log_damaged")
        return found

    def counts(self) -> tuple[int, int, int]:
        return len(self._open.entries), len(self._open.nodes), len(self._open.checkpoints)

    def check_rules(self) -> None:
        if list(self._open.checkpoints) != sorted(self._open.checkpoints):
            raise LogError("the checkpoints are out of order", "log_damaged")

    @contextmanager
    def held_still(self) -> Iterator[None]:
        with self._lock:
            yield

    @property
    def _open(self) -> MemoryStore:
        if self._store is None:
            raise LogError("the log is closed", "log_unavailable")
        return self._store


class MemoryFiles:
    """Keeps `tiles.files.StaticFiles` as an object store does: flat names, no folders."""

    def __init__(self, objects: dict[str, bytes]) -> None:
        self._objects = objects

    def write(self, files: Mapping[str, bytes]) -> None:
        self._objects.update(files)

    def read(self, path: str) -> bytes | None:
        found = self._objects.get(path)
        if found is not None and len(found) > MAX_FILE_BYTES:
            raise LogError("a published file is larger than any file of a log", "log_damaged")
        return found

    def paths(self) -> Iterator[str]:
        return iter(list(self._objects))

    def remove_folder(self, path: str) -> None:
        for name in [name for name in self._objects if name.startswith(path + "/")]:
            del self._objects[name]
