"""Properties of one process that prctl(2) sets."""

from __future__ import annotations

import resource
import signal

from enclave.wall import kernel

# linux/prctl.h
_PR_SET_PDEATHSIG = 1
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def forbid_new_privileges() -> None:
    """No program that this process or its children run can gain rights it does not have now.

    Raises:
        OSError: the kernel refused.
    """
    kernel.prctl(_PR_SET_NO_NEW_PRIVS, 1)


def set_dumpable(allowed: bool) -> None:
    """Says whether others of the same user may read this process's memory or /proc entries.

    Raises:
        OSError: the kernel refused.
    """
    kernel.prctl(_PR_SET_DUMPABLE, int(allowed))


def is_dumpable() -> bool:
    """Says what `set_dumpable` set; a change of user or capabilities resets it."""
    return kernel.prctl(_PR_GET_DUMPABLE) != 0


def forbid_core_files() -> None:
    """A crash leaves no memory image, neither on disk nor with a crash reporter.

    Raises:
        OSError: the kernel refused.
    """
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def die_with_parent() -> None:
    """Asks the kernel to kill this process when its parent dies, however that dies.

    Raises:
        OSError: the kernel refused.
    """
    kernel.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
