"""The reports of one job. Everything that comes out of here was written by a process that parsed a
stranger's video: it is checked for form, and believed in nothing."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable, Iterator

from enclave.errors import HostError
from enclave.host.checks import MAX_REPORT_BYTES, check_report
from protos.bauta.internal.v1.worker_pb2 import WorkerReport
from protos.framing import FramingError, read_message

# The warden ends a job at its limit; this much later the front desk stops believing in the warden.
_GRACE_SECONDS = 5.0


class RunningJob:
    """One job behind the wall, seen from outside. For one reader; `stop` and `close` from any thread.

    Args:
        reports_fd: read end of the job's reports; this object owns it.
        max_wall_seconds: the job's limit.
        stop: asks the warm parent to end the job.
        started_at: before the order was sent, on the monotonic clock; None for now.
    """

    def __init__(
        self,
        reports_fd: int,
        max_wall_seconds: float,
        stop: Callable[[], None],
        started_at: float | None = None,
    ) -> None:
        self._reports_fd: int | None = reports_fd
        self._max_wall_seconds = max_wall_seconds
        self._stop = stop
        # Not after the warden's own start, or a job that it ends in time would seem to have died too soon.
        self._started_at = time.monotonic() if started_at is None else started_at

    def reports(self) -> Iterator[WorkerReport]:
        """Gives every report as it comes; the last one is a result or a failure.

        Raises:
            HostError: `worker_died` when the child ended without a last word, `worker_timeout` when it did so
                because its time was up, `worker_reply_invalid`.
        """
        while True:
            untrusted_report = check_report(self._next())
            yield untrusted_report
            if untrusted_report.WhichOneof("report") in {"result", "failure"}:
                return

    def stop(self) -> None:
        """Ends the job; its reports then end with `worker_died`. A job that has ended is left alone."""
        with contextlib.suppress(HostError):
            self._stop()

    def wait_until_gone(self, timeout_seconds: float = 20.0) -> None:
        """Waits, but not for ever, until the child has ended after its last report: what it held is free."""
        if self._reports_fd is not None:
            poller = select.poll()
            poller.register(self._reports_fd, select.POLLHUP)
            poller.poll(timeout_seconds * 1000)

    def close(self) -> None:
        """Closes the reports; a child that still writes some is told so by the kernel."""
        if self._reports_fd is not None:
            os.close(self._reports_fd)
            self._reports_fd = None

    def _next(self) -> WorkerReport:
        if self._reports_fd is None:
            raise HostError("the job's reports are closed", "worker_died")
        self._wait_for_bytes(self._reports_fd)
        try:
            report = read_message(self._reports_fd, WorkerReport, MAX_REPORT_BYTES)
        except FramingError:
            raise self._ended("worker_reply_invalid") from None
        if report is None:
            raise self._ended("worker_died")
        return report

    def _wait_for_bytes(self, fd: int) -> None:
        deadline = self._started_at + self._max_wall_seconds + _GRACE_SECONDS
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            self.stop()
            raise self._ended("worker_timeout")

    def _ended(self, code: str) -> HostError:
        # A child that is killed at its limit may leave half a frame; the clock tells the two apart.
        if time.monotonic() - self._started_at >= self._max_wall_seconds:
            code = "worker_timeout"
        return HostError("the job ended without a result", code)
