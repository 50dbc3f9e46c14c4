"""kill -9 at any moment: no acknowledged entry is lost, none is published half, and the next start recovers.

The writer is a forked child that tells each acknowledged index through a pipe; the parent kills it.
"""

from __future__ import annotations

import hashlib
import os
import random
import select
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from provenance.checkpoint import (
    CheckpointText,
    assemble,
    message_to_sign,
    parse_checkpoint_text,
    signature_line,
    verify_checkpoint,
)
from provenance.entry import Entry
from provenance.errors import LogError
from provenance.log import TransparencyLog
from provenance.merkle import verify_consistency, verify_inclusion
from provenance.note import ED25519_NOTE, MLDSA44_COSIGNATURE, VerifierKey
from provenance.tlog_proof import TlogProof

ORIGIN = "bauta.test/log"
PRIVATE = (
    Ed25519PrivateKey.from_private_bytes(b"e" * 32),
    MLDSA44PrivateKey.from_seed_bytes(b"m" * 32),
)
KEYS = (
    VerifierKey(ORIGIN, ED25519_NOTE, PRIVATE[0].public_key().public_bytes_raw()),
    VerifierKey(ORIGIN, MLDSA44_COSIGNATURE, PRIVATE[1].public_key().public_bytes_raw()),
)
ROUNDS = 30


def sign(text: bytes, _prove_from: object = None) -> bytes:
    parsed = parse_checkpoint_text(text)
    lines = [
        signature_line(key, private.sign(message_to_sign(key, parsed, 1)), 1)
        for key, private in zip(KEYS, PRIVATE, strict=True)
    ]
    return assemble(parsed, lines)


def digest(number: int) -> bytes:
    return hashlib.sha256(b"envelope %d" % number).digest()


def in_child(work: Callable[[int], None]) -> tuple[int, int]:
    """Runs work in a forked child with the writing end of a pipe; gives its pid and the reading end."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(reader)
            work(writer)
        finally:
            os._exit(1)
    os.close(writer)
    return child, reader


def acknowledged(reader: int) -> list[int]:
    with os.fdopen(reader, "rb") as stream:
        told = stream.read()
    return [int.from_bytes(told[at : at + 8], "big") for at in range(0, len(told) - len(told) % 8, 8)]


def head_of(log: TransparencyLog) -> CheckpointText:
    return verify_checkpoint(log.latest_checkpoint(), ORIGIN, KEYS)


def test_no_acknowledged_entry_is_lost_to_kill_9(tmp_path: Path) -> None:
    path = tmp_path / "log.sqlite"
    moments = random.Random(6962)
    safe = 0
    with TransparencyLog(path, ORIGIN, sign) as log:
        before = head_of(log)
    survived: list[int] = []

    # A busy machine needs more kills than ROUNDS until as many entries were acknowledged between them.
    while len(survived) < ROUNDS or sum(survived) <= ROUNDS:
        assert len(survived) < 5 * ROUNDS

        def write(pipe: int, first: int = safe) -> None:
            with TransparencyLog(path, ORIGIN, sign) as log:
                for number in range(first, first + 10_000):
                    index = log.append("job", digest(number))
                    assert index == number
                    os.write(pipe, index.to_bytes(8, "big"))

        child, reader = in_child(write)
        # Every other kill falls anywhere, also while the log opens; the rest fall on a log at work.
        if len(survived) % 2:
            assert select.select([reader], [], [], 120)[0]
        time.sleep(moments.uniform(0.002, 0.04))
        os.kill(child, signal.SIGKILL)
        assert os.waitpid(child, 0)[1] == signal.SIGKILL
        told = acknowledged(reader)
        survived.append(len(told))

        with TransparencyLog(path, ORIGIN, sign) as log:
            report = log.check()
            assert report.staged == 0
            assert report.entries in (safe + len(told), safe + len(told) + 1)
            after = head_of(log)
            proof = log.consistency_proof(before.size, after.size)
            verify_consistency(before.size, after.size, proof, before.root, after.root)
            for number in (*told, report.entries - 1):
                if number >= 0:
                    place = TlogProof.parse(log.proof_for(number))
                    leaf = Entry("job", digest(number)).leaf
                    verify_inclusion(leaf, number, after.size, place.hashes, after.root)
            before, safe = after, report.entries
    with TransparencyLog(path, ORIGIN, sign) as log:
        assert log.check(KEYS).entries == safe


@pytest.mark.parametrize("signed_first", [False, True], ids=["before the signature", "after the signature"])
def test_a_crash_between_stage_and_publish_recovers(tmp_path: Path, signed_first: bool) -> None:
    path = tmp_path / "log.sqlite"
    with TransparencyLog(path, ORIGIN, sign) as log:
        log.append("job", digest(0))
        before = head_of(log)

    def dies(text: bytes, _prove_from: object) -> bytes:
        if signed_first:
            sign(text)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("not reached")

    def write(pipe: int) -> None:
        log = TransparencyLog(path, ORIGIN, dies)
        os.write(pipe, log.append("job", digest(1)).to_bytes(8, "big"))

    child, reader = in_child(write)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert acknowledged(reader) == []

    asked = []

    def remembering(text: bytes, _prove_from: object) -> bytes:
        asked.append(text)
        return sign(text)

    with TransparencyLog(path, ORIGIN, remembering) as log:
        assert len(asked) == 1
        assert head_of(log).size == before.size + 1
        assert log.append("job", digest(1)) == 1
        assert log.append("job", digest(2)) == 2
        assert log.check(KEYS).entries == 3


def test_a_full_disk_refuses_and_heals(tmp_path: Path) -> None:
    """SQLite's own page limit stands in for the disk: the same error, at a place that we choose."""
    path = tmp_path / "log.sqlite"
    with TransparencyLog(path, ORIGIN, sign) as log:
        log.append("job", digest(0))
        database = log._storage._database
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count = {pages + 6}")
        accepted: list[int] = []

        def fill() -> None:
            for number in range(1, 200):
                accepted.append(log.append("job", digest(number)))

        with pytest.raises(LogError) as caught:
            fill()
        assert caught.value.code == "log_full"
        last = accepted[-1]
        assert head_of(log).size == last + 1
        database.execute("PRAGMA max_page_count = 1073741823")
        assert log.append("job", digest(last + 1)) == last + 1
        assert log.check(KEYS).entries == last + 2
