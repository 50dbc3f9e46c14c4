"""What a whole service puts on record beside results: receipts, failures, policies; how it is checked."""

from __future__ import annotations

import datetime
import hashlib
import json
import secrets
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from media_factory import face_clip
from service_process import Service, bauta_program, clean_environment, terms_for

from enclave.policy import Terms, shipped, upload_preamble
from grpc_api.client import submission, transfer
from grpc_api.client.connection import Connection, service_errors
from grpc_api.client.receipts import fetch_policy_record, fetch_receipt
from grpc_api.client.sealing import SealedUpload, seal_upload
from grpc_api.errors import ServiceError
from grpc_api.ledger import Ledger
from grpc_api.public_records import PublicRecords
from keyvault.age import HybridIdentity, SealWriter, parse_recipient
from protos.bauta.v1 import intake_pb2, jobs_pb2, proofs_pb2
from provenance.node_statements import verify_node_statement
from provenance.proof import ProofFile
from provenance.statements import (
    FailureFacts,
    KeyRotationFacts,
    PolicyFacts,
    ReleaseFacts,
    SubmissionFacts,
)
from provenance.statements.fields import parse_instant
from provenance.trust import Trust
from provenance.verifier import verify_intake
from tests.unit.keyvault.vault.harness import RunningVault


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with Service(tmp_path_factory.mktemp("data")) as running:
        yield running


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_clip(tmp_path_factory.mktemp("media") / "clip.mp4", seconds=0.5)


def bauta(*words: object) -> tuple[int, dict[str, Any]]:
    """Runs the command line; its exit code and its JSON."""
    done = subprocess.run(
        [bauta_program(), *map(str, words), "--json"],
        capture_output=True,
        text=True,
        timeout=240,
        env=clean_environment(),
    )
    return done.returncode, json.loads(done.stdout)


def intake_of(service: Service, connection: Connection) -> str:
    announced = connection.intake.GetIntake(intake_pb2.GetIntakeRequest()).announcement
    return verify_intake(announced, service.trust, datetime.datetime.now(datetime.UTC)).recipient


def create(connection: Connection, terms: Terms) -> str:
    request = jobs_pb2.CreateJobRequest(terms=terms.to_bytes(), client_token=secrets.token_bytes(16))
    return connection.jobs.CreateJob(request).job.job_id


def test_a_receipt_comes_before_the_result_and_names_the_same_job(
    service: Service, clip: Path, tmp_path: Path
) -> None:
    identity = HybridIdentity.generate()
    order: list[str] = []
    receipts: list[bytes] = []

    def keep(receipt: bytes) -> None:
        order.append("receipt")
        receipts.append(receipt)

    with service.connect() as connection:
        done = submission.submit(
            connection,
            service.trust,
            source=clip,
            output=tmp_path / "out.mp4",
            terms=terms_for(identity),
            identity=identity,
            on_progress=lambda stage, _: order.append(stage),
            on_receipt=keep,
        )
        record = fetch_policy_record(connection, service.trust, bytes.fromhex(done.facts.policy_sha256))
    assert order.index("receipt") < order.index("fetch")
    receipt = verify_node_statement(receipts[0], service.trust, SubmissionFacts)
    proof = ProofFile.from_bytes(done.proof)
    release = ReleaseFacts.from_statement(proof.evidence[0].payload)
    assert receipt.facts.job_id == done.facts.job_id
    assert receipt.facts.terms_sha256 == done.facts.terms_sha256
    assert receipt.facts.upload_header_sha256 == release.upload_header_sha256
    assert receipt.facts.accepted_at <= release.released_at
    policy = verify_node_statement(record, service.trust, PolicyFacts)
    assert (policy.facts.policy, policy.facts.measurement) == ("whistleblower", done.facts.measurement)
    assert policy.log_index < receipt.log_index, "the policy was on record before the job"
    (tmp_path / "receipt").write_bytes(receipts[0])
    (tmp_path / "policy").write_bytes(record)
    words = ["verify", tmp_path / "out.mp4", "--trust", service.data / "trust.json", "--record"]
    code, said = bauta(*words, tmp_path / "receipt", "--record", tmp_path / "policy")
    assert code == 0
    assert [step["step"] for step in said["steps"]][-2:] == ["on_record"] * 2
    for path in (service.data / "desk" / "public").glob("policy-street-*.proof"):
        code, said = bauta(*words, path)
        assert (code, said["error"]["code"]) == (1, "record_differs")


def test_a_receipt_is_of_the_sealed_file_and_a_person_can_check_it(
    service: Service, clip: Path, tmp_path: Path
) -> None:
    terms = terms_for(HybridIdentity.generate())
    with service.connect() as connection:
        sealed = seal_upload(clip, tmp_path / "upload.age", terms, intake_of(service, connection))
        job_id = create(connection, terms)
        with pytest.raises(ServiceError) as refused, service_errors():
            connection.proofs.GetReceipt(proofs_pb2.GetReceiptRequest(job_id=job_id))
        assert refused.value.code == "upload_not_accepted", "nothing was uploaded yet"
        transfer.upload(connection, job_id, sealed)
        receipt = fetch_receipt(connection, service.trust, job_id, sealed, terms.digest.hex())
        other = SealedUpload(sealed.path, sealed.size, secrets.token_bytes(32), b"", "")
        with pytest.raises(ServiceError) as refused:
            fetch_receipt(connection, service.trust, job_id, other, terms.digest.hex())
        assert refused.value.code == "receipt_of_other_upload"
        # To be cancelled it would have to last.
        transfer.watch(connection, job_id, lambda _: None)
        connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id))
    (tmp_path / "receipt").write_bytes(receipt)
    words = ["statement", tmp_path / "receipt", "--trust", service.data / "trust.json", "--upload"]
    code, said = bauta(*words, tmp_path / "upload.age")
    assert (code, said["kind"], said["subject"]) == (0, "submission", {"sealed-upload": sealed.sha256.hex()})
    (tmp_path / "upload.age").write_bytes(b"another file")
    code, said = bauta(*words, tmp_path / "upload.age")
    assert (code, said["step"], said["code"]) == (1, "upload_matches", "upload_differs")


def test_a_failed_job_keeps_the_proof_of_its_failure(service: Service, tmp_path: Path) -> None:
    terms = terms_for(HybridIdentity.generate())
    path = tmp_path / "upload.age"
    with service.connect() as connection:
        intake = parse_recipient(intake_of(service, connection))
        with path.open("wb") as file, SealWriter(file, [intake]) as writer:
            writer.write(upload_preamble(terms, b"s" * 32) + b"no video at all" * 99)
        digest = hashlib.sha256(path.read_bytes()).digest()
        job_id = create(connection, terms)
        transfer.upload(connection, job_id, SealedUpload(path, path.stat().st_size, digest, b"", ""))
        job = transfer.watch(connection, job_id, lambda _: None)
        assert job.error.code == "media_unknown_format"
        request = proofs_pb2.GetProofRequest(job_id=job_id)
        proof = connection.proofs.GetProof(request).proof
        connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id))
    facts = verify_node_statement(proof, service.trust, FailureFacts).facts
    assert (facts.job_id, facts.code) == (job_id, "media_unknown_format")


def test_every_shipped_policy_lies_there_for_everybody(service: Service) -> None:
    proofs = sorted((service.data / "desk" / "public").glob("policy-*.proof"))
    assert len(proofs) == len(shipped())
    for path in proofs:
        code, said = bauta("statement", path, "--trust", service.data / "trust.json")
        assert (code, said["kind"]) == (0, "policy")
        assert path.name.split("-")[1] == said["says"]["policy"]


def test_a_policy_of_somebodys_own_is_not_on_record(service: Service) -> None:
    with service.connect() as connection, pytest.raises(ServiceError) as refused:
        fetch_policy_record(connection, service.trust, hashlib.sha256(b"my own policy").digest())
    assert refused.value.code == "policy_not_recorded"


def test_a_key_that_a_real_vault_destroys_gets_on_record_and_is_forgotten(tmp_path: Path) -> None:
    lifetimes = ("--intake-lifetime-seconds", "1", "--intake-grace-seconds", "0")
    with RunningVault(tmp_path / "vault", *lifetimes) as vault:
        vault.hello()
        recipient = vault.intake().recipient
        _wait_for(vault.client.announce_rotations)
        with vault.log() as log:
            PublicRecords(tmp_path / "public", vault.client, Ledger(log)).catch_up()
            assert vault.client.announce_rotations() == []
            assert log.check().entries == 1
        described = vault.client.describe()
        trust = Trust(described.node, described.log_origin, described.log_vkeys)
    [proof] = (tmp_path / "public").iterdir()
    facts = verify_node_statement(proof.read_bytes(), trust, KeyRotationFacts).facts
    assert facts.retired_sha256 == hashlib.sha256(recipient.encode()).hexdigest()
    assert facts.successor_sha256 is None
    assert parse_instant(facts.destroyed_at) > parse_instant(facts.made_at)


def _wait_for(condition: Callable[[], object], seconds: float = 240.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came so far"
        time.sleep(0.05)
