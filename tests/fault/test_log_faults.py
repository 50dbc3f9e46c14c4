"""500 faults at chosen points of an append: kill -9, a full disk, a broken disk, a short write.

A point is one step of one append: any system call by which the static files are written, any SQL statement of
the index, and the signature. After each fault the fsck must find the log sound as it lies there, and another
start must find every entry that was acknowledged, under checkpoints that are all of one history.
"""

from __future__ import annotations

import errno
import hashlib
import os
import random
import signal
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import provenance.tiles.files
from provenance.checkpoint import CheckpointText, verify_checkpoint
from provenance.entry import Entry
from provenance.errors import LogError
from provenance.log import TransparencyLog, static_folder
from provenance.log_check import check_log
from provenance.log_storage import LogStorage
from provenance.merkle import EMPTY_ROOT, consistency_proof, verify_consistency, verify_inclusion
from provenance.note import VerifierKey
from provenance.tiles.check import check_files
from provenance.tiles.files import FolderFiles
from provenance.tlog_proof import TlogProof
from tests.unit.provenance.provenance_makers import ORIGIN, TestLogKeys

KEYS = TestLogKeys()
VKEYS = KEYS.verifier_keys
SEED = 20261121
KILLS = 250
LOGS = 5  # Short ones, so that a fsck after each kill stays cheap.
ERRORS = 250
# Just below a full tile, so that every kind of file is written within a few appends.
START = 250


class RememberingSigner:
    """Signs as the vault does: never two roots at one size, and only what continues the tree signed last."""

    def __init__(self) -> None:
        self.signed = CheckpointText(ORIGIN, 0, EMPTY_ROOT)

    def __call__(self, text: bytes, prove_from: Any) -> bytes:
        new, old = CheckpointText.parse(text), self.signed
        verify_consistency(old.size, new.size, prove_from(old.size), old.root, new.root)
        self.signed = new
        return KEYS.sign_checkpoint(text)


class FaultyOs:
    """Stands in for `os` where the static files are written; does harm at one step."""

    COUNTED = ("open", "write", "fsync", "rename", "mkdir", "close")

    def __init__(self, at: int, harm: str, pipe: int = -1) -> None:
        self.left, self.harm, self.pipe, self.struck = at, harm, pipe, ""

    def __getattr__(self, name: str) -> Any:
        real = getattr(os, name)
        if name not in self.COUNTED:
            return real

        def call(*arguments: Any, **options: Any) -> Any:
            if self.step(name):
                if self.harm == "short" and name == "write":
                    return os.write(arguments[0], arguments[1][: max(1, len(arguments[1]) // 2)])
                if name == "close":
                    os.close(*arguments)  # As Linux does: the descriptor is gone whatever close says.
                raise OSError(errno.ENOSPC if self.harm == "full" else errno.EIO, "injected")
            return real(*arguments, **options)

        return call

    def step(self, name: str) -> bool:
        """Counts a step; true if harm is to be done by the caller. A kill is done here."""
        self.left -= 1
        if self.left != 0:
            return False
        self.struck = name
        if self.harm == "kill":
            os.write(self.pipe, name.encode())
            os.kill(os.getpid(), signal.SIGKILL)
        return True


def digest(number: int) -> bytes:
    return hashlib.sha256(b"envelope %d" % number).digest()


def fsck(path: Path, vkeys: Sequence[VerifierKey]) -> int:
    """What `bauta log fsck` does; how many entries readers see. Without keys it leaves signatures out."""
    with closing(LogStorage(path, ORIGIN)) as storage:
        report = check_log(storage, vkeys)
        static = check_files(FolderFiles(static_folder(path)), storage)
    assert static.entries is not None
    assert static.entries <= report.entries  # Fewer when the kill fell just before the last step.
    return static.entries


def heals(path: Path, signer: RememberingSigner, told: int) -> CheckpointText:
    """The next start: no acknowledged entry is lost, there is one history, and the log goes on."""
    with TransparencyLog(path, ORIGIN, signer) as log:
        head = verify_checkpoint(log.latest_checkpoint(), ORIGIN, VKEYS)
        assert head.size >= told
        for number in range(max(0, told - 3), told):
            place = TlogProof.parse(log.proof_for(number))
            verify_inclusion(Entry("job", digest(number)).leaf, number, head.size, place.hashes, head.root)
        assert log.append("job", digest(head.size)) == head.size
    return verify_checkpoint((static_folder(path) / "checkpoint").read_bytes(), ORIGIN, VKEYS)


def watch_statements(log: TransparencyLog, faulty: FaultyOs) -> None:
    # Only a kill: SQLite swallows what a tracer raises, and its own full disk is tested on its own.
    log._storage._database.conn.set_trace_callback(lambda _: faulty.step("sql"))


def make(path: Path) -> RememberingSigner:
    signer = RememberingSigner()
    with TransparencyLog(path, ORIGIN, signer) as log:
        log.append_all(("job", digest(number)) for number in range(START))
    return signer


def killed_writer(path: Path, first: int, at: int) -> tuple[int, str]:
    """A forked writer that dies at its own step `at`; how many entries it acknowledged, and the step."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            faulty = FaultyOs(at, "kill", writer)

            def sign(text: bytes, _prove_from: Any) -> bytes:
                faulty.step("sign")
                note = KEYS.sign_checkpoint(text)
                faulty.step("signed")
                return note

            log = TransparencyLog(path, ORIGIN, sign)
            provenance.tiles.files.os = faulty  # type: ignore[assignment]  # the stand-in, in this fork alone
            watch_statements(log, faulty)
            for number in range(first, first + 1000):
                assert log.append("job", digest(number)) == number
                os.write(writer, b".")
        finally:
            os._exit(1)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        told = stream.read().decode()
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    struck = told.lstrip(".")
    return len(told) - len(struck), struck


@pytest.mark.slow
def test_a_kill_at_any_step_of_an_append(tmp_path: Path) -> None:
    points = random.Random(SEED)
    struck: Counter[str] = Counter()
    for log_number in range(LOGS):
        path = tmp_path / f"log{log_number}.sqlite"
        signer = make(path)
        size, before = START, signer.signed
        for _ in range(KILLS // LOGS):
            told, step = killed_writer(path, size, points.randrange(1, 120))
            struck[step] += 1
            assert fsck(path, ()) in (size + told, size + told + 1)
            head = heals(path, signer, size + told)
            with closing(LogStorage(path, ORIGIN)) as storage:
                proof = consistency_proof(before.size, head.size, storage.node)
            verify_consistency(before.size, head.size, proof, before.root, head.root)
            size, before = head.size, head
        assert fsck(path, VKEYS) == size
    assert struck.total() == KILLS
    assert {"open", "write", "fsync", "close", "rename", "sql"} <= set(struck)


@pytest.mark.parametrize("harm", ["full", "broken", "short"])
def test_a_failed_write_at_any_step_of_an_append(
    tmp_path: Path, harm: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "log.sqlite"
    signer = make(path)
    points = random.Random(SEED)
    struck: Counter[str] = Counter()
    codes: Counter[str] = Counter()
    with TransparencyLog(path, ORIGIN, signer) as log:
        number = START
        for _ in range(ERRORS // 3 + 1):
            faulty = FaultyOs(points.randrange(1, 40), harm)
            monkeypatch.setattr(provenance.tiles.files, "os", faulty)
            while not faulty.struck:
                published = (static_folder(path) / "checkpoint").read_bytes()
                try:
                    assert log.append("job", digest(number)) == number
                except LogError as error:
                    codes[error.code] += 1
                    # The rename is the only step after which readers may see what was not acknowledged.
                    seen = (static_folder(path) / "checkpoint").read_bytes()
                    assert seen == published or faulty.struck in {"open", "fsync", "close"}
                    monkeypatch.setattr(provenance.tiles.files, "os", os)
                    assert log.append("job", digest(number)) == number
                number += 1
            struck[faulty.struck] += 1
            monkeypatch.setattr(provenance.tiles.files, "os", os)
        report = log.check(VKEYS)
        assert report.entries == number
        assert report.static is not None
        assert report.static.entries == number
    assert {"open", "write", "fsync", "rename", "close"} <= set(struck)
    assert set(codes) == {"log_full" if harm == "full" else "log_unavailable"}
    # A write that falls short is carried on with; every other fault is told to whoever appends.
    assert codes.total() == struck.total() - (struck["write"] if harm == "short" else 0)
    assert fsck(path, VKEYS) == number
