"""The channel to the warm parent: a hello back, orders and descriptors out."""

from __future__ import annotations

import os
import select
import socket
import threading
import time

from enclave.disclosing import DisclosureOrder
from enclave.errors import HostError
from enclave.host.checks import MAX_HELLO_BYTES, check_hello
from enclave.host.disclosing import RunningDisclosure
from enclave.host.running import RunningJob
from enclave.order import JobOrder
from protos.bauta.internal.v1.worker_pb2 import RunDisclosure, RunJob, StopJob, WorkerHello, WorkerOrder
from protos.framing import LENGTH_BYTES, FramingError, read_message


class WorkerHost:
    """Starts jobs on a warm parent. Thread-safe.

    Args:
        front_socket: the front desk's end of the channel; this object owns it from now on.
    """

    def __init__(self, front_socket: socket.socket) -> None:
        self._socket = front_socket
        self._sending = threading.Lock()
        self._greeting = threading.Lock()
        self._hello: WorkerHello | None = None

    def hello(self, timeout_seconds: float = 60.0) -> WorkerHello:
        """Waits until the warm parent is ready and says what it is; later calls give the same answer.

        Raises:
            HostError: `worker_lost` when it went away or took too long, `worker_reply_invalid`.
        """
        with self._greeting:
            if self._hello is None:
                self._hello = check_hello(self._read_hello(time.monotonic() + timeout_seconds))
            return self._hello

    def start(
        self,
        order: RunJob,
        upload_fd: int,
        result_fd: int,
        scratch_fd: int,
        review_fd: int,
        package_fd: int,
        sheet_fd: int,
        untouched_fd: int,
        scores_fd: int,
    ) -> RunningJob:
        """Starts a job. The descriptors stay the caller's and can be closed when this returns.

        Args:
            order: the job, its terms and its limits.
            upload_fd: the sealed upload, read from its beginning.
            result_fd: gets the sealed result.
            scratch_fd: an empty regular file, read and write; it will hold ciphertext of a key that dies
                with the job.
            review_fd: gets the sealed review package, where one was asked for inside the upload's seal.
            package_fd: gets the recovery package, where the policy keeps what it covers.
            sheet_fd: gets the sealed sheet of that.
            untouched_fd: gets the sealed untouched package, where the policy asks for one.
            scores_fd: gets the sealed scores, where somebody was compared with encrypted templates.

        Raises:
            OrderError: the order is out of range.
            HostError: `worker_lost`.
        """
        checked = JobOrder.from_message(order)
        reports_fd, child_end = os.pipe2(os.O_CLOEXEC)
        try:
            written = [result_fd, scratch_fd, review_fd, package_fd, sheet_fd, untouched_fd, scores_fd]
            handed = [upload_fd, *written, child_end]
            started_at = time.monotonic()
            self._send(WorkerOrder(run=order), handed)
        except HostError:
            os.close(reports_fd)
            raise
        finally:
            os.close(child_end)
        return RunningJob(
            reports_fd=reports_fd,
            max_wall_seconds=checked.limits.max_wall_seconds,
            stop=lambda: self._send(WorkerOrder(stop=StopJob(job_id=checked.job_id)), []),
            started_at=started_at,
        )

    def disclose(
        self, order: RunDisclosure, package_fd: int, disclosure_fd: int, scratch_fd: int
    ) -> RunningDisclosure:
        """Starts a disclosure worker. The descriptors stay the caller's and can be closed when this returns.

        Args:
            order: the request, the trust file and limits.
            package_fd: the recovery package, read.
            disclosure_fd: gets the sealed disclosure, all but its header.
            scratch_fd: as for `start`.

        Raises:
            OrderError: the order is out of range.
            HostError: `worker_lost`.
        """
        checked = DisclosureOrder.from_message(order)
        reports_fd, reports_end = os.pipe2(os.O_CLOEXEC)
        orders_end, orders_fd = os.pipe2(os.O_CLOEXEC)
        try:
            descriptors = [package_fd, disclosure_fd, scratch_fd, orders_end, reports_end]
            self._send(WorkerOrder(disclose=order), descriptors)
        except HostError:
            os.close(reports_fd)
            os.close(orders_fd)
            raise
        finally:
            os.close(reports_end)
            os.close(orders_end)
        return RunningDisclosure(
            checked.number,
            orders_fd,
            reports_fd,
            checked.limits.max_wall_seconds,
            stop=lambda: self._send(WorkerOrder(stop=StopJob(job_id=checked.number)), []),
        )

    def is_there(self) -> bool:
        """Whether the warm parent still lives; to be asked after its hello.

        The kernel closes a dying parent's channel before it ends that parent's children: when a job has died
        with its host, this says so.
        """
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        # After the hello it says nothing more: what can be read is its end.
        return not poller.poll(0)

    def close(self) -> None:
        """Closes the channel: the warm parent ends its jobs and itself."""
        self._socket.close()

    def _send(self, order: WorkerOrder, descriptors: list[int]) -> None:
        body = order.SerializeToString(deterministic=True)
        frame = memoryview(len(body).to_bytes(LENGTH_BYTES, "big") + body)
        with self._sending:
            try:
                if descriptors:
                    frame = frame[socket.send_fds(self._socket, [frame], descriptors) :]
                self._socket.sendall(frame)
            except OSError:
                raise _lost() from None

    def _read_hello(self, deadline: float) -> WorkerHello:
        poller = select.poll()
        poller.register(self._socket, select.POLLIN)
        if not poller.poll(max(0.0, deadline - time.monotonic()) * 1000):
            raise HostError("the worker host did not become ready in time")
        try:
            untrusted = read_message(self._socket.fileno(), WorkerHello, MAX_HELLO_BYTES)
        except FramingError:
            raise HostError("the worker host's hello is malformed", "worker_reply_invalid") from None
        except OSError:
            raise _lost() from None
        if untrusted is None:
            raise _lost()
        return untrusted


def _lost() -> HostError:
    return HostError("the worker host is gone")
