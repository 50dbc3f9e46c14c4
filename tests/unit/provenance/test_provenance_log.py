"""The log: durable before it is acknowledged, never twice, never changed, and honest about damage."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from provenance_makers import ORIGIN, TestLogKeys, seed

from provenance.checkpoint import CheckpointText, assemble, verify_checkpoint
from provenance.entry import Entry
from provenance.errors import FormatError, LogError
from provenance.log import TransparencyLog
from provenance.log_storage import LogStorage
from provenance.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion
from provenance.note import parse_note
from provenance.tlog_proof import TlogProof

KEYS = TestLogKeys()
KINDS = ("intake", "release", "job", "failure")


def open_log(folder: Path, sign: Callable[[bytes], bytes] = KEYS.sign_checkpoint) -> TransparencyLog:
    return TransparencyLog(folder / "log.sqlite", ORIGIN, lambda text, _prove_from: sign(text))


def assert_proves(log: TransparencyLog, index: int, kind: str, digest: bytes) -> None:
    proof = TlogProof.parse(log.proof_for(index))
    head = verify_checkpoint(proof.checkpoint, ORIGIN, KEYS.verifier_keys)
    verify_inclusion(Entry(kind, digest).leaf, index, head.size, proof.hashes, head.root)


def test_an_entry_is_the_hash_record_and_nothing_else() -> None:
    entry = Entry("job", seed("envelope"))
    assert entry.to_bytes() == (
        b'{"entry":"bauta.entry/v1","kind":"job","sha256":"' + seed("envelope").hex().encode() + b'"}'
    )
    for kind, digest in (("other", bytes(32)), ("job", bytes(31)), ("", bytes(32))):
        with pytest.raises(FormatError):
            Entry(kind, digest)


def test_entries_get_indexes_in_order_and_proofs(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        for index in range(30):
            assert log.append(KINDS[index % 4], seed(str(index))) == index
        for index in range(30):
            assert_proves(log, index, KINDS[index % 4], seed(str(index)))
        report = log.check(KEYS.verifier_keys)
    assert (report.entries, report.staged, report.checkpoints) == (30, 0, 31)


def test_the_same_entry_gives_the_same_index(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        assert [log.append("job", seed(name)) for name in "abab"] == [0, 1, 0, 1]
        assert log.append("failure", seed("a")) == 2
        before = log.latest_checkpoint()
        assert log.append("job", seed("a")) == 0
        assert log.latest_checkpoint() == before


def test_a_new_log_has_a_signed_empty_head(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        assert verify_checkpoint(log.latest_checkpoint(), ORIGIN, KEYS.verifier_keys).size == 0
        with pytest.raises(LogError) as caught:
            log.proof_for(0)
    assert caught.value.code == "not_published"


def test_a_log_goes_on_after_a_restart(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        log.append("job", seed("a"))
        before = log.latest_checkpoint()
    with open_log(tmp_path) as log:
        assert log.latest_checkpoint() == before
        assert log.append("job", seed("b")) == 1
        assert_proves(log, 0, "job", seed("a"))


def test_every_two_checkpoints_are_consistent(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        heads = [verify_checkpoint(log.latest_checkpoint(), ORIGIN, KEYS.verifier_keys)]
        for index in range(20):
            log.append("job", seed(str(index)))
            heads.append(verify_checkpoint(log.latest_checkpoint(), ORIGIN, KEYS.verifier_keys))
        for old in heads:
            for new in heads[old.size :]:
                proof = log.consistency_proof(old.size, new.size)
                verify_consistency(old.size, new.size, proof, old.root, new.root)
        for old_size, new_size in ((0, 21), (5, 4), (-1, 3)):
            with pytest.raises(LogError):
                log.consistency_proof(old_size, new_size)


def test_many_threads_share_one_log(tmp_path: Path) -> None:
    got: dict[bytes, list[int]] = {seed(str(number)): [] for number in range(40)}
    with open_log(tmp_path) as log:

        def work() -> None:
            for digest, indexes in got.items():
                indexes.append(log.append("job", digest))

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for digest, indexes in got.items():
            assert len(indexes) == 8
            assert len(set(indexes)) == 1
            assert_proves(log, indexes[0], "job", digest)
        assert sorted(indexes[0] for indexes in got.values()) == list(range(40))
        assert log.check(KEYS.verifier_keys).entries == 40


def test_appends_that_wait_share_one_signature(tmp_path: Path) -> None:
    signing, go_on, signatures = threading.Event(), threading.Event(), []

    def slow(text: bytes) -> bytes:
        signatures.append(text)
        if len(signatures) > 1:
            signing.set()
            assert go_on.wait(120)
        return KEYS.sign_checkpoint(text)

    with open_log(tmp_path, slow) as log:
        threads = [
            threading.Thread(target=log.append, args=("job", seed(str(number)))) for number in range(6)
        ]
        threads[0].start()
        assert signing.wait(120)
        for thread in threads[1:]:
            thread.start()
        storage = log._storage
        while storage.size() < 6:
            pass
        go_on.set()
        for thread in threads:
            thread.join()
        assert log.check().entries == 6
    # The empty head, the first entry, and one for the five that waited.
    assert len(signatures) == 3


class VaultGoneError(Exception):
    pass


def refusing(_text: bytes) -> bytes:
    raise VaultGoneError


def another_root(text: bytes) -> bytes:
    return KEYS.sign_checkpoint(CheckpointText(ORIGIN, CheckpointText.parse(text).size, bytes(32)).to_bytes())


def unsigned(text: bytes) -> bytes:
    return text


@pytest.mark.parametrize("broken", [refusing, another_root, unsigned], ids=lambda item: item.__name__)
def test_without_a_signature_nothing_is_published(tmp_path: Path, broken: Callable[[bytes], bytes]) -> None:
    sign = KEYS.sign_checkpoint

    def vault(text: bytes) -> bytes:
        return sign(text)

    with open_log(tmp_path, vault) as log:
        log.append("job", seed("a"))
        before = log.latest_checkpoint()
        sign = broken
        for _ in range(2):
            with pytest.raises(LogError) as caught:
                log.append("job", seed("b"))
            assert caught.value.code == "checkpoint_not_signed"
        assert log.latest_checkpoint() == before
        with pytest.raises(LogError):
            log.proof_for(1)
        assert (log.check().entries, log.check().staged) == (1, 1)
        sign = KEYS.sign_checkpoint
        assert log.append("job", seed("c")) == 2
        assert log.append("job", seed("b")) == 1
        assert_proves(log, 1, "job", seed("b"))
        assert log.check(KEYS.verifier_keys).entries == 3


def test_what_was_staged_before_a_stop_is_published_at_the_next_start(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        log.append("job", seed("a"))
    storage = LogStorage(tmp_path / "log.sqlite", ORIGIN)
    storage.stage([Entry("job", seed("b"))])
    storage.close()
    with pytest.raises(LogError) as caught:
        open_log(tmp_path, refusing)
    assert caught.value.code == "checkpoint_not_signed"
    with open_log(tmp_path) as log:
        assert_proves(log, 1, "job", seed("b"))
        assert log.append("job", seed("b")) == 1


def test_one_process_at_a_time(tmp_path: Path) -> None:
    with open_log(tmp_path), pytest.raises(LogError) as caught:
        open_log(tmp_path)
    assert caught.value.code == "log_in_use"
    open_log(tmp_path).close()


def test_another_origin_is_refused(tmp_path: Path) -> None:
    open_log(tmp_path).close()
    with pytest.raises(LogError) as caught:
        TransparencyLog(tmp_path / "log.sqlite", "other.test/log", KEYS.sign_checkpoint)
    assert caught.value.code == "log_wrong_origin"


def test_another_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "log.sqlite").write_bytes(b"this is no database " * 100)
    with pytest.raises(LogError) as caught:
        open_log(tmp_path)
    assert caught.value.code == "log_damaged"


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE entries SET kind = 'intake' WHERE position = 1",
        "UPDATE nodes SET hash = zeroblob(32)",
        "UPDATE checkpoints SET root = zeroblob(32)",
        "UPDATE identity SET origin = 'other.test/log'",
        "DELETE FROM entries WHERE position = 2",
        "DELETE FROM nodes",
        "DELETE FROM checkpoints WHERE size = 0",
        "DELETE FROM identity",
        "INSERT OR REPLACE INTO entries VALUES (1, 'job', zeroblob(32))",
        "INSERT INTO entries VALUES (17, 'job', zeroblob(32))",
        "INSERT INTO entries VALUES (-1, 'job', zeroblob(32))",
        "INSERT OR REPLACE INTO nodes VALUES (0, 1, zeroblob(32))",
        "INSERT OR REPLACE INTO checkpoints VALUES (3, zeroblob(32), x'00')",
        "INSERT INTO checkpoints VALUES (2, zeroblob(32), x'00')",
        "INSERT INTO identity VALUES ('other.test/log')",
        "REPLACE INTO identity VALUES ('bauta.test/log')",
    ],
)
def test_the_database_itself_refuses_changes(tmp_path: Path, statement: str) -> None:
    with open_log(tmp_path) as log:
        for name in "abc":
            log.append("job", seed(name))
    with sqlite3.connect(tmp_path / "log.sqlite") as database, pytest.raises(sqlite3.IntegrityError):
        database.execute(statement)
    with open_log(tmp_path) as log:
        assert log.check(KEYS.verifier_keys).entries == 3


@pytest.mark.parametrize(
    ("table", "statement"),
    [
        ("entries", "UPDATE entries SET kind = 'intake' WHERE position = 1"),
        ("entries", "UPDATE entries SET envelope_sha256 = zeroblob(32) WHERE position = 1"),
        ("entries", "DELETE FROM entries WHERE position = 1"),
        ("entries", "UPDATE entries SET kind = 'gossip' WHERE position = 1"),
        ("nodes", "UPDATE nodes SET hash = zeroblob(32) WHERE level = 1"),
        ("nodes", "DELETE FROM nodes WHERE level = 1"),
        ("nodes", "INSERT INTO nodes VALUES (9, 9, zeroblob(32))"),
        ("checkpoints", "UPDATE checkpoints SET root = zeroblob(32) WHERE size = 2"),
        ("checkpoints", "UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 1)"),
        ("checkpoints", "INSERT INTO checkpoints SELECT 9, root, note FROM checkpoints WHERE size = 3"),
        ("checkpoints", "UPDATE checkpoints SET note = CAST(note || 'x' AS BLOB) WHERE size = 3"),
    ],
)
def test_the_check_finds_what_was_changed_behind_the_rules(
    tmp_path: Path, table: str, statement: str
) -> None:
    """An attacker with the file can drop a rule, change a row and put the rule back."""
    with open_log(tmp_path) as log:
        for name in "abc":
            log.append("job", seed(name))
    with sqlite3.connect(tmp_path / "log.sqlite") as database:
        rules = database.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = ?", (table,)
        ).fetchall()
        assert len(rules) == 3
        for name, _ in rules:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(statement)
        for _, rule in rules:
            database.execute(rule)
    with pytest.raises(LogError) as caught, open_log(tmp_path) as log:
        log.check(KEYS.verifier_keys)
    assert caught.value.code == "log_damaged"


def test_the_check_finds_a_dropped_rule_and_a_forged_signature(tmp_path: Path) -> None:
    with open_log(tmp_path) as log:
        log.append("job", seed("a"))
        with pytest.raises(LogError):
            log.check(TestLogKeys(name="stranger").verifier_keys)
    with sqlite3.connect(tmp_path / "log.sqlite") as database:
        database.execute("DROP TRIGGER entries_delete")
    with open_log(tmp_path) as log, pytest.raises(LogError) as caught:
        log.check()
    assert caught.value.code == "log_damaged"


def test_a_signer_that_remembers_gets_the_proof_from_any_size_that_it_signed(tmp_path: Path) -> None:
    signed = [CheckpointText(ORIGIN, 0, EMPTY_ROOT)]

    def remembering(text: bytes, prove_from: Callable[[int], list[bytes]]) -> bytes:
        new = CheckpointText.parse(text)
        for old in signed:
            verify_consistency(old.size, new.size, prove_from(old.size), old.root, new.root)
        signed.append(new)
        return KEYS.sign_checkpoint(text)

    with TransparencyLog(tmp_path / "log.sqlite", ORIGIN, remembering) as log:
        for number in range(20):
            log.append("job", seed(str(number)))
    assert [item.size for item in signed] == [0, *range(21)]


def test_a_signer_that_reorders_its_lines_is_fine(tmp_path: Path) -> None:
    def reversed_lines(text: bytes) -> bytes:
        note = parse_note(KEYS.sign_checkpoint(text))
        return assemble(CheckpointText.parse(text), note.lines[::-1])

    with open_log(tmp_path, reversed_lines) as log:
        log.append("job", seed("a"))
        assert log.check(KEYS.verifier_keys).entries == 1
