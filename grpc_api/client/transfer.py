"""Moving ciphertext: upload and download that go on where a broken connection left them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import grpc

from grpc_api.client.connection import Connection, service_errors
from grpc_api.client.outputs import create_private
from grpc_api.client.sealing import SealedUpload
from grpc_api.errors import ServiceError, precondition
from protos.bauta.v1 import jobs_pb2

CHUNK_BYTES = 256 * 1024
_PAUSE_SECONDS = 0.25
_LONGEST_PAUSE_SECONDS = 4.0
_AGAIN = {
    grpc.StatusCode.ABORTED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.UNKNOWN,
}

ValueT = TypeVar("ValueT")


def upload(connection: Connection, job_id: str, sealed: SealedUpload) -> None:
    """Uploads a sealed file; resumes at what the service holds.

    Raises:
        ServiceError: with the service's code, or `service_unreachable` after the last try.
    """

    def attempt() -> None:
        job = get_job(connection, job_id)
        if job.state != jobs_pb2.JOB_STATE_UPLOADING:
            return  # The answer to the last finish was lost, not the upload.
        connection.jobs.Upload(_parts(job_id, sealed, job.committed_bytes))

    resuming(connection, attempt)


def download(connection: Connection, job: jobs_pb2.Job, path: Path) -> None:
    """Fetches a sealed result into a new file and checks its size and digest.

    Raises:
        ServiceError: with the service's code, or `result_digest_wrong`.
    """

    def chunks(offset: int) -> Iterator[bytes]:
        request = jobs_pb2.FetchResultRequest(job_id=job.job_id, offset=offset)
        return (part.chunk for part in connection.jobs.FetchResult(request))

    _fetch(connection, path, chunks, job.result_bytes, job.result_sha256)


def download_review(connection: Connection, job: jobs_pb2.Job, path: Path) -> None:
    """Fetches a sealed review package into a new file and checks its size and digest.

    Raises:
        ServiceError: with the service's code, or `result_digest_wrong`.
    """

    def chunks(offset: int) -> Iterator[bytes]:
        request = jobs_pb2.FetchReviewRequest(job_id=job.job_id, offset=offset)
        return (part.chunk for part in connection.jobs.FetchReview(request))

    _fetch(connection, path, chunks, job.review_bytes, job.review_sha256)


def download_untouched(connection: Connection, job: jobs_pb2.Job, path: Path) -> None:
    """Fetches a sealed untouched package into a new file and checks its size and digest.

    Raises:
        ServiceError: with the service's code, or `result_digest_wrong`.
    """

    def chunks(offset: int) -> Iterator[bytes]:
        request = jobs_pb2.FetchUntouchedRequest(job_id=job.job_id, offset=offset)
        return (part.chunk for part in connection.jobs.FetchUntouched(request))

    _fetch(connection, path, chunks, job.untouched_bytes, job.untouched_sha256)


def download_scores(connection: Connection, job: jobs_pb2.Job, path: Path) -> None:
    """Fetches the sealed scores into a new file and checks their size and digest.

    Raises:
        ServiceError: with the service's code, or `result_digest_wrong`.
    """

    def chunks(offset: int) -> Iterator[bytes]:
        request = jobs_pb2.FetchScoresRequest(job_id=job.job_id, offset=offset)
        return (part.chunk for part in connection.jobs.FetchScores(request))

    _fetch(connection, path, chunks, job.scores_bytes, job.scores_sha256)


def watch(connection: Connection, job_id: str, on_change: Callable[[jobs_pb2.Job], None]) -> jobs_pb2.Job:
    """Follows a job to its end, through broken connections."""
    last = jobs_pb2.Job()

    def attempt() -> jobs_pb2.Job:
        nonlocal last
        for change in connection.jobs.WatchJob(jobs_pb2.WatchJobRequest(job_id=job_id)):
            last = change.job
            on_change(last)
        return last

    return resuming(connection, attempt)


def get_job(connection: Connection, job_id: str) -> jobs_pb2.Job:
    """One job as it stands."""
    with service_errors():
        return connection.jobs.GetJob(jobs_pb2.GetJobRequest(job_id=job_id)).job


def resuming(connection: Connection, attempt: Callable[[], ValueT]) -> ValueT:
    """Runs an attempt again while the service is out of reach; an answer, good or bad, is final.

    Raises:
        ServiceError: with the service's code, or `service_unreachable` after the last try.
    """
    for number in range(connection.tries):
        try:
            with service_errors():
                return attempt()
        except ServiceError as error:
            if error.status not in _AGAIN or number == connection.tries - 1:
                raise
            time.sleep(min(_PAUSE_SECONDS * 2**number, _LONGEST_PAUSE_SECONDS))
    raise AssertionError("the loop above returns or raises")


def _fetch(
    connection: Connection,
    path: Path,
    chunks: Callable[[int], Iterator[bytes]],
    announced_bytes: int,
    announced_sha256: bytes,
) -> None:
    with create_private(path) as file:

        def attempt() -> None:
            for chunk in chunks(file.tell()):
                # A service that sends without end fills no disk.
                if file.tell() + len(chunk) > announced_bytes:
                    raise _damaged()
                file.write(chunk)

        resuming(connection, attempt)
    digest = hashlib.sha256()
    with path.open("rb") as sealed:
        while block := sealed.read(1 << 20):
            digest.update(block)
        size = sealed.tell()
    if size != announced_bytes or digest.digest() != announced_sha256:
        raise _damaged()


def _damaged() -> ServiceError:
    # Of a status that is not tried again: the service's own words contradict each other.
    return precondition("result_digest_wrong", "What was sealed for you was damaged on the way.")


def _parts(job_id: str, sealed: SealedUpload, offset: int) -> Iterator[jobs_pb2.UploadRequest]:
    yield jobs_pb2.UploadRequest(start=jobs_pb2.UploadStart(job_id=job_id, offset=offset))
    with sealed.path.open("rb") as file:
        file.seek(offset)
        while chunk := file.read(CHUNK_BYTES):
            yield jobs_pb2.UploadRequest(chunk=chunk)
    yield jobs_pb2.UploadRequest(finish=jobs_pb2.UploadFinish(total_bytes=sealed.size, sha256=sealed.sha256))
