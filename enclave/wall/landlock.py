"""Landlock: rights that a process takes from itself (docs.kernel.org/userspace-api/landlock).

The ruleset handles every right that the running kernel knows and grants none: no file can be opened, no TCP
port used, no signal or abstract socket can leave the child. It needs no privilege and works in containers.
"""

from __future__ import annotations

import ctypes
import os

from enclave.wall import kernel, names

_CREATE_RULESET_VERSION = 1

# The file-system rights of each ABI version: the first 13 bits, then refer, truncate, ioctl on devices.
_FS_BITS_BY_ABI = ((1, 13), (2, 14), (3, 15), (5, 16))
_NET_BIND_AND_CONNECT_TCP = 0b11
_NET_SINCE_ABI = 4
_SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS = 0b11
_SCOPE_SINCE_ABI = 6
# What is refused is not written to the host's audit log: a path is a channel out, and could spell plaintext.
_LOG_NOTHING = 1
_LOG_SINCE_ABI = 7


class Ruleset(ctypes.Structure):
    """What a ruleset handles (struct landlock_ruleset_attr)."""

    _fields_ = (
        ("handled_access_fs", ctypes.c_uint64),
        ("handled_access_net", ctypes.c_uint64),
        ("scoped", ctypes.c_uint64),
    )


def landlock_abi() -> int:
    """Gives the kernel's Landlock version, 0 when it has none."""
    try:
        return kernel.syscall(kernel.SYS_LANDLOCK_CREATE_RULESET, None, 0, _CREATE_RULESET_VERSION)
    except OSError:
        return 0


def file_system_rights(abi: int) -> int:
    """All file-system rights that a Landlock version knows, one bit each."""
    return (1 << max(bits for since, bits in _FS_BITS_BY_ABI if since <= abi)) - 1


def forbid_everything() -> set[str]:
    """Takes every right that Landlock knows from this process and its future children.

    Needs no-new-privileges first. A second ruleset, in a child, closes it off from its siblings and from the
    process that forked it. Gives the names of the walls that stand afterwards.

    Raises:
        OSError: the kernel has Landlock and refused.
    """
    abi = landlock_abi()
    if abi == 0:
        return set()
    raised = {names.LANDLOCK_FS}
    ruleset = Ruleset(handled_access_fs=file_system_rights(abi))
    if abi >= _NET_SINCE_ABI:
        ruleset.handled_access_net = _NET_BIND_AND_CONNECT_TCP
        raised.add(names.LANDLOCK_NET)
    if abi >= _SCOPE_SINCE_ABI:
        ruleset.scoped = _SCOPE_ABSTRACT_SOCKETS_AND_SIGNALS
        raised.add(names.LANDLOCK_SCOPE)
    # An older kernel takes a longer structure as long as what it does not know is zero.
    ruleset_fd = kernel.syscall(kernel.SYS_LANDLOCK_CREATE_RULESET, ruleset, ctypes.sizeof(ruleset), 0)
    try:
        kernel.syscall(
            kernel.SYS_LANDLOCK_RESTRICT_SELF, ruleset_fd, _LOG_NOTHING if abi >= _LOG_SINCE_ABI else 0
        )
    finally:
        os.close(ruleset_fd)
    return raised
