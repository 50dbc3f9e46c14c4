"""Who a process is to the kernel: an unprivileged user without groups or capabilities."""

from __future__ import annotations

import ctypes
import os

from enclave.wall import kernel

# The user "nobody", which owns nothing.
NOBODY = 65534

# linux/prctl.h and linux/capability.h
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_CAPABILITY_VERSION_3 = 0x2008_0522
_MOST_CAPABILITIES = 64
_SYS_CAPSET = {"x86_64": 126, "aarch64": 91}


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


def become_unprivileged() -> None:
    """Drops root for good; does nothing when the process is not root.

    Raises:
        OSError: the kernel refused.
    """
    if os.geteuid() != 0 and os.getuid() != 0:
        return
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)


def is_unprivileged() -> bool:
    """True when neither the real, the effective nor the saved user is root."""
    return 0 not in os.getresuid()


def drop_capabilities() -> None:
    """Empties every capability set, the bounding set too where the process may.

    Raises:
        OSError: the kernel refused.
    """
    kernel.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(_MOST_CAPABILITIES):
        try:
            if kernel.prctl(_PR_CAPBSET_READ, capability) == 0:
                continue
            kernel.prctl(_PR_CAPBSET_DROP, capability)
        # EINVAL: past the kernel's last capability. EPERM: a plain user outside a user namespace may not
        # shrink the bounding set; with no-new-privileges nothing can draw on it.
        except OSError:
            break
    header = _Header(_CAPABILITY_VERSION_3, 0)
    nothing = ctypes.create_string_buffer(24)
    kernel.syscall(_SYS_CAPSET[kernel.architecture().name], header, nothing)
