"""Once is once: across restarts, a hundred threads, ten processes, a crash; never without the record."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from keyvault.submitter import blind_rsa, tokens
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import IssuerKey
from keyvault.submitter.proofs import prove
from keyvault.submitter.spent import SpentStore, proof_realm
from keyvault.submitter.statements import Occasion
from keyvault.submitter.tokens import TokenRequest, issue
from tests.unit.keyvault.submitter.submitter_makers import (
    ALICE,
    BOB,
    CALLS,
    OCCASION,
    TIPS,
    issuer,
    issuer_key,
    own,
    token,
)

TRIES = 100
PROCESSES = 10


def code_of(store: SpentStore, spent: bytes, holder: bytes | None = None) -> str:
    """What comes of a token: ok, or the refusal's code."""
    try:
        store.redeem(spent, issuer_key(), holder)
    except SubmitterError as refused:
        return refused.code
    return "ok"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Of an empty record."""
    SpentStore.create(tmp_path / "spent").close()
    return tmp_path / "spent"


def test_a_token_is_taken_once_and_after_a_restart_still_once(path: Path) -> None:
    spent, other = token().to_bytes(), token().to_bytes()
    store = SpentStore(path)
    assert [code_of(store, spent), code_of(store, spent)] == ["ok", "token_spent"]
    store.close()
    again = SpentStore(path)
    assert [code_of(again, spent), code_of(again, other)] == ["token_spent", "ok"]
    again.close()


def test_a_holder_is_let_in_again_until_it_is_settled_and_nobody_else_is(path: Path) -> None:
    """What a service that was killed between token and job needs, and what a thief must not get."""
    mine, another, spent = b"m" * 32, b"a" * 32, token().to_bytes()
    store = SpentStore(path)
    assert code_of(store, spent, mine) == "ok"
    assert [code_of(store, spent, one) for one in (another, None)] == ["token_spent"] * 2
    store.close()
    store = SpentStore(path)
    store.settle(another)
    assert [code_of(store, spent, mine), code_of(store, spent, another)] == ["ok", "token_spent"]
    store.settle(mine)
    assert [code_of(store, spent, one) for one in (mine, another, None)] == ["token_spent"] * 3
    store.settle(mine)
    store.close()


def test_nobody_can_claim_a_token_that_was_used_without_a_holder(path: Path) -> None:
    store, spent = SpentStore(path), token().to_bytes()
    assert code_of(store, spent) == "ok"
    assert code_of(store, spent, b"m" * 32) == "token_spent"
    store.close()


def test_a_settled_holder_leaves_no_trace(path: Path) -> None:
    """The record must not tie a token to a job once the job is there."""
    store, holder = SpentStore(path), os.urandom(32)
    assert code_of(store, token().to_bytes(), holder) == "ok"
    store.settle(holder)
    store._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    assert not [one for one in path.parent.iterdir() if holder in one.read_bytes()]


def test_two_signatures_of_one_serial_are_one_token(path: Path) -> None:
    first = TokenRequest.draw(issuer_key())
    second = TokenRequest.draw(issuer_key())
    prepared = second.prefix + tokens._message(issuer_key().id, first.serial)
    second = replace(
        second, serial=first.serial, blinded=blind_rsa.blind(issuer_key(), prepared, tokens.VARIANT)
    )
    made = [one.finish(issue(issuer(), one.blinded.message)).to_bytes() for one in (first, second)]
    assert made[0] != made[1]
    store = SpentStore(path)
    assert [code_of(store, one) for one in made] == ["ok", "token_spent"]
    store.close()


def test_one_of_a_hundred_threads_gets_in(path: Path) -> None:
    """Through one store, and through one each, all at the same moment."""
    shared, spent = SpentStore(path), token().to_bytes()
    start = threading.Barrier(TRIES)

    def attempt(number: int) -> str:
        store = shared if number % 2 else SpentStore(path)
        start.wait()
        code = code_of(store, spent)
        if store is not shared:
            store.close()
        return code

    with ThreadPoolExecutor(TRIES) as pool:
        assert Counter(pool.map(attempt, range(TRIES))) == {"ok": 1, "token_spent": TRIES - 1}
    shared.close()


def _try_in_process(path: Path, spent: bytes, start: Barrier, codes: SimpleQueue[str]) -> None:
    """Ten threads, a store of its own for each, at the same moment as those of nine other processes."""

    def attempt(_number: int) -> str:
        store = SpentStore(path)
        start.wait()
        code = code_of(store, spent)
        store.close()
        return code

    with ThreadPoolExecutor(TRIES // PROCESSES) as pool:
        for code in pool.map(attempt, range(TRIES // PROCESSES)):
            codes.put(code)


def test_one_of_a_hundred_in_ten_processes_gets_in(path: Path) -> None:
    context = multiprocessing.get_context("fork")
    codes, start = context.SimpleQueue(), context.Barrier(TRIES)
    arguments = (path, token().to_bytes(), start, codes)
    processes = [context.Process(target=_try_in_process, args=arguments) for _ in range(PROCESSES)]
    for process in processes:
        process.start()
    assert Counter(codes.get() for _ in range(TRIES)) == {"ok": 1, "token_spent": TRIES - 1}
    for process in processes:
        process.join(60)
        assert process.exitcode == 0


def _redeem_and_die(path: Path, spent: bytes, key_der: bytes) -> None:
    SpentStore(path).redeem(spent, IssuerKey.from_der(key_der))
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_use_outlives_whoever_wrote_it(path: Path) -> None:
    """Killed the moment `redeem` returned: nothing closed, no checkpoint of the write-ahead log."""
    spent = token().to_bytes()
    arguments = (path, spent, issuer_key().to_der())
    process = multiprocessing.get_context("fork").Process(target=_redeem_and_die, args=arguments)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    store = SpentStore(path)
    assert code_of(store, spent) == "token_spent"
    store.close()


def test_a_proof_is_taken_once_also_when_its_owner_makes_another(path: Path) -> None:
    statement = own(ALICE, TIPS, CALLS)
    store = SpentStore(path)
    store.accept(prove(ALICE, statement).to_bytes(), statement)
    store.close()
    store = SpentStore(path)
    others = (
        statement,
        own(BOB, TIPS),
        own(ALICE, TIPS, occasion=replace(OCCASION, message_sha256=bytes(32))),
    )
    for again, secret in zip(others, (ALICE, BOB, ALICE), strict=True):
        with pytest.raises(SubmitterError) as refused:
            store.accept(prove(secret, again).to_bytes(), again)
        assert refused.value.code == "proof_used"
    fresh = own(ALICE, TIPS, occasion=Occasion.draw(OCCASION.verifier, bytes(32)))
    store.accept(prove(ALICE, fresh).to_bytes(), fresh)
    store.close()


def test_what_is_false_uses_nothing_up(path: Path) -> None:
    """Else whoever saw a nonce or a serial could burn it for its owner."""
    store, good = SpentStore(path), token()
    bad = replace(good, signature=bytes([good.signature[0] ^ 1]) + good.signature[1:])
    assert [code_of(store, one.to_bytes()) for one in (bad, good)] == ["token_false", "ok"]
    statement = own(ALICE, TIPS)
    with pytest.raises(SubmitterError):
        store.accept(prove(BOB, own(BOB, TIPS)).to_bytes(), statement)
    store.accept(prove(ALICE, statement).to_bytes(), statement)
    store.close()


def test_a_retired_realm_takes_nothing_and_remembers_nothing(path: Path) -> None:
    store, spent = SpentStore(path), token()
    assert code_of(store, spent.to_bytes()) == "ok"
    store.retire(issuer_key().id)
    store.retire(proof_realm(OCCASION.verifier))
    assert {code_of(store, one) for one in (spent.to_bytes(), token().to_bytes())} == {"realm_retired"}
    statement = own(ALICE, TIPS)
    with pytest.raises(SubmitterError) as refused:
        store.accept(prove(ALICE, statement).to_bytes(), statement)
    assert refused.value.code == "realm_retired"
    store.close()
    assert spent.use not in path.read_bytes()
    assert not [one for one in path.parent.iterdir() if spent.use in one.read_bytes()]


def test_without_the_record_nothing_is_admitted(tmp_path: Path, path: Path) -> None:
    with pytest.raises(SubmitterError) as refused:
        SpentStore(tmp_path / "absent")
    assert refused.value.code == "spent_store_invalid"
    assert not (tmp_path / "absent").exists()
    with pytest.raises(SubmitterError) as refused:
        SpentStore.create(path)
    assert refused.value.code == "spent_store_invalid"
    foreign = tmp_path / "foreign"
    sqlite3.connect(foreign).execute("CREATE TABLE used (realm, use)").connection.close()
    (tmp_path / "empty").touch()
    for name in ("foreign", "empty"):
        with pytest.raises(SubmitterError) as refused:
            SpentStore(tmp_path / name)
        assert refused.value.code == "spent_store_invalid"
    (tmp_path / "noise").write_bytes(b"no database" * 100)
    with pytest.raises(SubmitterError) as refused:
        SpentStore(tmp_path / "noise")
    assert refused.value.code == "spent_store_unavailable"


def test_a_record_that_cannot_be_written_admits_nobody(path: Path) -> None:
    store = SpentStore(path)
    store._connection.execute("PRAGMA query_only=ON")
    assert code_of(store, token().to_bytes()) == "spent_store_unavailable"
    store._connection.execute("PRAGMA query_only=OFF")
    store.close()
    assert code_of(store, token().to_bytes()) == "spent_store_unavailable"


def test_the_record_is_its_owners_alone(path: Path) -> None:
    assert path.stat().st_mode & 0o777 == 0o600


def test_neither_token_nor_key_stands_in_the_record(path: Path) -> None:
    store, spent, statement = SpentStore(path), token(), own(ALICE, TIPS)
    store.redeem(spent.to_bytes(), issuer_key())
    store.accept(prove(ALICE, statement).to_bytes(), statement)
    kept = b"".join(one.read_bytes() for one in path.parent.iterdir())
    store.close()
    assert spent.use in kept
    for hidden in (spent.serial, spent.signature, statement.pseudonyms[0].key, TIPS.encode()):
        assert hidden not in kept
