"""A wall around one folder: everything else stays open, that folder is closed to this process for good.

The front desk needs the disk and the network, so it cannot live behind a job's wall; but it has no business
in the vault's folder, nor in the vault's memory. Landlock grants by path and knows no exceptions, so every
neighbour on the way down to the folder is granted by name. It also keeps a process from tracing, and from
reading the memory of, any process outside its own walls, root or not.
"""

from __future__ import annotations

import ctypes
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from enclave.errors import WallError
from enclave.wall import kernel
from enclave.wall.landlock import Ruleset, file_system_rights, landlock_abi
from enclave.wall.process import forbid_new_privileges

_RULE_PATH_BENEATH = 1
# Of the file-system rights, those that a file can have: execute, write, read, truncate, ioctl on devices.
_RIGHTS_OF_FILES = 0b111 | 1 << 14 | 1 << 15


class _PathBeneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = (("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32))


def keep_out_of(folder: Path) -> None:
    """Closes a folder to this thread and to all that it will ever start. Call it before there are others.

    What is made later directly inside one of the folder's ancestors is closed as well.

    Args:
        folder: it need not exist yet.

    Raises:
        WallError: `wall_failed`; this kernel has no Landlock, or refused.
    """
    abi = landlock_abi()
    if abi == 0:
        raise WallError("this kernel has no Landlock to keep the front desk out of the vault's folder")
    rights = file_system_rights(abi)
    try:
        forbid_new_privileges()
        ruleset = Ruleset(handled_access_fs=rights)
        ruleset_fd = kernel.syscall(kernel.SYS_LANDLOCK_CREATE_RULESET, ruleset, ctypes.sizeof(ruleset), 0)
        try:
            for neighbour in _neighbours(folder.resolve()):
                _grant(ruleset_fd, neighbour, rights)
            kernel.syscall(kernel.SYS_LANDLOCK_RESTRICT_SELF, ruleset_fd, 0)
        finally:
            os.close(ruleset_fd)
    except OSError:
        raise WallError("the front desk could not be kept out of the vault's folder") from None


def _neighbours(folder: Path) -> Iterator[Path]:
    """Everything that lies beside the folder or beside one of its ancestors."""
    way = {folder, *folder.parents}
    for ancestor in folder.parents:
        if ancestor.is_dir():
            yield from (entry for entry in ancestor.iterdir() if entry not in way)


def _grant(ruleset_fd: int, path: Path, rights: int) -> None:
    try:
        # A link is not followed: it could lead to where nobody should go.
        fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # It vanished, or it is closed to us anyway.
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISLNK(mode):
            return
        allowed = rights if stat.S_ISDIR(mode) else rights & _RIGHTS_OF_FILES
        rule = _PathBeneath(allowed_access=allowed, parent_fd=fd)
        kernel.syscall(kernel.SYS_LANDLOCK_ADD_RULE, ruleset_fd, _RULE_PATH_BENEATH, rule, 0)
    finally:
        os.close(fd)
