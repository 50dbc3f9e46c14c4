"""No file key leaves before its release is in the log, whatever the front desk shows instead."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from keyvault.client import VaultRefusedError
from protos.bauta.internal.v1.release_pb2 import ReleaseResponse
from provenance.checkpoint import CheckpointText
from provenance.dsse import Envelope
from provenance.entry import Entry
from provenance.note import parse_note
from provenance.tlog_proof import TlogProof
from tests.unit.keyvault.vault.harness import (
    RunningVault,
    Worker,
    header_of,
    make_request,
    read,
    seal_upload,
)
from tests.unit.provenance.provenance_makers import TestLogKeys


class Waiting:
    """A job whose evidence was offered and whose key has not left yet."""

    def __init__(self, vault: RunningVault) -> None:
        self.vault = vault
        self.worker = Worker()
        self.header = header_of(upload := seal_upload(vault.intake().recipient, b"plaintext"))
        vault.accept(self.worker, upload)
        self.child = vault.register(self.worker.job_id)
        self.evidence = make_request(self.child, self.worker.request(self.header)).evidence
        self.digest = Envelope.from_bytes(self.evidence).digest

    def refusal(self, proof: bytes) -> str:
        """What the vault says to a false proof; no byte of an answer has gone to the child by then."""
        with pytest.raises(VaultRefusedError) as refused:
            self.vault.client.confirm_release(self.worker.job_id, proof)
        assert self.has_no_answer()
        return refused.value.code

    def has_no_answer(self) -> bool:
        self.child.setblocking(False)
        try:
            self.child.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        return False

    def proof_of(self, kind: str, digest: bytes) -> bytes:
        """Records something and proves it."""
        with self.vault.log() as log:
            return log.proof_for(log.append(kind, digest))


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Waiting]:
    """One such job; after every attack it still gets its key from an honest front desk."""
    with RunningVault(tmp_path / "vault", "--release-timeout-seconds", "120") as vault:
        vault.hello()
        job = Waiting(vault)
        yield job
        vault.record(job.worker.job_id, job.evidence)
        sealed = read(job.child, ReleaseResponse).sealed_file_key
        assert len(job.worker.key.open_file_key(sealed, job.worker.job_id, job.header)) == 16
        job.child.close()


def test_evidence_alone_moves_no_key(waiting: Waiting) -> None:
    assert waiting.has_no_answer()


def test_a_proof_of_another_entry(waiting: Waiting) -> None:
    other = waiting.proof_of("release", secrets.token_bytes(32))
    assert waiting.refusal(other) == "release_proof_invalid"


def test_a_proof_that_the_evidence_was_recorded_as_something_else(waiting: Waiting) -> None:
    assert waiting.refusal(waiting.proof_of("failure", waiting.digest)) == "release_proof_invalid"


def test_a_checkpoint_that_this_vault_did_not_sign(waiting: Waiting) -> None:
    honest = TlogProof.parse(waiting.proof_of("release", secrets.token_bytes(32)))
    origin = waiting.vault.client.describe().log_origin
    leaf = Entry("release", waiting.digest).leaf
    forged = TestLogKeys(origin).sign_checkpoint(CheckpointText(origin, 1, leaf).to_bytes())
    assert waiting.refusal(TlogProof(0, (), forged).to_bytes()) == "release_proof_invalid"
    assert waiting.refusal(TlogProof(0, (), honest.checkpoint).to_bytes()) == "release_proof_invalid"


def test_a_checkpoint_of_another_vault(waiting: Waiting, tmp_path: Path) -> None:
    with RunningVault(tmp_path / "other") as other, other.log() as log:
        proof = log.proof_for(log.append("release", waiting.digest))
        assert waiting.refusal(proof) == "release_proof_invalid"


def test_a_checkpoint_stripped_of_its_post_quantum_signature(waiting: Waiting) -> None:
    with waiting.vault.log() as log:
        true = TlogProof.parse(log.proof_for(log.append("release", waiting.digest)))
        note = parse_note(true.checkpoint)
        lines = true.checkpoint.split(b"\n\n", 1)[1].splitlines(keepends=True)
        assert len(note.lines) == len(lines) == 2
        for kept in lines:
            stripped = true.checkpoint.split(b"\n\n", 1)[0] + b"\n\n" + kept
            proof = TlogProof(true.index, true.hashes, stripped).to_bytes()
            assert waiting.refusal(proof) == "release_proof_invalid"


@pytest.mark.parametrize("noise", [b"", b"\xff" * 200, b"c2sp.org/tlog-proof@v1\nindex 0\n\n"])
def test_noise(waiting: Waiting, noise: bytes) -> None:
    assert waiting.refusal(noise) == "release_proof_invalid"


def test_a_proof_for_a_job_that_waits_for_none(waiting: Waiting) -> None:
    proof = waiting.proof_of("release", secrets.token_bytes(32))
    with pytest.raises(VaultRefusedError) as refused:
        waiting.vault.client.confirm_release(secrets.token_bytes(16), proof)
    assert refused.value.code == "release_unknown"


def test_a_recorded_release_of_an_earlier_attempt_does_not_release_a_later_one(waiting: Waiting) -> None:
    """A front desk replays the entry of the first attempt, for fresh keys of its own choice."""
    vault, first = waiting.vault, waiting
    proof = first.proof_of("release", first.digest)
    second = Worker(job_id=first.worker.job_id)
    with vault.register(second.job_id) as child:
        assert make_request(child, second.request(first.header)).error_code == ""
        with pytest.raises(VaultRefusedError) as refused:
            vault.client.confirm_release(second.job_id, proof)
        assert refused.value.code == "release_proof_invalid"
    # The first attempt's place was taken by the second; an honest front desk starts it again.
    first.child.close()
    first.child = vault.register(first.worker.job_id)
    first.evidence = make_request(first.child, first.worker.request(first.header)).evidence


def test_a_log_that_stays_silent_ends_the_release(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault", "--release-timeout-seconds", "8") as vault:
        vault.hello()
        job = Waiting(vault)
        job.child.setblocking(True)
        assert read(job.child, ReleaseResponse) == ReleaseResponse(error_code="release_not_recorded")
        with pytest.raises(VaultRefusedError) as refused:
            vault.record(job.worker.job_id, job.evidence)
        assert refused.value.code == "release_unknown"


def test_a_job_that_was_cancelled_meanwhile_gets_no_key(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault") as vault:
        vault.hello()
        job = Waiting(vault)
        vault.client.end_job(job.worker.job_id)
        vault.record(job.worker.job_id, job.evidence)
        assert read(job.child, ReleaseResponse) == ReleaseResponse(error_code="upload_not_accepted")
