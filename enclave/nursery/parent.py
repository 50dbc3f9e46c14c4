"""Orders in, children out: the loop of the warm parent.

It speaks to two neighbours. From the front desk come orders with descriptors; to the vault goes, for each
job, one end of a channel that the front desk holds no end of. Then it forks and forgets.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
from dataclasses import dataclass

from enclave import wall
from enclave.errors import EnclaveError, OrderError, WorkerError
from enclave.nursery.orders import JOB_DESCRIPTORS, receive_order
from enclave.nursery.warden import ChildPlan, start_child
from enclave.nursery.warming import WarmParent, warm_up
from enclave.order import JobOrder
from enclave.worker.job import run_job
from enclave.worker.reporting import Reporter
from protos.bauta.internal.v1.worker_pb2 import RunJob
from protos.framing import write_message

_MAX_CHILDREN = 64
# A vault that takes no channel for this long is as good as gone; the job then ends without a key.
_VAULT_SECONDS = 5.0
# Room for the seal of a result or a package and the tags of a scratch file, next to the media itself.
_FILE_OVERHEAD_BYTES = 1 << 20
# How a warden says SIGSYS: 128 and the signal.
_KILLED_BY_THE_FILTER = 128 + signal.SIGSYS


def serve(front: socket.socket, vault: socket.socket) -> int:
    """Warms up, says hello to both, then starts what it is told to, until the front desk closes its end.

    Returns:
        The exit status: 0, or 1 when this machine gives too low a wall. The hello says which walls are
        missing, so that the front desk can say why.
    """
    parent = warm_up()
    write_message(vault.fileno(), parent.hello)
    write_message(front.fileno(), parent.hello)
    try:
        wall.require_floor(parent.hello.walls)
    except EnclaveError:
        return 1
    vault.settimeout(_VAULT_SECONDS)
    Nursery(parent, front, vault).run()
    return 0


@dataclass(frozen=True)
class _Ward:
    """One job under way.

    Attributes:
        warden: its process.
        reports_fd: write end of the job's reports, for a last word that the child cannot say itself.
    """

    warden: int
    reports_fd: int


class Nursery:
    """The children of one warm parent.

    Where the filter ended a child, the report says `wall_violation`: only an attack, or a defect, makes a
    call that is not on the list.

    Args:
        parent: what they inherit.
        front: orders come from here.
        vault: gets one channel for each job.
    """

    def __init__(self, parent: WarmParent, front: socket.socket, vault: socket.socket) -> None:
        self._parent = parent
        self._front = front
        self._vault = vault
        self._wards: dict[bytes, _Ward] = {}
        self._selector = selectors.DefaultSelector()

    def run(self) -> None:
        """Works until the front desk closes its end or breaks the protocol; then ends every child."""
        self._selector.register(self._front, selectors.EVENT_READ)
        try:
            while True:
                for key, _events in self._selector.select():
                    if key.fileobj is self._front:
                        if not self._take_order():
                            return
                    else:
                        self._bury(key)
        finally:
            for job_id in list(self._wards):
                self._stop(job_id)

    def _take_order(self) -> bool:
        try:
            received = receive_order(self._front)
        except EnclaveError:
            return False
        if received is None:
            return False
        order, descriptors = received
        try:
            if order.WhichOneof("order") == "run":
                self._start(order.run, descriptors)
            elif order.WhichOneof("order") == "stop":
                self._stop(order.stop.job_id)
        finally:
            for fd in descriptors:
                os.close(fd)
        return True

    def _start(self, untrusted: RunJob, descriptors: list[int]) -> None:
        if len(descriptors) != JOB_DESCRIPTORS:
            return
        try:
            self._fork(JobOrder.from_message(untrusted), descriptors)
        except EnclaveError as refusal:
            with contextlib.suppress(OSError):
                Reporter(descriptors[-1]).failure(refusal.code)

    def _fork(self, order: JobOrder, descriptors: list[int]) -> None:
        """Starts one job.

        Raises:
            EnclaveError: there is no room for it, no vault, or no process.
        """
        if len(self._wards) >= _MAX_CHILDREN or order.job_id in self._wards:
            raise OrderError("this job runs already, or too many do", "worker_not_ready")
        vault_end, child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with vault_end, child_end:
            try:
                socket.send_fds(self._vault, [order.job_id], [vault_end.fileno()])
            except OSError:
                raise WorkerError("the vault takes no more channels", "vault_unavailable") from None
            try:
                warden = start_child(
                    self._plan(order, (*descriptors, child_end.fileno())),
                    lambda standing: run_job(order, self._parent.warmth, standing),
                )
                pidfd = os.pidfd_open(warden)
            except OSError:
                raise WorkerError("the system gives no more processes", "worker_not_ready") from None
        self._wards[order.job_id] = _Ward(warden, os.dup(descriptors[-1]))
        self._selector.register(pidfd, selectors.EVENT_READ, order.job_id)

    def _plan(self, order: JobOrder, descriptors: tuple[int, ...]) -> ChildPlan:
        limits = order.limits
        largest = max(limits.max_result_bytes, limits.max_review_bytes)
        return ChildPlan(
            descriptors=descriptors,
            null_fd=self._parent.null_fd,
            standing=self._parent.outer_wall,
            limits=wall.ChildLimits(
                memory_bytes=limits.max_memory_bytes,
                file_bytes=largest + largest // 1024 + _FILE_OVERHEAD_BYTES,
                cpu_seconds=limits.max_wall_seconds * len(os.sched_getaffinity(0)),
            ),
            wall_seconds=limits.max_wall_seconds,
            inherited_bytes=self._parent.address_space_bytes,
        )

    def _stop(self, job_id: bytes) -> None:
        ward = self._wards.get(job_id)
        if ward is not None:
            os.kill(ward.warden, signal.SIGTERM)

    def _bury(self, key: selectors.SelectorKey) -> None:
        self._selector.unregister(key.fileobj)
        os.close(key.fd)
        ward = self._wards.pop(key.data)
        _pid, status = os.waitpid(ward.warden, 0)
        try:
            if os.waitstatus_to_exitcode(status) == _KILLED_BY_THE_FILTER:
                _report_violation(ward.reports_fd)
        finally:
            os.close(ward.reports_fd)


def _report_violation(reports_fd: int) -> None:
    # The pipe is as the child left it. Full, it must not hold up the other jobs; with half a report in it,
    # what follows makes no sense either, and the front desk says so.
    os.set_blocking(reports_fd, False)
    with contextlib.suppress(OSError):
        Reporter(reports_fd).failure("wall_violation")
