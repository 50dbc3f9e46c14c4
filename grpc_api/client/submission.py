"""One submission from end to end, on the submitter's own machine.

    check the intake -> seal -> create -> upload -> watch -> fetch -> open -> verify -> commit -> delete

The opened result gets its name only after its proof was verified against the trust file and against what
was sent. Whatever fails on the way, the job is cancelled and nothing half-done stays.
"""

from __future__ import annotations

import datetime
import secrets
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import grpc

from enclave.policy import Instructions, Terms
from grpc_api.client import transfer
from grpc_api.client.agreement import require_own
from grpc_api.client.connection import Connection, service_errors
from grpc_api.client.enrolment import Enrolment
from grpc_api.client.matching import Matching, fetch_scores, require_no_scores
from grpc_api.client.outputs import commit, create_private
from grpc_api.client.receipts import fetch_receipt
from grpc_api.client.review import fetch_package, require_no_package
from grpc_api.client.review_key import ReviewKey
from grpc_api.client.sealing import SealedUpload, seal_upload
from grpc_api.client.untouched import fetch_untouched, require_no_untouched
from grpc_api.errors import ServiceError, exhausted, invalid, said_by_a_service
from keyvault.age import HybridIdentity, open_sealed
from protos.bauta.v1 import intake_pb2, jobs_pb2, proofs_pb2
from provenance.register import SignedRelease, verify_released_intake
from provenance.statements import JobFacts
from provenance.timestamps import missing_timestamps
from provenance.trust import Trust
from provenance.verifier import VerifiedResult, verify_result

OnProgress = Callable[[str, jobs_pb2.Progress | None], None]


@dataclass(frozen=True)
class Review:
    """A review of a job: asked for, or taking place.

    Attributes:
        key: the submitter's half of it.
        instructions: `key.first()`, or what `key.again` gave.
        record: of the earlier run, which this one replays; nothing in the first.
    """

    key: ReviewKey
    instructions: Instructions = field(repr=False)
    record: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Submitted:
    """What a submission gave.

    Attributes:
        facts: the verified statement.
        release: the worker version that it was sealed for, and who released it.
        proof: the proof file's bytes.
        salt: opens the commitment to the original. Whoever holds it and the original can link the two.
        timestamps_missing: how many the trust file demands and the proof lacks: they can be added later.
    """

    facts: JobFacts
    release: SignedRelease
    proof: bytes = field(repr=False)
    salt: bytes = field(repr=False)
    timestamps_missing: int


def submit(
    connection: Connection,
    trust: Trust,
    *,
    source: Path,
    output: Path,
    terms: Terms,
    identity: HybridIdentity,
    on_progress: OnProgress,
    on_receipt: Callable[[bytes], None] | None = None,
    instructions: Instructions | None = None,
    review: Review | None = None,
    enrolment: Enrolment | None = None,
    matching: Matching | None = None,
    admission_token: bytes = b"",
) -> Submitted:
    """Runs one submission; `output` and `output.proof` are there when it returns.

    With a review, `output.review` and `output.review-key` are there too; under a policy that asks for
    evidence, `output.untouched`; where somebody was compared with encrypted templates, `output.scores`.

    Args:
        connection: to the service.
        trust: what the submitter believes in.
        source: the media file.
        output: where the anonymized file goes.
        terms: policy, mode and recipients; the identity must be one of the recipients.
        identity: opens the result.
        on_progress: told each stage by name, with counts while frames are worked on.
        on_receipt: given the verified receipt, a proof file, once the upload is accepted.
        instructions: for the worker alone. A review brings its own.
        review: to be made of this job.
        enrolment: who has a role by being recognized.
        matching: with whom everybody is compared, under encryption.
        admission_token: for a service that asks for one; it is used up once the job is created.

    Raises:
        ServiceError, KeyvaultError, EnclaveError, ProvenanceError: nothing was written.
    """
    if not set(trust.required_signatures) <= set(terms.policy.proof.signatures):
        raise invalid(
            "signatures_too_weak", "The trust file requires a signature that the policy does not ask for."
        )
    on_progress("intake", None)
    intake = transfer.resuming(connection, lambda: connection.intake.GetIntake(intake_pb2.GetIntakeRequest()))
    checked = verify_released_intake(
        intake.announcement, intake.worker_release, trust, datetime.datetime.now(datetime.UTC)
    )
    enrolment, matching = enrolment or Enrolment(), matching or Matching()
    enrolment.require_network(checked.release)
    with tempfile.TemporaryDirectory(prefix=".bauta-", dir=output.parent) as folder:
        work = Path(folder)
        on_progress("seal", None)
        told = instructions if review is None else review.instructions
        sealed = seal_upload(
            source,
            work / "upload.age",
            terms,
            checked.intake.recipient,
            matching.told(enrolment.told(told)),
            record=b"" if review is None else review.record,
            pictures=enrolment.pictures,
            matching=matching.package,
        )
        if sealed.size > intake.max_upload_bytes:
            raise exhausted("upload_too_large", "The sealed upload is larger than this service takes.")
        request = jobs_pb2.CreateJobRequest(
            terms=terms.to_bytes(), client_token=secrets.token_bytes(16), admission_token=admission_token
        )
        job_id = transfer.resuming(connection, lambda: connection.jobs.CreateJob(request)).job.job_id
        try:
            on_progress("upload", None)
            transfer.upload(connection, job_id, sealed)
            if on_receipt is not None:
                on_receipt(fetch_receipt(connection, trust, job_id, sealed, terms.digest.hex()))
            sealed.path.unlink()
            job = _await_result(connection, job_id, on_progress)
            verified, proof = _collect(connection, trust, job, sealed, terms, identity, work, on_progress)
            if review is None:
                require_no_package(verified.facts)
            else:
                fetch_package(connection, job, verified.facts, identity, work / "review")
            if terms.policy.evidence:
                fetch_untouched(connection, job, verified.facts, identity, work)
            else:
                require_no_untouched(verified.facts)
            if matching.package:
                fetch_scores(connection, job, verified.facts, identity, work)
            else:
                require_no_scores(verified.facts)
            if verified.facts.measurement != checked.release.facts.measurement:
                raise invalid(
                    "worker_not_released", "The proof is sound, but of a worker of another version."
                )
        except BaseException:
            _abandon(connection, job_id)
            raise
        commit(work, output, proof, None if review is None else review.key.to_bytes())
        # The result is safe by now: a service that cannot be told removes its copy by itself, later.
        with suppress(ServiceError):
            _forget(connection, job_id)
    missing = missing_timestamps(verified.timestamps, trust.required_timestamps)
    return Submitted(verified.facts, checked.release, proof, sealed.salt, missing)


def _await_result(connection: Connection, job_id: str, on_progress: OnProgress) -> jobs_pb2.Job:
    def on_change(job: jobs_pb2.Job) -> None:
        if job.state == jobs_pb2.JOB_STATE_RUNNING:
            on_progress(job.progress.stage or "open", job.progress)
        elif job.state == jobs_pb2.JOB_STATE_QUEUED:
            on_progress("queue", None)

    job = transfer.watch(connection, job_id, on_change)
    if job.state != jobs_pb2.JOB_STATE_DONE:
        raise said_by_a_service(job.error.code, job.error.message, grpc.StatusCode.FAILED_PRECONDITION)
    return job


def _collect(
    connection: Connection,
    trust: Trust,
    job: jobs_pb2.Job,
    sealed: SealedUpload,
    terms: Terms,
    identity: HybridIdentity,
    work: Path,
    on_progress: OnProgress,
) -> tuple[VerifiedResult, bytes]:
    on_progress("fetch", None)
    transfer.download(connection, job, work / "result.age")
    proof = transfer.resuming(
        connection, lambda: connection.proofs.GetProof(proofs_pb2.GetProofRequest(job_id=job.job_id))
    ).proof
    with (work / "result.age").open("rb") as source, create_private(work / "result") as sink:
        open_sealed(source, sink, [identity])
    on_progress("verify", None)
    with (work / "result").open("rb") as result:
        # A clock of somebody else's that is down takes no result from anybody; what is missing is told.
        verified = verify_result(result, proof, replace(trust, required_timestamps=0))
    require_own(verified.facts, sealed.commitment, terms)
    return verified, proof


def _forget(connection: Connection, job_id: str) -> None:
    request = jobs_pb2.DeleteJobRequest(job_id=job_id)
    transfer.resuming(connection, lambda: connection.jobs.DeleteJob(request))


def _abandon(connection: Connection, job_id: str) -> None:
    """Best effort: the service removes what is left of the job by itself after a while."""
    with suppress(ServiceError), service_errors():
        connection.jobs.CancelJob(jobs_pb2.CancelJobRequest(job_id=job_id), timeout=5)
    with suppress(ServiceError), service_errors():
        connection.jobs.DeleteJob(jobs_pb2.DeleteJobRequest(job_id=job_id), timeout=5)
