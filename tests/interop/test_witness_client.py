"""Our log under witnesses written to the letter of tlog-witness without a line of ours; some of them lie."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from grpc_api.errors import ServiceError
from grpc_api.witnesses import WitnessedCheckpoints, cosigner
from provenance.errors import LogError
from provenance.log import TransparencyLog, static_folder, unwitnessed
from provenance.note import parse_note
from provenance.tlog_proof import TlogProof
from provenance.verifier import VerificationError, verify_intake
from provenance.witness.policy import parse_policy
from provenance.witness.quorum import require_quorum
from tests.interop.witness_by_hand import HandWitness
from tests.unit.provenance.provenance_makers import NOW, ORIGIN, House, TestLogKeys, TestSigner, seed

KEYS = TestLogKeys()
Lie = Callable[[Any, bytes], None]


@pytest.fixture
def witnesses() -> Iterator[list[HandWitness]]:
    made = [HandWitness(f"hand.test/w{n}", KEYS.vkeys[0], kind) for n, kind in ((1, 4), (2, 6), (3, 4))]
    yield made
    for witness in made:
        witness.close()


def policy_of(witnesses: list[HandWitness], threshold: int = 2) -> str:
    lines = [f"witness w{n} {witness.vkey} {witness.url}/" for n, witness in enumerate(witnesses)]
    names = " ".join(f"w{n}" for n in range(len(witnesses)))
    return "\n".join([f"log {KEYS.vkeys[0]}", *lines, f"group g {threshold} {names}", "quorum g", ""])


def asking(witnesses: list[HandWitness], threshold: int = 2, seconds: float = 60.0) -> WitnessedCheckpoints:
    return WitnessedCheckpoints(parse_policy(policy_of(witnesses, threshold).encode()), seconds)


def log_at(path: Path, cosign: WitnessedCheckpoints) -> TransparencyLog:
    return TransparencyLog(path / "log.sqlite", ORIGIN, KEYS.sign_checkpoint, cosign)


def signers(note: bytes) -> set[str]:
    return {line.name for line in parse_note(note).lines} - {ORIGIN}


def published(path: Path) -> bytes:
    return (static_folder(path / "log.sqlite") / "checkpoint").read_bytes()


def test_a_witness_by_the_letter_cosigns_and_our_verifier_accepts_it(
    witnesses: list[HandWitness], tmp_path: Path
) -> None:
    with log_at(tmp_path, asking(witnesses, 3)) as log:
        house = House(log, KEYS, TestSigner("node"))
        proof = house.prove_intake()
        trust = replace(house.trust, witness_policy=policy_of(witnesses, 3))
        verify_intake(proof, trust, NOW)
        assert signers(log.latest_checkpoint()) == {"hand.test/w1", "hand.test/w2", "hand.test/w3"}
        for number in range(40):
            log.append("job", seed(f"entry {number}"))
        assert {witness.size for witness in witnesses} == {41}
        with closing(HandWitness("hand.test/w1", KEYS.vkeys[0])) as stranger:
            other = policy_of([stranger], 1)
        with pytest.raises(VerificationError) as refused:
            verify_intake(house.prove_intake(), replace(trust, witness_policy=other), NOW)
        assert (refused.value.step, refused.value.code) == ("checkpoint_witnessed", "quorum_not_met")


def test_a_witness_that_was_away_catches_up_by_its_own_size(
    witnesses: list[HandWitness], tmp_path: Path
) -> None:
    with log_at(tmp_path, asking(witnesses)) as log:
        log.append("job", seed("one"))
    with (
        closing(HandWitness("hand.test/w4", KEYS.vkeys[0])) as late,
        log_at(tmp_path, asking([*witnesses, late], 4)) as log,
    ):
        log.append_all(("job", seed(f"more {number}")) for number in range(9))
        require_quorum(log.latest_checkpoint(), parse_policy(policy_of([*witnesses, late], 4).encode()))
        assert late.size == 10


def test_entries_staged_without_a_quorum_are_published_by_the_next_start(
    witnesses: list[HandWitness], tmp_path: Path
) -> None:
    with log_at(tmp_path, asking(witnesses)) as log:
        log.append("job", seed("one"))
        before = published(tmp_path)
        for witness in witnesses[1:]:
            witness.misbehave["answer"] = lambda hand, _: hand.reply(500, "text/plain", b"")
        with pytest.raises(LogError) as refused:
            log.append("job", seed("two"))
        assert refused.value.code == "quorum_not_met"
        assert published(tmp_path) == before == log.latest_checkpoint()
        with pytest.raises(LogError):
            log.proof_for(1)
    with pytest.raises(LogError) as refused:
        log_at(tmp_path, asking(witnesses))
    assert refused.value.code == "quorum_not_met"
    for witness in witnesses:
        witness.misbehave.clear()
    with log_at(tmp_path, asking(witnesses)) as log:
        assert log.append("job", seed("two")) == 1
        assert len(signers(published(tmp_path))) >= 2
        assert signers(TlogProof.parse(log.proof_for(0)).checkpoint) == signers(published(tmp_path))


def test_a_log_from_before_there_were_witnesses_gives_proofs_that_they_signed(
    witnesses: list[HandWitness], tmp_path: Path
) -> None:
    with TransparencyLog(tmp_path / "log.sqlite", ORIGIN, KEYS.sign_checkpoint, unwitnessed) as log:
        log.append("job", seed("one"))
        assert signers(log.latest_checkpoint()) == set()
    with log_at(tmp_path, asking(witnesses)) as log:
        assert len(signers(TlogProof.parse(log.proof_for(0)).checkpoint)) >= 2
        assert len(signers(log.latest_checkpoint())) >= 2
        log.check(KEYS.verifier_keys)


def _other_signature(hand: Any, body: bytes) -> None:
    """Its own key id over a signature by another key."""
    status, kind, content = hand.server.answer(body)
    text = body.decode().partition("\n\n")[2].rpartition("\n\n")[0] + "\n"
    with closing(HandWitness(hand.server.name, KEYS.vkeys[0], hand.server.kind)) as liar:
        forged = liar.cosign(text, ORIGIN, 1, bytes(32)).rpartition(" ")[2]
    head, _, own = content.rstrip("\n").rpartition(" ")
    blob = base64.b64decode(own)[:4] + base64.b64decode(forged)[4:]
    hand.reply(status, kind, f"{head} {base64.b64encode(blob).decode()}\n".encode())


def _slow(hand: Any, _body: bytes) -> None:
    time.sleep(3)
    hand.reply(500, "text/plain", b"")


def _trickle(hand: Any, _body: bytes) -> None:
    hand.send_response(200)
    hand.send_header("Content-Length", "9999")
    hand.end_headers()
    for _ in range(20):
        hand.wfile.write(b"x")
        hand.wfile.flush()
        time.sleep(0.2)


def _replies(status: int, kind: str, content: bytes, **headers: str) -> Lie:
    return lambda hand, _: hand.reply(status, kind, content, **headers)


LIES: dict[str, Lie] = {
    "a false signature": _other_signature,
    "somebody else's line": _replies(200, "text/plain", f"— other.test/w {'A' * 100}\n".encode()),
    "nothing": _replies(200, "text/plain", b""),
    "bytes": _replies(200, "text/plain", b"\xff" * 100),
    "an endless answer": _replies(200, "text/plain", b"x" * (1 << 20)),
    "a larger size than there is": _replies(409, "text/x.tlog.size", b"999\n"),
    "the same conflict for ever": _replies(409, "text/x.tlog.size", b"0\n"),
    "a size that is none": _replies(409, "text/x.tlog.size", b"nine\n"),
    "a size without end": _replies(409, "text/x.tlog.size", b"9" * 5000),
    "a redirect": _replies(307, "text/plain", b"", Location="http://127.0.0.1:9/add-checkpoint"),
    "an error": _replies(500, "text/plain", b"no"),
    "silence": _slow,
    "one byte at a time": _trickle,
}


@pytest.mark.parametrize("lie", LIES.values(), ids=LIES)
def test_a_lying_witness_costs_nothing_while_the_others_make_the_quorum(
    lie: Lie, witnesses: list[HandWitness], tmp_path: Path
) -> None:
    witnesses[0].misbehave["answer"] = lie
    with log_at(tmp_path, asking(witnesses, 2)) as log:
        log.append("job", seed("one"))
        assert signers(log.latest_checkpoint()) == {"hand.test/w2", "hand.test/w3"}
        require_quorum(log.latest_checkpoint(), parse_policy(policy_of(witnesses).encode()))


@pytest.mark.parametrize("lie", ["a false signature", "somebody else's line", "one byte at a time"])
def test_a_liar_is_not_counted(lie: str, witnesses: list[HandWitness], tmp_path: Path) -> None:
    witnesses[0].misbehave["answer"] = LIES[lie]
    with pytest.raises(LogError) as refused:
        log_at(tmp_path, asking(witnesses, 3, seconds=1.0))
    assert refused.value.code == "quorum_not_met"


def test_appends_that_wait_share_a_round(witnesses: list[HandWitness], tmp_path: Path) -> None:
    with log_at(tmp_path, asking(witnesses, 3)) as log:
        asked = len(witnesses[0].asked)
        log.append_all(("job", seed(f"entry {number}")) for number in range(50))
        assert len(witnesses[0].asked) == asked + 1


BAD = {
    "no address at all": "",
    "another protocol": "ftp://w.test/",
    "a file": "file:///etc/passwd",
    "a password": "http://me:secret@w.test/",
    "a query": "http://w.test/?a=b",
    "no host": "http:///",
    "a port out of range": "http://w.test:99999/",
}


@pytest.mark.parametrize("url", BAD.values(), ids=BAD)
def test_a_policy_that_cannot_be_asked_is_a_bad_configuration(url: str) -> None:
    with closing(HandWitness("hand.test/w", KEYS.vkeys[0])) as witness:
        policy = parse_policy(f"witness w {witness.vkey} {url}\nquorum w\n".encode())
    with pytest.raises(ServiceError) as refused:
        WitnessedCheckpoints(policy)
    assert refused.value.code == "config_invalid"
    assert "secret" not in str(refused.value)


def test_without_a_policy_nobody_is_asked() -> None:
    assert cosigner(None) is unwitnessed
