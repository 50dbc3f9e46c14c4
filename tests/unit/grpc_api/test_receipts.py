"""Receipts and public records: recorded before anybody is told, once, and again after a log that failed."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from grpc_api.errors import ServiceError
from grpc_api.jobs.receipts import Receipts
from grpc_api.jobs.states import JobRecord, State
from grpc_api.ledger import Ledger
from grpc_api.public_records import PublicRecords
from keyvault.client import VaultClient, VaultRefusedError, VaultUnavailableError
from protos.bauta.internal.v1.worker_pb2 import PolicyDigest, WorkerHello, WorkerVersion
from provenance.dsse import sign_envelope
from provenance.errors import LogError
from provenance.log import TransparencyLog
from provenance.node_statements import verify_node_statement
from provenance.statements import Facts, KeyRotationFacts, PolicyFacts, SubmissionFacts
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from tests.unit.provenance.provenance_makers import ORIGIN, TestLogKeys, TestSigner
from tests.unit.provenance.statement_makers import SOUND

JOB = JobRecord(secrets.token_hex(16), "anna", "0" * 32, b"terms", State.UPLOADING, 0.0, 0.0)
UPLOAD = hashlib.sha256(b"sealed").hexdigest()
POLICIES = {
    "street": hashlib.sha256(b"street").digest(),
    "telehealth": hashlib.sha256(b"telehealth").digest(),
}


class SignsLikeAVault(VaultClient):
    """The vault's side of these requests, with real signatures and without a process."""

    def __init__(self) -> None:
        self.node = TestSigner("node", third=True)
        self.signed = 0
        self.destroyed: dict[str, bytes] = {}
        self.is_gone = False

    def _sign(self, facts: Facts) -> bytes:
        if self.is_gone:
            raise VaultUnavailableError("the vault does not answer")
        self.signed += 1
        return sign_envelope(facts.to_statement(), self.node).to_bytes()

    def sign_submission(self, job_id: bytes, upload_sha256: bytes) -> bytes:
        return self._sign(SOUND[SubmissionFacts](job_id=job_id.hex(), upload_sha256=upload_sha256.hex()))

    def sign_policies(self) -> list[bytes]:
        return [
            self._sign(
                SOUND[PolicyFacts](policy=name, policy_sha256=digest.hex(), measurement=bytes(32).hex())
            )
            for name, digest in POLICIES.items()
        ]

    def destroy(self, name: str) -> str:
        retired = hashlib.sha256(name.encode()).hexdigest()
        self.destroyed[retired] = self._sign(SOUND[KeyRotationFacts](retired_sha256=retired))
        return retired

    def announce_rotations(self) -> list[bytes]:
        if self.is_gone:
            raise VaultUnavailableError("the vault does not answer")
        return list(self.destroyed.values())[:2]

    def confirm_rotation(self, retired_sha256: bytes, tlog_proof: bytes) -> None:
        if not TlogProof.parse(tlog_proof).checkpoint:
            raise VaultRefusedError("entry_proof_invalid")
        del self.destroyed[retired_sha256.hex()]


class Desk:
    """A log whose signer can fail, and what is made with it."""

    def __init__(self, folder: Path) -> None:
        self.vault = SignsLikeAVault()
        self.keys = TestLogKeys()
        self.fails = False
        self.log = TransparencyLog(folder / "log.sqlite", ORIGIN, self._sign)
        self.ledger = Ledger(self.log)
        self.receipts = Receipts(self.vault, self.ledger)
        self.folder = folder / "public"

    def _sign(self, text: bytes, prove_from: object) -> bytes:
        if self.fails:
            raise OSError("no")
        return self.keys.sign_checkpoint(text, prove_from)

    @property
    def trust(self) -> Trust:
        return Trust(self.vault.node.public, ORIGIN, self.keys.vkeys)

    @property
    def size(self) -> int:
        """Entries that are published."""
        return int(self.ledger.checkpoint().split(b"\n")[1])

    def records(self) -> PublicRecords:
        return PublicRecords(self.folder, self.vault, self.ledger)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.log.close()


def hello() -> WorkerHello:
    policies = [PolicyDigest(name=name, sha256=digest) for name, digest in POLICIES.items()]
    return WorkerHello(measurement=bytes(32), version=WorkerVersion(policies=policies))


def test_a_receipt_is_recorded_and_verifies(desk: Desk) -> None:
    said = verify_node_statement(desk.receipts.make(JOB, UPLOAD), desk.trust, SubmissionFacts)
    assert (said.facts.job_id, said.facts.upload_sha256) == (JOB.job_id, UPLOAD)


def test_a_log_that_fails_gives_no_receipt_and_no_second_entry(desk: Desk) -> None:
    desk.fails = True
    for _ in range(3):
        with pytest.raises(ServiceError) as refusal:
            desk.receipts.make(JOB, UPLOAD)
        assert refusal.value.code == "checkpoint_not_signed"
    desk.fails = False
    verify_node_statement(desk.receipts.make(JOB, UPLOAD), desk.trust, SubmissionFacts)
    assert (desk.vault.signed, desk.size) == (1, 1)


def test_another_upload_of_the_same_job_gets_its_own(desk: Desk) -> None:
    desk.fails = True
    with pytest.raises(ServiceError):
        desk.receipts.make(JOB, UPLOAD)
    desk.fails = False
    other = hashlib.sha256(b"sealed again").hexdigest()
    said = verify_node_statement(desk.receipts.make(JOB, other), desk.trust, SubmissionFacts)
    assert said.facts.upload_sha256 == other


def test_a_job_that_is_gone_is_forgotten(desk: Desk) -> None:
    desk.fails = True
    with pytest.raises(ServiceError):
        desk.receipts.make(JOB, UPLOAD)
    desk.receipts.forget(JOB.job_id)
    desk.fails = False
    desk.receipts.make(JOB, UPLOAD)
    assert desk.vault.signed == 2


def test_a_vault_that_does_not_answer_is_no_receipt(desk: Desk) -> None:
    desk.vault.is_gone = True
    with pytest.raises(VaultUnavailableError):
        desk.receipts.make(JOB, UPLOAD)
    with pytest.raises(LogError):
        desk.ledger.inclusion(0)


def test_policies_are_recorded_once_for_a_version(desk: Desk) -> None:
    records = desk.records()
    assert records.policy(POLICIES["street"]) is None
    records.settle(hello())
    for name, digest in POLICIES.items():
        proof = records.policy(digest)
        assert proof is not None
        facts = verify_node_statement(proof, desk.trust, PolicyFacts).facts
        assert (facts.policy, facts.policy_sha256) == (name, digest.hex())
    records.catch_up()
    again = desk.records()
    again.settle(hello())
    assert again.policy(POLICIES["street"]) == records.policy(POLICIES["street"])
    assert (desk.vault.signed, desk.size) == (2, 2)
    assert records.policy(hashlib.sha256(b"a submitter's own").digest()) is None


def test_what_cannot_be_recorded_now_is_recorded_later(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    records = desk.records()
    desk.vault.is_gone = True
    records.settle(hello())
    assert "vault_unavailable" in caplog.text
    desk.vault.is_gone, desk.fails = False, True
    records.catch_up()
    assert "checkpoint_not_signed" in caplog.text
    assert records.policy(POLICIES["street"]) is None
    desk.fails = False
    records.catch_up()
    assert records.policy(POLICIES["street"]) is not None


def test_every_destroyed_key_gets_a_proof_and_is_confirmed_after_it(desk: Desk) -> None:
    retired = [desk.vault.destroy(str(number)) for number in range(5)]
    desk.records().catch_up()
    assert desk.vault.destroyed == {}
    proofs = [path.read_bytes() for path in sorted(desk.folder.glob("key-rotation-*.proof"))]
    found = {
        verify_node_statement(proof, desk.trust, KeyRotationFacts).facts.retired_sha256 for proof in proofs
    }
    assert found == set(retired)


def test_a_damaged_record_does_not_stop_a_start(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    desk.records().settle(hello())
    for path in desk.folder.glob("policy-street-*"):
        path.write_bytes(b"{}\n")
    assert desk.records().policy(POLICIES["street"]) is None
    assert "unreadable" in caplog.text


def test_the_name_of_a_public_file_is_made_of_words_and_digests(desk: Desk) -> None:
    retired = desk.vault.destroy("one")
    desk.records().settle(hello())
    worker = bytes(32).hex()[:16]
    expected = {f"policy-{name}-{digest.hex()[:16]}-{worker}.proof" for name, digest in POLICIES.items()}
    assert {path.name for path in desk.folder.iterdir()} == {*expected, f"key-rotation-{retired[:16]}.proof"}
