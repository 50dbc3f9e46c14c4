"""The only words that leave the wall: counts now and then, and one last report."""

from __future__ import annotations

import threading
import time

from protos.bauta.internal.v1.worker_pb2 import (
    WorkerEvidence,
    WorkerFailure,
    WorkerProgress,
    WorkerReport,
    WorkerResult,
)
from protos.framing import write_message

_SECONDS_BETWEEN_REPORTS = 0.2


class Reporter:
    """Writes reports to a descriptor, at most five progress reports a second, each stage's first at once.

    Args:
        fd: the front desk reads its other end and trusts nothing of it.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._stage = ""
        self._next_at = 0.0

    def progress(
        self, stage: str, frames_done: int = 0, frames_total: int = 0, frames_per_second: float = 0.0
    ) -> None:
        """Says how far the job is, unless it said so a moment ago."""
        with self._lock:
            now = time.monotonic()
            if stage == self._stage and now < self._next_at:
                return
            self._stage, self._next_at = stage, now + _SECONDS_BETWEEN_REPORTS
            self._send(
                WorkerReport(
                    progress=WorkerProgress(
                        stage=stage,
                        frames_done=frames_done,
                        frames_total=frames_total,
                        frames_per_second=frames_per_second,
                    )
                )
            )

    def evidence(self, evidence: bytes) -> None:
        """Passes the vault's evidence on to the log."""
        with self._lock:
            self._send(WorkerReport(evidence=WorkerEvidence(evidence=evidence)))

    def result(self, result: WorkerResult) -> None:
        """Says that the job is done. Nothing may follow."""
        with self._lock:
            self._send(WorkerReport(result=result))

    def failure(self, code: str) -> None:
        """Says that the job failed. Nothing may follow."""
        with self._lock:
            self._send(WorkerReport(failure=WorkerFailure(code=code)))

    def _send(self, report: WorkerReport) -> None:
        write_message(self._fd, report)
