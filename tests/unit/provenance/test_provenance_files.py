"""The proof file, the log proof inside it and the trust file: one form each, and nothing else is read."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from provenance_makers import ORIGIN, House, TestLogKeys, TestSigner, job_facts

from provenance import canonical
from provenance.dsse import sign_envelope
from provenance.errors import FormatError
from provenance.keys import STATEMENT_SIGNATURES, STATEMENT_SUITE
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
    assert set(json.loads(proof)) == {"format", "statement", "evidence", "log", "timestamps"}
    statement = ProofFile.from_bytes(proof).statement
    assert json.loads(statement.payload)["predicate"] == job_facts().predicate()
    entry = house.log._storage.rows("SELECT * FROM entries WHERE kind = 'job'")[0]
    assert entry == (5, "job", statement.digest)


TRUST = Trust(
    TestSigner("node", third=True).public,
    ORIGIN,
    TestLogKeys().vkeys,
    releases=(TestSigner("release", third=True).public, TestSigner("old release").public),
)


def test_a_trust_file_round_trips_and_may_be_spaced_by_hand() -> None:
    assert Trust.from_bytes(TRUST.to_bytes()) == TRUST
    assert Trust.from_bytes(json.dumps(json.loads(TRUST.to_bytes()), indent=4).encode()) == TRUST
    assert [key.name for key in TRUST.log_keys] == [ORIGIN, ORIGIN]


@pytest.mark.parametrize("required", [STATEMENT_SUITE, STATEMENT_SIGNATURES], ids=len)
def test_a_trust_file_keeps_what_it_requires(required: tuple[str, ...]) -> None:
    trust = Trust(
        TRUST.node, ORIGIN, TRUST.log_vkeys, releases=TRUST.releases[:1], required_signatures=required
    )
    assert Trust.from_bytes(trust.to_bytes()) == trust
    assert json.loads(trust.to_bytes())["required_signatures"] == list(required)


ED25519_ONLY = {"ed25519": base64.b64encode(TRUST.node.ed25519).decode()}
WITHOUT_THIRD = {**ED25519_ONLY, "mldsa65": base64.b64encode(TRUST.node.mldsa65).decode()}


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
        changed_trust("node", slhdsa128s="AAAA"),
        changed_trust("node", slhdsa128s=None),
        changed_trust("top", node=ED25519_ONLY),
        changed_trust("top", releases=None),
        changed_trust("top", releases={}),
        changed_trust("top", releases=[None]),
        changed_trust("top", releases=[ED25519_ONLY]),
        changed_trust("top", releases=[WITHOUT_THIRD, WITHOUT_THIRD]),
        changed_trust("top", required_signatures=None),
        changed_trust("top", required_signatures="ed25519"),
        changed_trust("top", required_signatures=[["ed25519"], "mldsa65"]),
        changed_trust("top", required_signatures=["ed25519", "mldsa65", "mldsa65"]),
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


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("signatures_too_weak", {"required_signatures": []}),
        ("signatures_too_weak", {"required_signatures": ["ed25519"]}),
        ("signatures_too_weak", {"required_signatures": ["ed25519", "slhdsa128s"]}),
        ("unknown_algorithm", {"required_signatures": ["ed25519", "mldsa65", "rsa"]}),
        # The node could sign with all three, one of the release keys could not.
        ("key_missing", {"required_signatures": ["ed25519", "mldsa65", "slhdsa128s"]}),
        (
            "key_missing",
            {
                "required_signatures": ["ed25519", "mldsa65", "slhdsa128s"],
                "node": WITHOUT_THIRD,
                "releases": [],
            },
        ),
    ],
)
def test_a_trust_file_that_asks_for_too_little_or_too_much_is_refused_by_name(
    code: str, changes: dict[str, Any]
) -> None:
    with pytest.raises(FormatError) as caught:
        Trust.from_bytes(changed_trust("top", **changes))
    assert caught.value.code == code


def test_an_envelope_in_a_proof_keeps_its_digest(house: House) -> None:
    statement = sign_envelope(job_facts().to_statement(), TestSigner("worker"))
    read = ProofFile.from_bytes(house.prove(statement, [])).statement
    assert read.digest == statement.digest
