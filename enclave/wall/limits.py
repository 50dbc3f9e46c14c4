"""Limits on one child: memory, CPU time, file size, descriptors, threads."""

from __future__ import annotations

import os
import resource
from dataclasses import dataclass
from pathlib import Path

_MAX_DESCRIPTORS = 16
# A decoder, a detector and an encoder of 16 threads each, x264's own helpers, and room.
MAX_THREADS = 256


@dataclass(frozen=True)
class ChildLimits:
    """What one child may use.

    Attributes:
        memory_bytes: address space on top of what the warm parent already occupies.
        file_bytes: size of any one file that it writes (result or scratch).
        cpu_seconds: processor time over all threads.
    """

    memory_bytes: int
    file_bytes: int
    cpu_seconds: int


def address_space_bytes() -> int:
    """Gives the size of this process's address space, from /proc; ask before the root is emptied.

    Raises:
        OSError: no /proc.
    """
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def limit_this_process(limits: ChildLimits, inherited_bytes: int, *, own_user_namespace: bool) -> None:
    """Sets hard limits; nobody can raise them again.

    Args:
        limits: what this child may use.
        inherited_bytes: address space of the warm parent that it was forked from.
        own_user_namespace: only there does the thread limit count this child alone and not everything that
            the same user runs on the machine.

    Raises:
        OSError: the kernel refused.
    """
    address_space = inherited_bytes + limits.memory_bytes
    # The soft and the hard limit are one number: the first process of a pid namespace ignores the soft
    # limit's SIGXCPU, and the hard one kills.
    wanted = {
        resource.RLIMIT_AS: address_space,
        # Locked memory is counted as address space: with the same limit, only the one above is ever met.
        resource.RLIMIT_MEMLOCK: address_space,
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_FSIZE: limits.file_bytes,
        resource.RLIMIT_NOFILE: _MAX_DESCRIPTORS,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_CORE: 0,
    }
    if own_user_namespace:
        wanted[resource.RLIMIT_NPROC] = MAX_THREADS
    for which, value in wanted.items():
        _soft, hard = resource.getrlimit(which)
        allowed = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(which, (allowed, allowed))
