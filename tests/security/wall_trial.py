"""Puts a hostile payload behind the wall by the real start path, and tells how it ended.

A trial is a fork of the test that plays the warm parent: it raises the outer wall and starts a warden and a
child exactly as the nursery does. Only the payload differs.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from enclave.nursery.warden import ChildPlan, start_child
from enclave.wall import (
    ChildLimits,
    close_code_pages,
    identity,
    landlock,
    limits,
    locking,
    names,
    namespaces,
    raise_outer_wall,
    seccomp,
)
from protos.framing import write_all

MEBIBYTE = 1 << 20
REPORT_FD = 3
FILE_FD = 4
FILE_BYTES = MEBIBYTE


@dataclass(frozen=True)
class Ended:
    """How a payload ended.

    Attributes:
        walls: what stood around it.
        said: what it reported: the repr of what it returned, or the name and errno of what was raised.
        code: the child's exit code, or 128 and the signal.
        seconds: from the start to the end.
    """

    walls: frozenset[str]
    said: str
    code: int
    seconds: float


def attempt(
    payload: Callable[[], object],
    *,
    without: tuple[str, ...] = (),
    before: Callable[[], None] = lambda: None,
    wall_seconds: float = 60.0,
    memory_bytes: int = 256 * MEBIBYTE,
) -> Ended:
    """Runs a payload behind the wall.

    Args:
        payload: runs in the child; descriptor 3 is its report, 4 an empty file.
        without: walls to leave out, to see what the others hold: "seccomp", "landlock".
        before: runs in the parent before the wall, to make the machine a poorer one.
        wall_seconds: the child's limit.
        memory_bytes: the child's limit.
    """
    report, report_end = os.pipe()
    started = time.monotonic()
    parent = os.fork()
    if parent == 0:
        code = 99
        try:
            os.close(report)
            before()
            _leave_out(without)
            code = _play_parent(payload, report_end, wall_seconds, memory_bytes)
        finally:
            os._exit(code)
    os.close(report_end)
    text = b""
    while part := os.read(report, 65536):
        text += part
    os.close(report)
    code = os.waitstatus_to_exitcode(os.waitpid(parent, 0)[1])
    walls, _, said = text.decode().partition("\n")
    return Ended(frozenset(walls.split()), said, code, time.monotonic() - started)


def _play_parent(
    payload: Callable[[], object], report_end: int, wall_seconds: float, memory_bytes: int
) -> int:
    # As the warm parent does: a collection in a child would copy all that it shares.
    gc.freeze()
    null_fd = os.open("/dev/null", os.O_RDWR)
    file_fd = os.memfd_create("a file")
    inherited = limits.address_space_bytes()
    close_code_pages()
    plan = ChildPlan(
        descriptors=(report_end, file_fd),
        null_fd=null_fd,
        standing=frozenset(raise_outer_wall()),
        limits=ChildLimits(memory_bytes=memory_bytes, file_bytes=FILE_BYTES, cpu_seconds=120),
        wall_seconds=wall_seconds,
        inherited_bytes=inherited,
    )

    def task(standing: object) -> None:
        assert isinstance(standing, set)
        write_all(REPORT_FD, (" ".join(names.in_order(standing)) + "\n").encode())
        try:
            said = repr(payload())
        except BaseException as failure:
            said = f"{type(failure).__name__} {getattr(failure, 'errno', None)}"
        write_all(REPORT_FD, said.encode())

    warden = start_child(plan, task)
    return os.waitstatus_to_exitcode(os.waitpid(warden, 0)[1])


def keep_privileges() -> None:
    """For `before`: stays root without a user namespace, who may lock memory whatever the limit says.

    Where nobody may raise that limit, as in many containers, this is the only way to see the lock at work.
    """
    identity.become_unprivileged = _nothing
    identity.drop_capabilities = _nothing
    namespaces.enter_around_parent = set
    namespaces.enter_for_one_job = set
    locking._limit_has_room = lambda: True


def _nothing() -> None:
    pass


def _leave_out(without: tuple[str, ...]) -> None:
    if "seccomp" in without:
        seccomp.install_filter = _refuse
    if "landlock" in without:
        landlock.landlock_abi = lambda: 0


def _refuse() -> None:
    raise OSError("left out by the test")
