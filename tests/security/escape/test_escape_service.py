"""A whole service whose worker is taken over: lies and attempts reach the submitter as a code, and no more.

So does what a worker finds in its own result when its covers, its detectors or its encoder were spoiled.

Command line, supervisor, front desk and vault are real and unchanged; so are the wall and the one-job keys
that the lying worker signs with. Each row is one submission; after the last, the same service does a job.
"""

from __future__ import annotations

import secrets
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import hostile_bauta
import lies
import pytest
import sabotage
import service_process
from attempt import DIED, INVALID, KILLED
from media_factory import face_image
from service_process import Service, terms_for

from grpc_api.client import transfer
from grpc_api.client.sealing import seal_upload
from grpc_api.errors import ServiceError
from keyvault.age import HybridIdentity
from protos.bauta.v1 import intake_pb2, jobs_pb2, proofs_pb2
from provenance.node_statements import verify_node_statement
from provenance.statements import FailureFacts
from provenance.trust import Trust
from provenance.verifier import verify_intake

FOLDER = Path(__file__).parent
TOLD = dict.fromkeys(lies.ALL, INVALID)
TRIED = {
    "connect over TCP": KILLED,
    "run a program": KILLED,
    "fork without end": KILLED,
    "make a 32-bit call (int 0x80)": KILLED,
    "hand the vault a descriptor": KILLED,
    "open a file by an absolute path": "internal_error",
    "put plaintext where a code belongs": INVALID,
    "claim a reply of 4 GiB": INVALID,
    "report an empty result": INVALID,
    "report no evidence": INVALID,
    "crash": DIED,
    "end without a word": DIED,
}
EXPECTED = TOLD | TRIED


@dataclass
class Held:
    """A job whose worker found out that its result was bad.

    Attributes:
        job: as the service told it.
        proof: that the service gave of it.
    """

    job: jobs_pb2.Job
    proof: bytes


@dataclass
class Outcome:
    """What came of it all.

    Attributes:
        codes: of each submission, by what its worker did.
        held: the jobs whose worker was spoiled, by how.
        trust: the service's.
        spooled: files of jobs left on the service's disk after each.
        health: after the last.
        last_media_type: of the honest job at the end.
        log: what the service wrote.
    """

    codes: dict[str, str]
    held: dict[str, Held]
    trust: Trust
    spooled: dict[str, int]
    health: str
    last_result: bytes
    log: str


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Outcome]:
    folder = tmp_path_factory.mktemp("hostile")
    program = folder / "bauta"
    program.write_text(
        f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(FOLDER)!r})\n"
        "import hostile_bauta\nhostile_bauta.main()\n"
    )
    program.chmod(0o700)
    (folder / "data").mkdir()
    picture = face_image(folder / "face.jpg")
    codes, spooled = {}, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(hostile_bauta.VARIABLE, ",".join([*EXPECTED, *sabotage.ALL]))
        patch.setattr(service_process, "bauta_program", lambda: program)
        with Service(folder / "data", config="max_job_seconds = 60\n") as service:
            for name in EXPECTED:
                try:
                    service.submit(picture, folder / "out.jpg")
                    codes[name] = "done"
                except ServiceError as failed:
                    codes[name] = failed.code
                spooled[name] = len(service.spooled())
            held = {name: handed_in(service, picture, folder) for name in sabotage.ALL}
            spooled |= dict.fromkeys(held, len(service.spooled()))
            service.submit(picture, folder / "out.jpg")
            health, trust = service.health(), service.trust
        result = (folder / "out.jpg").read_bytes()
        yield Outcome(codes, held, trust, spooled, health, result, service.log.read_text())


def handed_in(service: Service, media: Path, folder: Path) -> Held:
    """Hands a job in as a client does, waits for its end, and fetches what the service can prove of it."""
    terms = terms_for(HybridIdentity.generate())
    with service.connect() as connection:
        announced = connection.intake.GetIntake(intake_pb2.GetIntakeRequest()).announcement
        intake = verify_intake(announced, service.trust, datetime.now(UTC))
        sealed = seal_upload(media, folder / f"{secrets.token_hex(4)}.age", terms, intake.recipient)
        request = jobs_pb2.CreateJobRequest(terms=terms.to_bytes(), client_token=secrets.token_bytes(16))
        job_id = connection.jobs.CreateJob(request).job.job_id
        transfer.upload(connection, job_id, sealed)
        job = transfer.watch(connection, job_id, lambda _: None)
        proof = connection.proofs.GetProof(proofs_pb2.GetProofRequest(job_id=job_id)).proof
        connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id))
    return Held(job, proof)


@pytest.mark.parametrize(("name", "code"), EXPECTED.items(), ids=EXPECTED.keys())
def test_the_submitter_gets_a_code_and_nothing_else(outcome: Outcome, name: str, code: str) -> None:
    assert outcome.codes[name] == code
    assert outcome.spooled[name] == 0


@pytest.mark.parametrize(("name", "code"), sabotage.FOUND_OUT.items(), ids=sabotage.FOUND_OUT.keys())
def test_a_worker_that_was_spoiled_holds_its_own_result_back(outcome: Outcome, name: str, code: str) -> None:
    held = outcome.held[name]
    assert (held.job.state, held.job.error.code) == (jobs_pb2.JOB_STATE_FAILED, code)
    assert held.job.error.message.startswith("Held back: ")
    assert (held.job.result_bytes, held.job.result_sha256) == (0, b"")
    assert outcome.spooled[name] == 0
    # The failure is signed and in the log, as any other.
    facts = verify_node_statement(held.proof, outcome.trust, FailureFacts).facts
    assert (facts.job_id, facts.code) == (held.job.job_id, code)


def test_every_way_to_spoil_a_worker_is_tried() -> None:
    assert sabotage.ALL.keys() == sabotage.FOUND_OUT.keys()


def test_the_service_serves_the_next_job(outcome: Outcome) -> None:
    assert outcome.health == "SERVING"
    assert outcome.last_result.startswith(b"\xff\xd8")


def test_no_word_of_the_worker_is_in_the_log(outcome: Outcome) -> None:
    assert "Jane" not in outcome.log
    assert "refused_" not in outcome.log
