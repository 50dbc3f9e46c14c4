"""Runs queued jobs behind the wall and treats what comes back as a stranger's word.

A job gets its file key only when the release of that key is in the log. It is done only when, in this order:
the worker's reply passed its checks, the sealed result is durable, the statement is in the log, time-stamping
authorities were asked if the operator named any, and the store says so. A crash between two of these leaves a
job that is tried again from its upload.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass

from enclave.errors import EnclaveError
from enclave.host import RunningJob, WorkerHost
from enclave.policy import parse_terms
from enclave.policy.matching import MAX_SEALED_SCORES_BYTES
from grpc_api.config import ServiceConfig
from grpc_api.errors import ServiceError
from grpc_api.jobs import states
from grpc_api.jobs.endings import Endings
from grpc_api.jobs.keeping import Keeping, require_named
from grpc_api.jobs.progress import JobProgress, ProgressBoard
from grpc_api.jobs.refused import WorkerRefusedError
from grpc_api.jobs.spool import Spool
from grpc_api.jobs.states import JobRecord, State
from grpc_api.jobs.store import JobStore
from grpc_api.ledger import Ledger
from grpc_api.timestamps import TimeAuthorities
from keyvault.client import VaultClient
from keyvault.errors import KeyvaultError
from protos.bauta.internal.v1 import worker_pb2
from provenance.certified import AGREED_FACTS, read_evidence, read_job
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import ReleaseFacts

log = logging.getLogger("bauta.grpc_api")

# How long a job waits while too few witnesses answer; less than the vault waits for a release's record.
_WITNESS_PATIENCE_SECONDS = 30.0
_IDLE_SECONDS = 1.0


@dataclass(frozen=True)
class Backstage:
    """What the dispatcher works with."""

    store: JobStore
    spool: Spool
    keeping: Keeping
    progress: ProgressBoard
    ledger: Ledger
    worker: WorkerHost
    vault: VaultClient
    endings: Endings
    clocks: TimeAuthorities
    node_key: HybridPublicKey
    config: ServiceConfig


class Dispatcher:
    """Takes the oldest queued job whenever a place is free."""

    def __init__(self, backstage: Backstage) -> None:
        self._b = backstage
        self._lock = threading.Lock()
        self._running: dict[str, RunningJob] = {}
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._work, name=f"dispatcher-{number}", daemon=True)
            for number in range(backstage.config.max_running_jobs)
        ]

    def start(self) -> None:
        """Begins to take jobs."""
        for thread in self._threads:
            thread.start()

    def stop_job(self, job_id: str) -> None:
        """Kills a job's worker, if it has one."""
        with self._lock:
            running = self._running.get(job_id)
        if running is not None:
            running.stop()

    def shut_down(self, drain_seconds: float) -> None:
        """Takes no more jobs, waits for the running ones, then leaves them to the next start."""
        self._stopping.set()
        self._b.store.announce()
        for thread in self._threads:
            thread.join(drain_seconds)

    def _work(self) -> None:
        while not self._stopping.is_set():
            version = self._b.store.version
            job = self._take()
            if job is None:
                self._b.store.wait_for_change(version, _IDLE_SECONDS)
                continue
            try:
                self._run(job)
            except Exception as error:
                log.error("job failed inside the front desk: %s", type(error).__name__)
                self._b.endings.fail(job.job_id, "internal_error")
            finally:
                self._b.progress.clear(job.job_id)
                self._tidy(job.job_id)

    def _tidy(self, job_id: str) -> None:
        """Leaves nothing for custodians of a job that has no result: cancelled at the last moment, say."""
        try:
            ended_without = self._b.store.get(job_id).state in {State.FAILED, State.CANCELLED}
        except ServiceError:
            ended_without = False  # Deleted by its submitter, who had to wait for its end.
        if ended_without:
            self._b.keeping.forget(job_id)
        else:
            self._b.keeping.tidy(job_id)

    def _take(self) -> JobRecord | None:
        with self._lock:
            for job in self._b.store.in_state(State.QUEUED):
                return self._b.store.change(job.job_id, states.start)
        return None

    def _run(self, job: JobRecord) -> None:
        try:
            untrusted_result, evidence = self._run_worker(job)
            statement = check_reply(job, untrusted_result, evidence)
            self._complete(job, untrusted_result, statement, evidence)
        except (EnclaveError, KeyvaultError, ProvenanceError, ServiceError) as error:
            if self._is_ending(error.code):
                return  # Left as running: the next start tries again.
            self._b.endings.fail(job.job_id, error.code)

    def _is_ending(self, code: str) -> bool:
        """Whether a failure is that of the service and not of the job: the supervisor ends all of it now."""
        if code in {"worker_died", "worker_lost"}:
            return self._stopping.is_set() or not self._b.worker.is_there()
        return code in {"vault_unavailable", "checkpoint_not_signed"} and not self._b.vault.is_there()

    def _run_worker(self, job: JobRecord) -> tuple[worker_pb2.WorkerResult, Envelope]:
        config = self._b.config
        order = worker_pb2.RunJob(
            job_id=bytes.fromhex(job.job_id),
            terms=job.terms,
            max_memory_bytes=config.max_worker_memory_bytes,
            max_result_bytes=config.max_result_bytes,
            max_wall_seconds=config.max_job_seconds,
            max_frame_pixels=config.max_frame_pixels,
            max_frames=config.max_frames,
            max_review_bytes=config.max_review_bytes,
            max_recovery_bytes=config.max_recovery_bytes,
            max_untouched_bytes=config.max_untouched_bytes,
        )
        descriptors = [
            self._b.spool.open_upload(job.job_id),
            self._b.spool.create_result(job.job_id),
            self._b.spool.create_scratch(),
            self._b.spool.create_review(job.job_id),
            *self._b.keeping.descriptors(job),
            self._b.spool.create_untouched(job.job_id),
            self._b.spool.create_scores(job.job_id),
        ]
        try:
            running = self._b.worker.start(order, *descriptors)
        finally:
            for fd in descriptors:
                os.close(fd)
        with self._lock:
            self._running[job.job_id] = running
        try:
            if self._b.store.get(job.job_id).state is not State.RUNNING:
                running.stop()  # Cancelled between taking and starting.
            return self._follow(job, running)
        finally:
            with self._lock:
                del self._running[job.job_id]
            running.wait_until_gone()
            running.close()

    def _follow(self, job: JobRecord, running: RunningJob) -> tuple[worker_pb2.WorkerResult, Envelope]:
        evidence: Envelope | None = None
        for untrusted_report in running.reports():
            match untrusted_report.WhichOneof("report"):
                case "progress":
                    progress = untrusted_report.progress
                    self._b.progress.post(
                        job.job_id,
                        JobProgress(
                            progress.stage,
                            progress.frames_done,
                            progress.frames_total,
                            progress.frames_per_second,
                        ),
                    )
                    self._b.store.announce()
                case "evidence" if evidence is None:
                    evidence = check_evidence(job, untrusted_report.evidence.evidence, self._b.node_key)
                    index = self._b.ledger.record("release", evidence, _WITNESS_PATIENCE_SECONDS)
                    proof = self._b.ledger.inclusion(index)
                    self._b.vault.confirm_release(bytes.fromhex(job.job_id), proof)
                case "result" if evidence is not None:
                    return untrusted_report.result, evidence
                case "failure":
                    raise WorkerRefusedError(untrusted_report.failure.code)
                case _:
                    raise WorkerRefusedError("worker_reply_invalid")
        raise WorkerRefusedError("worker_died")

    def _complete(
        self,
        job: JobRecord,
        untrusted_result: worker_pb2.WorkerResult,
        statement: Envelope,
        evidence: Envelope,
    ) -> None:
        size, digest = self._b.spool.commit_result(job.job_id)
        if size != untrusted_result.sealed_bytes or digest != untrusted_result.sealed_sha256.hex():
            raise WorkerRefusedError("worker_reply_invalid")
        review_size, review_digest = self._kept_review(job, untrusted_result)
        untouched_size, untouched_digest = self._kept_untouched(job, untrusted_result)
        scores_size, scores_digest = self._kept_scores(job, untrusted_result)
        self._b.keeping.commit(job, untrusted_result)
        index = self._b.ledger.record("job", statement, _WITNESS_PATIENCE_SECONDS)
        self._b.keeping.keep(job, untrusted_result, statement, evidence, index)
        proof = self._b.clocks.stamp(self._b.ledger.prove(statement, (evidence,), index))
        self._b.store.change(
            job.job_id,
            lambda record: states.finish(
                record,
                result_bytes=size,
                result_sha256=digest,
                media_type=untrusted_result.media_type,
                review_bytes=review_size,
                review_sha256=review_digest,
                untouched_bytes=untouched_size,
                untouched_sha256=untouched_digest,
                scores_bytes=scores_size,
                scores_sha256=scores_digest,
                proof=proof,
            ),
        )
        self._b.endings.drop_inputs(job.job_id)
        stages = ", ".join(
            f"{name} {seconds:.4f}" for name, seconds in sorted(untrusted_result.stage_seconds.items())
        )
        log.info("job done; seconds by stage: %s", stages)

    def _kept_review(self, job: JobRecord, untrusted_result: worker_pb2.WorkerResult) -> tuple[int, str]:
        """Makes the review package durable, once it is the one that the statement names.

        Raises:
            WorkerRefusedError: `worker_reply_invalid`, it is another, or larger than its limit.
        """
        return _kept(
            lambda: self._b.spool.commit_review(job.job_id),
            untrusted_result.review_bytes,
            untrusted_result.review_sha256,
            self._b.config.max_review_bytes,
        )

    def _kept_untouched(self, job: JobRecord, untrusted_result: worker_pb2.WorkerResult) -> tuple[int, str]:
        """Makes the untouched package durable, once it is the one that the statement names.

        Raises:
            WorkerRefusedError: `worker_reply_invalid`, it is another, or larger than its limit.
        """
        return _kept(
            lambda: self._b.spool.commit_untouched(job.job_id, untrusted_result.untouched_bytes),
            untrusted_result.untouched_bytes,
            untrusted_result.untouched_sha256,
            self._b.config.max_untouched_bytes,
        )

    def _kept_scores(self, job: JobRecord, untrusted_result: worker_pb2.WorkerResult) -> tuple[int, str]:
        """Makes the scores durable, once they are those that the statement names.

        Raises:
            WorkerRefusedError: `worker_reply_invalid`, they are others, or larger than scores can be.
        """
        return _kept(
            lambda: self._b.spool.commit_scores(job.job_id),
            untrusted_result.scores_bytes,
            untrusted_result.scores_sha256,
            MAX_SEALED_SCORES_BYTES,
        )


def _kept(
    commit: Callable[[], tuple[int, str]], untrusted_bytes: int, untrusted_sha256: bytes, most_bytes: int
) -> tuple[int, str]:
    """Makes what a worker wrote beside its result durable: 0 bytes and no digest where it tells of nothing.

    Raises:
        WorkerRefusedError: `worker_reply_invalid`.
    """
    if not untrusted_bytes:
        return 0, ""
    size, digest = commit()
    if (size, digest) != (untrusted_bytes, untrusted_sha256.hex()) or size > most_bytes:
        raise WorkerRefusedError("worker_reply_invalid")
    return size, digest


def check_evidence(job: JobRecord, untrusted_evidence: bytes, node_key: HybridPublicKey) -> Envelope:
    """Checks the evidence that a worker passes on: signed by the vault, about this job and these terms.

    Raises:
        WorkerRefusedError: `worker_reply_invalid`.
    """
    try:
        evidence = Envelope.from_bytes(untrusted_evidence)
        release = read_evidence(evidence, node_key)
    except ProvenanceError:
        raise WorkerRefusedError("worker_reply_invalid") from None
    agrees = (
        release.job_id == job.job_id
        and release.terms_sha256 == hashlib.sha256(job.terms).hexdigest()
        and release.signatures == parse_terms(job.terms).policy.proof.signatures
    )
    if not agrees:
        raise WorkerRefusedError("worker_reply_invalid")
    return evidence


def check_reply(job: JobRecord, untrusted_result: worker_pb2.WorkerResult, evidence: Envelope) -> Envelope:
    """Checks a worker's reply against the evidence that was recorded for its job.

    Returns:
        The statement.

    Raises:
        WorkerRefusedError: `worker_reply_invalid`.
    """
    release = ReleaseFacts.from_statement(evidence.payload)
    try:
        statement = Envelope.from_bytes(untrusted_result.statement)
        facts = read_job(statement, release)
    except ProvenanceError:
        raise WorkerRefusedError("worker_reply_invalid") from None
    agrees = (
        untrusted_result.evidence == evidence.to_bytes()
        and all(getattr(facts, name) == getattr(release, name) for name in AGREED_FACTS)
        and facts.media_type == untrusted_result.media_type
        and (facts.review_sha256 or "") == untrusted_result.review_sha256.hex()
        and (facts.scores_sha256 or "") == untrusted_result.scores_sha256.hex()
        and (facts.untouched_sha256 or "") == untrusted_result.untouched_sha256.hex()
        and bool(facts.untouched) == bool(parse_terms(job.terms).policy.evidence)
    )
    if not agrees:
        raise WorkerRefusedError("worker_reply_invalid")
    require_named(job, untrusted_result, facts)
    return statement
