"""The vault's own first wall, put up before any secret is read.

No core dump, no reading of its memory by others of its user, no new privileges, no life after its parent,
and no swapping where the system allows the lock. The walls around workers are in `enclave`, above this.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import threading

from keyvault.vault.errors import VaultStartError

# linux/prctl.h and bits/mman.h
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_MCL_CURRENT = 1
_MCL_FUTURE = 2
_MCL_ONFAULT = 4

# Locked memory is counted by mapping, so stacks are small: the deepest call here needs far less.
_THREAD_STACK_BYTES = 512 << 10


def harden_process() -> bool:
    """Puts up the wall.

    Returns:
        Whether memory is locked. It is not for a plain user whose limit is below what Python needs
        (RLIMIT_MEMLOCK, often 8 MiB): locking a part would make later allocations fail at random.

    Raises:
        VaultStartError: vault_hardening_failed, the kernel refused one of the parts that never fail.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    os.umask(0o077)
    threading.stack_size(_THREAD_STACK_BYTES)
    # A Ctrl-C at the terminal reaches the whole group; the vault goes when its front channel closes.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        raise _failed() from None
    for option, value in (
        (_PR_SET_DUMPABLE, 0),
        (_PR_SET_NO_NEW_PRIVS, 1),
        (_PR_SET_PDEATHSIG, signal.SIGKILL),
    ):
        if libc.prctl(option, value, 0, 0, 0) != 0:
            raise _failed()
    return _lock_memory(libc)


def _lock_memory(libc: ctypes.CDLL) -> bool:
    soft, hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)
    is_unlimited = resource.RLIM_INFINITY in (soft, hard)
    if os.geteuid() != 0 and not is_unlimited:
        return False
    if is_unlimited:
        resource.setrlimit(resource.RLIMIT_MEMLOCK, (hard, hard))
    return bool(libc.mlockall(_MCL_CURRENT | _MCL_FUTURE | _MCL_ONFAULT) == 0)


def _failed() -> VaultStartError:
    return VaultStartError("vault_hardening_failed", "the kernel refused the vault's own protections")
