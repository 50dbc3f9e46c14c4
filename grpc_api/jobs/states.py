"""The life of a job as a pure state machine: no clock, no disk, no network (STYLE, habit 6).

UPLOADING -> QUEUED -> RUNNING -> DONE
    |          |  ^       |
    |          |  +-------+  the service was killed under it: tried again, then FAILED
    +----------+----------+-> FAILED | CANCELLED
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from grpc_api.errors import precondition


class State(StrEnum):
    """Where a job stands."""

    UPLOADING = "uploading"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """Whether nothing can happen to the job any more."""
        return self in FINAL


FINAL = frozenset({State.DONE, State.FAILED, State.CANCELLED})


@dataclass(frozen=True)
class JobRecord:
    """One job as the store keeps it. It holds nothing about the content but sizes of ciphertext.

    Attributes:
        job_id: 32 hexadecimal digits.
        owner: the identity that created it (see `grpc_api.identity`).
        client_token: 32 hexadecimal digits chosen by the client; makes a retried creation safe.
        terms: canonical JSON, as the request stated them.
        committed_bytes: durable bytes of the sealed upload.
        upload_sha256, receipt: hexadecimal, and the proof that it was accepted, once the upload is whole.
        attempts: how often a worker was started.
        error_code: once failed.
        result_bytes, result_sha256, media_type: once done.
        review_bytes, review_sha256: of the sealed review package, once done, where one was asked for.
        untouched_bytes, untouched_sha256: of the sealed untouched package, once done, where the policy asks
            for one.
        scores_bytes, scores_sha256: of the sealed file of encrypted scores, once done, where somebody was
            compared with encrypted templates.
        proof: of the result, or of the failure if that could be recorded.
        created_at, updated_at: seconds since 1970.
    """

    job_id: str
    owner: str
    client_token: str
    terms: bytes
    state: State
    created_at: float
    updated_at: float
    committed_bytes: int = 0
    upload_sha256: str = ""
    receipt: bytes = b""
    attempts: int = 0
    error_code: str = ""
    result_bytes: int = 0
    result_sha256: str = ""
    media_type: str = ""
    review_bytes: int = 0
    review_sha256: str = ""
    untouched_bytes: int = 0
    untouched_sha256: str = ""
    scores_bytes: int = 0
    scores_sha256: str = ""
    proof: bytes = b""


def commit_bytes(job: JobRecord, committed_bytes: int) -> JobRecord:
    """More of the upload is durable."""
    _require(job, State.UPLOADING)
    return replace(job, committed_bytes=committed_bytes)


def finish_upload(job: JobRecord, upload_sha256: str, receipt: bytes) -> JobRecord:
    """The upload is whole and durable, and that it is accepted is recorded."""
    _require(job, State.UPLOADING)
    return replace(job, state=State.QUEUED, upload_sha256=upload_sha256, receipt=receipt)


def start(job: JobRecord) -> JobRecord:
    """A worker takes it."""
    _require(job, State.QUEUED)
    return replace(job, state=State.RUNNING, attempts=job.attempts + 1)


def finish(
    job: JobRecord,
    *,
    result_bytes: int,
    result_sha256: str,
    media_type: str,
    proof: bytes,
    review_bytes: int = 0,
    review_sha256: str = "",
    untouched_bytes: int = 0,
    untouched_sha256: str = "",
    scores_bytes: int = 0,
    scores_sha256: str = "",
) -> JobRecord:
    """The result, and the packages beside it where there are any, are durable and recorded."""
    _require(job, State.RUNNING)
    return replace(
        job,
        state=State.DONE,
        result_bytes=result_bytes,
        result_sha256=result_sha256,
        media_type=media_type,
        review_bytes=review_bytes,
        review_sha256=review_sha256,
        untouched_bytes=untouched_bytes,
        untouched_sha256=untouched_sha256,
        scores_bytes=scores_bytes,
        scores_sha256=scores_sha256,
        proof=proof,
    )


def fail(job: JobRecord, code: str, proof: bytes = b"") -> JobRecord:
    """It ends without a result; with the proof of its failure, if that could be recorded."""
    _require(job, State.UPLOADING, State.QUEUED, State.RUNNING)
    return replace(job, state=State.FAILED, error_code=code, proof=proof)


def cancel(job: JobRecord) -> JobRecord:
    """Its submitter stops it."""
    _require(job, State.UPLOADING, State.QUEUED, State.RUNNING)
    return replace(job, state=State.CANCELLED, error_code="cancelled")


def recover(job: JobRecord, *, max_attempts: int, abandon: bool) -> JobRecord:
    """What becomes of a job that the service finds when it starts.

    Args:
        job: as the last service left it.
        max_attempts: a job that was started this often is not started again.
        abandon: nobody can come back for the result (embedded service): end what is open.
    """
    if job.state.is_final:
        return job
    if abandon:
        return fail(job, "client_gone")
    if job.state is State.RUNNING:
        if job.attempts >= max_attempts:
            return fail(job, "worker_lost")
        return replace(job, state=State.QUEUED)
    return job


def _require(job: JobRecord, *allowed: State) -> None:
    if job.state not in allowed:
        raise precondition("job_state_wrong", f"The job is {job.state.value}; this cannot be done to it now.")
