"""One job's two processes: a warden outside its pid namespace, and the walled child inside.

A process can make a pid namespace only once, and only its next child lives in it; so the warm parent forks a
warden for each job, and the warden forks the child. The warden then holds no descriptor and does three
things: it waits, it ends the child when the time is up, and it ends the child when it is told to.
"""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import NoReturn

from enclave import wall
from enclave.wall import descriptors, process

# What runs behind the wall; it gets the names of the walls that stand.
Task = Callable[[Set[str]], None]

_WATCHED = {signal.SIGCHLD, signal.SIGTERM}


@dataclass(frozen=True)
class ChildPlan:
    """How to start one child.

    Attributes:
        descriptors: what the child keeps, at 3, 4, 5 and so on.
        null_fd: an open /dev/null, for the child's 0, 1 and 2.
        standing: the walls around the warm parent, by name.
        limits: what the child may use.
        wall_seconds: time after which it is killed.
        inherited_bytes: address space of the warm parent.
    """

    descriptors: tuple[int, ...]
    null_fd: int
    standing: frozenset[str]
    limits: wall.ChildLimits
    wall_seconds: float
    inherited_bytes: int


def start_child(plan: ChildPlan, task: Task) -> int:
    """Forks a warden, which forks a child, which closes the wall around itself and runs the task.

    SIGTERM to the warden ends the child; so does the death of the warden or of this process.

    Returns:
        The warden's pid. It exits when the child has ended, with the child's status: its exit code, or 128
        and the number of the signal that ended it, as a shell would say.

    Raises:
        OSError: the fork failed.
    """
    parent = os.getpid()
    warden = os.fork()
    if warden == 0:
        _leave_after(lambda: _guard(plan, task, parent))
    return warden


def _guard(plan: ChildPlan, task: Task, parent: int) -> int:
    deadline = time.monotonic() + plan.wall_seconds
    process.die_with_parent()
    if os.getppid() != parent:
        return 1
    signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    descriptors.keep_only(plan.descriptors, plan.null_fd)
    standing = plan.standing | wall.raise_job_wall()
    alive_read, alive_write = os.pipe()
    child = os.fork()
    if child == 0:
        _leave_after(lambda: _work(plan, task, standing, alive_read, alive_write))
    # Only the child may hold the job's descriptors: their other ends must see it when the child is gone.
    os.closerange(descriptors.FIRST_FREE, alive_read)
    os.close(alive_read)
    return _wait(child, deadline)


def _work(plan: ChildPlan, task: Task, standing: Set[str], alive_read: int, alive_write: int) -> int:
    os.close(alive_write)
    process.die_with_parent()
    # The warden may have died before the line above: then its end of this pipe is closed.
    if select.select([alive_read], [], [], 0)[0]:
        return 1
    os.close(alive_read)
    signal.pthread_sigmask(signal.SIG_SETMASK, set())
    task(wall.raise_child_wall(set(standing), plan.limits, plan.inherited_bytes))
    return 0


def _wait(child: int, deadline: float) -> int:
    while True:
        woken = signal.sigtimedwait(_WATCHED, max(0.0, deadline - time.monotonic()))
        if woken is None or woken.si_signo == signal.SIGTERM:
            os.kill(child, signal.SIGKILL)
            return _exit_code(os.waitpid(child, 0)[1])
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended == child:
            return _exit_code(status)


def _exit_code(status: int) -> int:
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _leave_after(step: Callable[[], int]) -> NoReturn:
    """Runs the step and ends this process, whatever happens: nothing of the warm parent may run in a fork."""
    status = 1
    try:
        status = step()
    finally:
        os._exit(status)
