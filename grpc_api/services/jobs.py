"""JobService: the life of one job, on the wire."""

from __future__ import annotations

from collections.abc import Iterator

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from grpc_api.errors import invalid
from grpc_api.identity import caller
from grpc_api.jobs.desk import JobDesk, Upload
from grpc_api.jobs.progress import ProgressBoard
from grpc_api.jobs.states import JobRecord, State
from grpc_api.messages import message_for
from protos.bauta.v1 import jobs_pb2, jobs_pb2_grpc

MAX_CHUNK_BYTES = 1 << 20
# How long a watcher waits before it looks whether its client is still there.
_WATCH_SECONDS = 5.0

_STATES = {
    State.UPLOADING: jobs_pb2.JOB_STATE_UPLOADING,
    State.QUEUED: jobs_pb2.JOB_STATE_QUEUED,
    State.RUNNING: jobs_pb2.JOB_STATE_RUNNING,
    State.DONE: jobs_pb2.JOB_STATE_DONE,
    State.FAILED: jobs_pb2.JOB_STATE_FAILED,
    State.CANCELLED: jobs_pb2.JOB_STATE_CANCELLED,
}


class JobServicer(jobs_pb2_grpc.JobServiceServicer):
    """Translates between the wire and the desk."""

    def __init__(self, desk: JobDesk, progress: ProgressBoard) -> None:
        self._desk = desk
        self._progress = progress

    def CreateJob(
        self, request: jobs_pb2.CreateJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.CreateJobResponse:
        """Opens a job."""
        job = self._desk.create(caller(context), request.terms, request.client_token, request.admission_token)
        return jobs_pb2.CreateJobResponse(job=self._to_wire(job))

    def Upload(
        self, request_iterator: Iterator[jobs_pb2.UploadRequest], context: grpc.ServicerContext
    ) -> jobs_pb2.UploadResponse:
        """Takes sealed bytes; what came before a broken stream stays."""
        first = next(request_iterator, None)
        if first is None or first.WhichOneof("part") != "start":
            raise invalid("upload_order_wrong", "An upload begins with its start.")
        with self._desk.uploading(caller(context), first.start.job_id, first.start.offset) as upload:
            return jobs_pb2.UploadResponse(job=self._to_wire(_receive(upload, request_iterator)))

    def GetJob(
        self, request: jobs_pb2.GetJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.GetJobResponse:
        """One job."""
        job = self._desk.store.get(request.job_id, caller(context))
        return jobs_pb2.GetJobResponse(job=self._to_wire(job))

    def ListJobs(
        self, request: jobs_pb2.ListJobsRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.ListJobsResponse:
        """The caller's jobs."""
        jobs = self._desk.store.owned_by(caller(context))
        return jobs_pb2.ListJobsResponse(jobs=[self._to_wire(job) for job in jobs])

    def WatchJob(
        self, request: jobs_pb2.WatchJobRequest, context: grpc.ServicerContext
    ) -> Iterator[jobs_pb2.WatchJobResponse]:
        """Every change of a job until it has ended."""
        owner, store = caller(context), self._desk.store
        last: jobs_pb2.Job | None = None
        while context.is_active():
            version = store.version
            job = store.get(request.job_id, owner)
            wire = self._to_wire(job)
            if wire != last:
                yield jobs_pb2.WatchJobResponse(job=wire)
                last = wire
            if job.state.is_final:
                return
            store.wait_for_change(version, _WATCH_SECONDS)

    def FetchResult(
        self, request: jobs_pb2.FetchResultRequest, context: grpc.ServicerContext
    ) -> Iterator[jobs_pb2.FetchResultResponse]:
        """The sealed result from an offset."""
        for chunk in self._desk.read_result(caller(context), request.job_id, request.offset):
            yield jobs_pb2.FetchResultResponse(chunk=chunk)

    def FetchReview(
        self, request: jobs_pb2.FetchReviewRequest, context: grpc.ServicerContext
    ) -> Iterator[jobs_pb2.FetchReviewResponse]:
        """The sealed review package from an offset."""
        for chunk in self._desk.read_review(caller(context), request.job_id, request.offset):
            yield jobs_pb2.FetchReviewResponse(chunk=chunk)

    def FetchUntouched(
        self, request: jobs_pb2.FetchUntouchedRequest, context: grpc.ServicerContext
    ) -> Iterator[jobs_pb2.FetchUntouchedResponse]:
        """The sealed untouched package from an offset."""
        for chunk in self._desk.read_untouched(caller(context), request.job_id, request.offset):
            yield jobs_pb2.FetchUntouchedResponse(chunk=chunk)

    def FetchScores(
        self, request: jobs_pb2.FetchScoresRequest, context: grpc.ServicerContext
    ) -> Iterator[jobs_pb2.FetchScoresResponse]:
        """The sealed scores from an offset."""
        for chunk in self._desk.read_scores(caller(context), request.job_id, request.offset):
            yield jobs_pb2.FetchScoresResponse(chunk=chunk)

    def CancelJob(
        self, request: jobs_pb2.CancelJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.CancelJobResponse:
        """Stops a job."""
        job = self._desk.cancel(caller(context), request.job_id)
        return jobs_pb2.CancelJobResponse(job=self._to_wire(job))

    def DeleteJob(
        self, request: jobs_pb2.DeleteJobRequest, context: grpc.ServicerContext
    ) -> jobs_pb2.DeleteJobResponse:
        """Removes an ended job."""
        self._desk.delete(caller(context), request.job_id)
        return jobs_pb2.DeleteJobResponse()

    def _to_wire(self, job: JobRecord) -> jobs_pb2.Job:
        created_at = Timestamp()
        created_at.FromMilliseconds(int(job.created_at * 1000))
        wire = jobs_pb2.Job(
            job_id=job.job_id,
            state=_STATES[job.state],
            committed_bytes=job.committed_bytes,
            result_bytes=job.result_bytes,
            result_sha256=bytes.fromhex(job.result_sha256),
            result_media_type=job.media_type,
            review_bytes=job.review_bytes,
            review_sha256=bytes.fromhex(job.review_sha256),
            untouched_bytes=job.untouched_bytes,
            untouched_sha256=bytes.fromhex(job.untouched_sha256),
            scores_bytes=job.scores_bytes,
            scores_sha256=bytes.fromhex(job.scores_sha256),
            created_at=created_at,
        )
        if job.error_code:
            wire.error.code = job.error_code
            wire.error.message = message_for(job.error_code)
        progress = self._progress.get(job.job_id)
        if job.state is State.RUNNING and progress is not None:
            wire.progress.stage = progress.stage
            wire.progress.frames_done = progress.frames_done
            wire.progress.frames_total = progress.frames_total
            wire.progress.frames_per_second = progress.frames_per_second
        return wire


def _receive(upload: Upload, parts: Iterator[jobs_pb2.UploadRequest]) -> JobRecord:
    try:
        for part in parts:
            kind = part.WhichOneof("part")
            if kind == "finish":
                return upload.finish(part.finish.total_bytes, part.finish.sha256)
            if kind != "chunk" or not 0 < len(part.chunk) <= MAX_CHUNK_BYTES:
                raise invalid(
                    "upload_order_wrong", f"After the start come chunks of 1 to {MAX_CHUNK_BYTES} bytes."
                )
            upload.append(part.chunk)
    except grpc.RpcError:
        # The client vanished: what it sent is kept, and it can go on from there.
        upload.commit()
        raise
    return upload.commit()
