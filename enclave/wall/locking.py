"""Memory that stays out of swap: the plaintext of a job never reaches a disk by way of the kernel.

A lock does not survive a fork, so each child takes its own; the permission does, as a limit
(RLIMIT_MEMLOCK). So the warm parent raises the limit while it may, and each child locks everything it has
and will ever map. Pages are locked as they are first touched (MCL_ONFAULT): a child does not copy the
models that it shares with the warm parent.
"""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

from enclave.wall import kernel

# asm-generic/mman.h
_MCL_CURRENT, _MCL_FUTURE, _MCL_ONFAULT = 1, 2, 4
_SYS_MLOCKALL = {"x86_64": 151, "aarch64": 230}


def allow_locking() -> None:
    """Raises the limit on locked memory as far as this process may; children inherit it.

    Without CAP_SYS_RESOURCE that is the hard limit: 8 MiB where nobody has set another, unlimited under a
    service manager that was told so (systemd: LimitMEMLOCK=infinity).

    Raises:
        OSError: the kernel refused.
    """
    _soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    try:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))


def lock_memory() -> None:
    """Locks all memory that this process has and will map.

    Call it once the limits are set. A limit on locked memory below the one on address space would let the
    lock succeed now and an honest allocation fail in the middle of a job, so that is refused here.

    Raises:
        OSError: ENOMEM when the limit is too low for that; or the kernel refused.
    """
    if not _limit_has_room():
        raise OSError(errno.ENOMEM, os.strerror(errno.ENOMEM))
    number = _SYS_MLOCKALL[kernel.architecture().name]
    kernel.syscall(number, _MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT)


def swap_areas() -> int:
    """Gives how many swap areas this machine uses now; an administrator can add one at any time.

    Raises:
        OSError: no /proc.
    """
    return len(Path("/proc/swaps").read_text(encoding="utf-8").splitlines()) - 1


def _limit_has_room() -> bool:
    lockable, _hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    addressable, _hard = resource.getrlimit(resource.RLIMIT_AS)
    return lockable == resource.RLIM_INFINITY or (
        addressable != resource.RLIM_INFINITY and lockable >= addressable
    )
