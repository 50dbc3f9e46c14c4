"""An empty, read-only root: there is no file to open, not even by a path that somebody forgot."""

from __future__ import annotations

import os

from enclave.wall import kernel

# linux/mount.h
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_NOEXEC = 1, 2, 4, 8
_MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 32, 4096, 16384, 1 << 18
_LOCKED_DOWN = _MS_NOSUID | _MS_NODEV | _MS_NOEXEC

# Any folder that every Linux has will do; nothing is written to it.
_MOUNT_POINT = "/proc"


def enter_empty_root() -> None:
    """Replaces this process's whole file system by an empty one. Needs a mount namespace of its own.

    Descriptors that are already open stay usable. pivot_root(2) with "." twice puts the old root on top of
    the new one, from where it is detached.

    Raises:
        OSError: the kernel refused.
    """
    kernel.mount("none", "/", None, _MS_REC | _MS_PRIVATE)
    kernel.mount("tmpfs", _MOUNT_POINT, "tmpfs", _LOCKED_DOWN, "size=4k,nr_inodes=1,mode=0555")
    os.chdir(_MOUNT_POINT)
    path = kernel.text_buffer(".")
    kernel.syscall(kernel.architecture().pivot_root, path, path)
    kernel.unmount_lazily(".")
    os.chdir("/")
    kernel.mount("none", "/", None, _MS_REMOUNT | _MS_BIND | _MS_RDONLY | _LOCKED_DOWN)
