"""The proof file, the log proof inside it and the trust file: one form each, and nothing else is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from provenance_makers import ORIGIN, House, TestLogKeys, TestSigner, job_facts

from provenance import canonical
from provenance.dsse import sign_envelope
from provenance.errors import FormatError
from provenance.note import ed25519_vkey
from provenance.proof import MAX_PROOF_FILE_BYTES, ProofFile
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust

HASH = "A" * 43 + "="


def test_a_log_proof_has_the_published_layout() -> None:
    proof = TlogProof(index=5, hashes=(bytes(32), bytes(32)), checkpoint=b"a note\n\nand its lines\n")
    text = f"c2sp.org/tlog-proof@v1\nindex 5\n{HASH}\n{HASH}\n\na note\n\nand its lines\n".encode()
    assert proof.to_bytes() == text
    assert TlogProof.parse(text) == proof


def test_a_log_proof_of_a_lonely_entry_has_no_hashes() -> None:
    text = b"c2sp.org/tlog-proof@v1\nindex 0\n\nnote"
    assert TlogProof.parse(text) == TlogProof(0, (), b"note")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"c2sp.org/tlog-proof@v1\n",
        b"c2sp.org/tlog-proof@v1\nindex 5\n",
        b"c2sp.org/tlog-proof@v2\nindex 5\n\nnote",
        b"c2sp.org/tlog-proof@v1\nindex 05\n\nnote",
        b"c2sp.org/tlog-proof@v1\nindex -5\n\nnote",
        b"c2sp.org/tlog-proof@v1\nindex  5\n\nnote",
        b"c2sp.org/tlog-proof@v1\nindex 9223372036854775808\n\nnote",
        b"c2sp.org/tlog-proof@v1\nextra AAAA\nindex 5\n\nnote",
        b"c2sp.org/tlog-proof@v1\nindex 5\nAAAA\n\nnote",
        f"c2sp.org/tlog-proof@v1\nindex 5\n{HASH} \n\nnote".encode(),
        f"c2sp.org/tlog-proof@v1\r\nindex 5\r\n{HASH}\r\n\r\nnote".encode(),
        f"c2sp.org/tlog-proof@v1\nindex 5\n{'A' * 42}B=\n\nnote".encode(),
        b"c2sp.org/tlog-proof@v1\nindex 5\n" + (HASH.encode() + b"\n") * 64 + b"\nnote",
        b"c2sp.org/tlog-proof@v1\nindex 5\n\n" + b"x" * (200 << 10),
        "c2sp.org/tlog-proof@v1\nindex ٥\n\nnote".encode(),
    ],
    ids=lambda text: repr(text[:60]),
)
def test_malformed_log_proofs_are_refused(text: bytes) -> None:
    with pytest.raises(FormatError):
        TlogProof.parse(text)


def test_a_proof_file_round_trips(house: House) -> None:
    content = house.prove_job()
    assert ProofFile.from_bytes(content).to_bytes() == content
    assert content.endswith(b"\n")
    assert len(content) < 32 << 10


@pytest.mark.parametrize(
    "change",
    [
        {"format": "bauta.proof/v0"},
        {"format": None},
        {"statement": None},
        {"statement": []},
        {"evidence": None},
        {"evidence": {}},
        {"evidence": [None]},
        {"log": None},
        {"log": ["x"]},
        {"log": "\ud800"},
        {"comment": "x"},
    ],
    ids=str,
)
def test_malformed_proof_files_are_refused(house: House, change: dict[str, Any]) -> None:
    content = {**json.loads(house.prove_job()), **change}
    with pytest.raises(FormatError):
        ProofFile.from_bytes(json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n")


def test_a_proof_file_has_a_largest_size(house: House) -> None:
    with pytest.raises(FormatError) as caught:
        ProofFile.from_bytes(b"[" * (MAX_PROOF_FILE_BYTES + 1))
    assert caught.value.code == "too_large"
    proof = ProofFile.from_bytes(house.prove_job())
    with pytest.raises(FormatError):
        ProofFile(proof.statement, proof.evidence * 5, proof.log)
    with pytest.raises(FormatError):
        ProofFile(proof.statement, proof.evidence, b"x" * MAX_PROOF_FILE_BYTES).to_bytes()
    with pytest.raises(FormatError):
        ProofFile(proof.statement, proof.evidence, b"\xff")


def test_a_proof_holds_no_word_of_the_original(house: House) -> None:
    """All that a reader of the log gets is a hash of the envelope; all of the proof is facts and keys."""
    proof = house.prove_job()
    assert set(json.loads(proof)) == {"format", "statement", "evidence", "log"}
    statement = ProofFile.from_bytes(proof).statement
    assert json.loads(statement.payload)["predicate"] == job_facts().predicate()
    entry = house.log._storage.rows("SELECT * FROM entries WHERE kind = 'job'")[0]
    assert entry == (5, "job", statement.digest)


TRUST = Trust(TestSigner("node").public, ORIGIN, TestLogKeys().vkeys)


def test_a_trust_file_round_trips_and_may_be_spaced_by_hand() -> None:
    assert Trust.from_bytes(TRUST.to_bytes()) == TRUST
    assert Trust.from_bytes(json.dumps(json.loads(TRUST.to_bytes()), indent=4).encode()) == TRUST
    assert [key.name for key in TRUST.log_keys] == [ORIGIN, ORIGIN]


def changed_trust(part: str, **changes: Any) -> bytes:
    content = json.loads(TRUST.to_bytes())
    (content if part == "top" else content[part]).update(changes)
    return canonical.dumps(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b"\xff",
        b" " * (65 << 10),
        TRUST.to_bytes().replace(b"{", b'{"format":"bauta.trust/v1",', 1),
        changed_trust("top", format="bauta.trust/v2"),
        changed_trust("top", comment="x"),
        changed_trust("top", node=None),
        changed_trust("top", log=[]),
        changed_trust("node", ed25519="AAAA"),
        changed_trust("node", ed25519=None),
        changed_trust("node", rsa="AAAA"),
        changed_trust("log", origin="other.test/log"),
        changed_trust("log", origin=5),
        changed_trust("log", vkeys=[]),
        changed_trust("log", vkeys=None),
        changed_trust("log", vkeys=[1, 2]),
        changed_trust("log", vkeys=[TRUST.log_vkeys[0]]),
        changed_trust("log", vkeys=[TRUST.log_vkeys[0], ed25519_vkey(ORIGIN, bytes(32))]),
        changed_trust("log", vkeys=[TRUST.log_vkeys[0], TestLogKeys("other.test").vkeys[1]]),
        changed_trust("log", vkeys=[*TRUST.log_vkeys, ed25519_vkey(ORIGIN, bytes(32))]),
    ],
    ids=lambda content: repr(content[:40]),
)
def test_malformed_trust_files_are_refused(content: bytes) -> None:
    with pytest.raises(FormatError):
        Trust.from_bytes(content)


def test_an_envelope_in_a_proof_keeps_its_digest(house: House) -> None:
    statement = sign_envelope(job_facts().to_statement(), TestSigner("worker"))
    read = ProofFile.from_bytes(house.prove(statement, [])).statement
    assert read.digest == statement.digest
