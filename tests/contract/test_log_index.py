"""What the log's index must hold to; SQLite today, a database server by the same class.

A new backend subclasses `LogIndexContract`, gives `opener`, and passes as it stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
from contract.memory_log import MemoryFiles, MemoryIndex, MemoryStore

from provenance.checkpoint import CheckpointText, verify_checkpoint
from provenance.entry import Entry
from provenance.errors import LogError
from provenance.log import SequencedLog
from provenance.log_check import check_log
from provenance.log_index import LogIndex
from provenance.log_storage import LogStorage
from provenance.merkle import EMPTY_ROOT, leaf_hash, node_hash, verify_consistency, verify_inclusion
from provenance.tiles.check import check_files
from provenance.tiles.publisher import published_checkpoint
from provenance.tlog_proof import TlogProof
from tests.unit.provenance.provenance_makers import ORIGIN, TestLogKeys, seed

KEYS = TestLogKeys()
Opener = Callable[[str], LogIndex]


def entries(*names: str) -> list[Entry]:
    return [Entry("job", seed(name)) for name in names]


def many(first: int, count: int) -> list[Entry]:
    return entries(*(str(number) for number in range(first, first + count)))


def refusal(call: Callable[[], object]) -> str:
    with pytest.raises(LogError) as caught:
        call()
    return caught.value.code


class Unreadable(Entry):
    """An entry that fails when it is hashed, after others of its batch were taken."""

    @property
    def leaf(self) -> bytes:
        raise LogError("injected", "injected")


class LogIndexContract:
    """The contract, against any backend."""

    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        """Opens the same index for an origin; a new one the first time."""
        raise NotImplementedError

    @pytest.fixture
    def index(self, opener: Opener) -> LogIndex:
        """A new index, open."""
        return opener(ORIGIN)

    def test_a_new_index_is_empty(self, index: LogIndex) -> None:
        assert index.origin == ORIGIN
        assert index.size() == 0
        assert index.latest() is None
        assert index.checkpoints(0, 10) == {}
        assert index.tree_head() == CheckpointText(ORIGIN, 0, EMPTY_ROOT)
        assert index.stage([]) == []
        assert index.entries(0, 0) == []
        assert index.counts() == (0, 0, 0)
        index.check_rules()

    def test_indices_have_no_gaps_and_an_entry_keeps_the_one_it_has(self, index: LogIndex) -> None:
        assert index.stage(entries("a", "b", "a", "c")) == [0, 1, 0, 2]
        assert index.stage(entries("c", "d", "b", "d")) == [2, 3, 1, 3]
        assert index.stage([Entry("failure", seed("a"))]) == [4]
        assert index.entries(0, 5) == [*entries("a", "b", "c", "d"), Entry("failure", seed("a"))]
        assert index.entries(2, 2) == entries("c", "d")
        assert index.size() == 5

    def test_nodes_are_the_roots_of_complete_subtrees(self, index: LogIndex) -> None:
        staged = many(0, 13)
        index.stage(staged[:5])
        index.stage(staged[5:])
        level, row = 0, [leaf_hash(entry.to_bytes()) for entry in staged]
        total = 0
        while row:
            assert index.nodes(level, 0, len(row)) == row
            assert [index.node(level, place) for place in range(len(row))] == row
            assert refusal(partial(index.node, level, len(row))) == "log_damaged"
            total += len(row)
            level, row = level + 1, [node_hash(*row[at : at + 2]) for at in range(0, len(row) - 1, 2)]
        assert level == 4
        assert index.counts() == (13, total, 0)

    def test_what_is_not_there_is_damage_and_never_a_short_answer(self, index: LogIndex) -> None:
        index.stage(many(0, 3))
        assert refusal(lambda: index.entries(2, 2)) == "log_damaged"
        assert refusal(lambda: index.nodes(0, 1, 3)) == "log_damaged"
        assert refusal(lambda: index.nodes(1, 0, 2)) == "log_damaged"

    def test_a_batch_is_staged_whole_or_not_at_all(self, index: LogIndex) -> None:
        index.stage(entries("a"))
        before = index.tree_head()
        assert refusal(lambda: index.stage([*entries("b", "c"), Unreadable("job", seed("d"))])) == "injected"
        assert index.tree_head() == before
        assert index.counts() == (1, 1, 0)
        assert index.stage(entries("c", "b")) == [1, 2]

    def test_only_a_larger_checkpoint_is_taken(self, index: LogIndex) -> None:
        """The compare-and-swap: a second sequencer that lost its hold cannot publish another history."""
        index.publish(index.tree_head(), b"note of 0")
        index.stage(many(0, 3))
        three = index.tree_head()
        index.publish(three, b"note of 3")
        for size in (0, 2, 3):
            forked = CheckpointText(ORIGIN, size, seed("fork"))
            assert refusal(partial(index.publish, forked, b"fork")) == "log_refused"
        assert index.latest() == (3, b"note of 3")
        stored = {0: (EMPTY_ROOT, b"note of 0"), 3: (three.root, b"note of 3")}
        assert index.checkpoints(0, 4) == stored
        assert index.checkpoints(1, 2) == index.checkpoints(4, 9) == {}
        assert index.checkpoints(1, 3) == {3: stored[3]}

    def test_one_opening_at_a_time_and_all_of_it_is_there_in_the_next(
        self, index: LogIndex, opener: Opener
    ) -> None:
        index.stage(many(0, 20))
        head = index.tree_head()
        index.publish(head, b"note")
        index.stage(entries("staged alone"))
        assert refusal(lambda: opener(ORIGIN)) == "log_in_use"
        index.close()
        again = opener(ORIGIN)
        assert again.entries(0, 21) == [*many(0, 20), *entries("staged alone")]
        assert again.latest() == (20, b"note")
        assert again.checkpoints(20, 1) == {20: (head.root, b"note")}
        assert again.stage(entries("next")) == [21]

    def test_an_index_belongs_to_one_log(self, index: LogIndex, opener: Opener) -> None:
        index.close()
        assert refusal(lambda: opener("other.test/log")) == "log_wrong_origin"
        # The refused opening holds nothing back.
        assert opener(ORIGIN).size() == 0

    def test_a_closed_index_answers_nothing(self, index: LogIndex) -> None:
        index.stage(entries("a"))
        index.close()
        for call in (index.size, index.latest, lambda: index.node(0, 0), lambda: index.stage(entries("b"))):
            assert refusal(call) == "log_unavailable"

    def test_threads_share_it(self, index: LogIndex) -> None:
        def stage(thread: int) -> list[int]:
            return [place for number in range(20) for place in index.stage(many(100 * thread + number, 2))]

        with ThreadPoolExecutor(8) as pool:
            given = [place for places in pool.map(stage, range(8)) for place in places]
        assert set(given) == set(range(8 * 21))
        assert index.size() == 8 * 21
        assert len(set(index.entries(0, 8 * 21))) == 8 * 21

    def test_who_holds_it_still_can_read_and_nobody_writes(self, index: LogIndex) -> None:
        with ThreadPoolExecutor(1) as pool:
            with index.held_still():
                waiting = pool.submit(index.stage, entries("a"))
                assert index.size() == 0
                with pytest.raises(TimeoutError):
                    waiting.result(timeout=0.1)
                assert index.size() == 0
            assert waiting.result(timeout=120) == [0]

    def test_a_whole_log_runs_over_it(self, index: LogIndex, opener: Opener) -> None:
        objects: dict[str, bytes] = {}
        heads = []
        for size in (0, 1, 255, 256, 300):
            log = SequencedLog(index, MemoryFiles(objects), KEYS.sign_checkpoint)
            log.append_all(("job", seed(str(number))) for number in range(size))
            head = verify_checkpoint(log.latest_checkpoint(), ORIGIN, KEYS.verifier_keys)
            assert head.size == size
            heads.append(head)
            log.close()
            index = opener(ORIGIN)
        log = SequencedLog(index, MemoryFiles(objects), KEYS.sign_checkpoint)
        for old in heads:
            proof = log.consistency_proof(old.size, 300)
            verify_consistency(old.size, 300, proof, old.root, heads[-1].root)
        for place, entry in enumerate(many(0, 300)):
            hashes = TlogProof.parse(log.proof_for(place)).hashes
            verify_inclusion(entry.leaf, place, 300, hashes, heads[-1].root)
        assert check_log(index, KEYS.verifier_keys).checkpoints == len(heads)
        assert check_files(MemoryFiles(objects), index).entries == 300
        published = published_checkpoint(MemoryFiles(objects))
        assert published is not None
        assert published[1] == log.latest_checkpoint()


class TestLogStorage(LogIndexContract):
    """SQLite on this machine's disk."""

    @pytest.fixture
    def opener(self, tmp_path: Path) -> Opener:
        """One file."""
        return lambda origin: LogStorage(tmp_path / "log.sqlite", origin)

    def test_a_stage_waits_for_the_disk(self, index: LogIndex, tmp_path: Path) -> None:
        assert isinstance(index, LogStorage)
        assert index.rows("PRAGMA synchronous") == [(2,)]  # FULL: each commit of a write-ahead log is synced.
        assert index.rows("PRAGMA journal_mode") == [("wal",)]
        index.stage(entries("a"))
        with sqlite3.connect(tmp_path / "log.sqlite") as another:
            assert another.execute("SELECT COUNT(*) FROM entries").fetchone() == (1,)


class TestMemoryIndex(LogIndexContract):
    """Memory: the class above asks for nothing that only SQLite has."""

    @pytest.fixture
    def opener(self) -> Opener:
        """One store."""
        store = MemoryStore(ORIGIN)
        return lambda origin: MemoryIndex(store, origin)
