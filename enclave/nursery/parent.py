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
from collections.abc import Callable
from dataclasses import dataclass

from enclave import wall
from enclave.disclosing import DisclosureLimits, DisclosureOrder
from enclave.disclosure.job import fail_disclosure, run_disclosure
from enclave.errors import EnclaveError, OrderError, WorkerError
from enclave.nursery.orders import DISCLOSURE_DESCRIPTORS, JOB_DESCRIPTORS, receive_order
from enclave.nursery.warden import ChildPlan, Task, start_child
from enclave.nursery.warming import WarmParent, warm_up
from enclave.order import JobLimits, JobOrder
from enclave.worker.job import run_job
from enclave.worker.reporting import Reporter
from protos.bauta.internal.v1.worker_pb2 import RunDisclosure, RunJob
from protos.framing import write_message

_MAX_CHILDREN = 64
# Of these; they wait for people, and jobs must not wait for them.
_MAX_DISCLOSURES = 16
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
        fail: writes that word.
    """

    warden: int
    reports_fd: int
    fail: Callable[[int, str], None]


@dataclass(frozen=True)
class _Errand:
    """What one child is for: a job, or a disclosure.

    Attributes:
        number: 16 bytes, by which the vault knows it too.
        limits: what it may use.
        wall_seconds: time after which it is killed.
        task: what runs behind the wall.
        fail: reports a code for it.
    """

    number: bytes
    limits: wall.ChildLimits
    wall_seconds: float
    task: Task
    fail: Callable[[int, str], None]


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
            elif order.WhichOneof("order") == "disclose":
                self._disclose(order.disclose, descriptors)
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
            order = JobOrder.from_message(untrusted)
            self._fork(
                _Errand(
                    number=order.job_id,
                    limits=self._limits(order.limits, order.limits.largest_file_bytes),
                    wall_seconds=order.limits.max_wall_seconds,
                    task=lambda standing: run_job(order, self._parent.warmth, standing),
                    fail=_fail_job,
                ),
                descriptors,
            )
        except EnclaveError as refusal:
            with contextlib.suppress(OSError):
                _fail_job(descriptors[-1], refusal.code)

    def _disclose(self, untrusted: RunDisclosure, descriptors: list[int]) -> None:
        if len(descriptors) != DISCLOSURE_DESCRIPTORS:
            return
        try:
            order = DisclosureOrder.from_message(untrusted)
            if sum(ward.fail is fail_disclosure for ward in self._wards.values()) >= _MAX_DISCLOSURES:
                raise OrderError("too many disclosure workers wait already", "worker_not_ready")
            self._fork(
                _Errand(
                    number=order.number,
                    limits=self._limits(order.limits, order.limits.max_disclosure_bytes),
                    wall_seconds=order.limits.max_wall_seconds,
                    task=lambda standing: run_disclosure(order, self._parent.warmth, standing),
                    fail=fail_disclosure,
                ),
                descriptors,
            )
        except EnclaveError as refusal:
            with contextlib.suppress(OSError):
                fail_disclosure(descriptors[-1], refusal.code)

    def _fork(self, errand: _Errand, descriptors: list[int]) -> None:
        """Starts one child.

        Raises:
            EnclaveError: there is no room for it, no vault, or no process.
        """
        if len(self._wards) >= _MAX_CHILDREN or errand.number in self._wards:
            raise OrderError("this job runs already, or too many do", "worker_not_ready")
        vault_end, child_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        with vault_end, child_end:
            try:
                socket.send_fds(self._vault, [errand.number], [vault_end.fileno()])
            except OSError:
                raise WorkerError("the vault takes no more channels", "vault_unavailable") from None
            try:
                plan = ChildPlan(
                    descriptors=(*descriptors, child_end.fileno()),
                    null_fd=self._parent.null_fd,
                    standing=self._parent.outer_wall,
                    limits=errand.limits,
                    wall_seconds=errand.wall_seconds,
                    inherited_bytes=self._parent.address_space_bytes,
                )
                warden = start_child(plan, errand.task)
                pidfd = os.pidfd_open(warden)
            except OSError:
                raise WorkerError("the system gives no more processes", "worker_not_ready") from None
        self._wards[errand.number] = _Ward(warden, os.dup(descriptors[-1]), errand.fail)
        self._selector.register(pidfd, selectors.EVENT_READ, errand.number)

    @staticmethod
    def _limits(limits: JobLimits | DisclosureLimits, largest: int) -> wall.ChildLimits:
        return wall.ChildLimits(
            memory_bytes=limits.max_memory_bytes,
            file_bytes=largest + largest // 1024 + _FILE_OVERHEAD_BYTES,
            cpu_seconds=limits.max_wall_seconds * len(os.sched_getaffinity(0)),
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
                _report_violation(ward)
        finally:
            os.close(ward.reports_fd)


def _report_violation(ward: _Ward) -> None:
    # The pipe is as the child left it. Full, it must not hold up the other jobs; with half a report in it,
    # what follows makes no sense either, and the front desk says so.
    os.set_blocking(ward.reports_fd, False)
    with contextlib.suppress(OSError):
        ward.fail(ward.reports_fd, "wall_violation")


def _fail_job(reports_fd: int, code: str) -> None:
    Reporter(reports_fd).failure(code)
