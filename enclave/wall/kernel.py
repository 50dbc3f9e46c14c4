"""The few calls into libc and the kernel that Python's standard library lacks."""

from __future__ import annotations

import ctypes
import os
import platform
from dataclasses import dataclass

from enclave.errors import WallError

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long
_libc.prctl.argtypes = [ctypes.c_int] + [ctypes.c_ulong] * 4
_libc.mount.argtypes = [ctypes.c_char_p] * 3 + [ctypes.c_ulong, ctypes.c_char_p]
_libc.umount2.argtypes = [ctypes.c_char_p, ctypes.c_int]
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


@dataclass(frozen=True)
class Architecture:
    """What differs between processors.

    Attributes:
        name: as `uname -m` says it.
        audit: the AUDIT_ARCH constant that seccomp sees (linux/audit.h).
        pivot_root: number of pivot_root(2).
        seccomp: number of seccomp(2).
    """

    name: str
    audit: int
    pivot_root: int
    seccomp: int


_ARCHITECTURES = {
    "x86_64": Architecture(name="x86_64", audit=0xC000003E, pivot_root=155, seccomp=317),
    "aarch64": Architecture(name="aarch64", audit=0xC00000B7, pivot_root=41, seccomp=277),
}

# The same on both (linux 5.13 and later share their numbers).
SYS_CLOSE_RANGE = 436
SYS_LANDLOCK_CREATE_RULESET = 444
SYS_LANDLOCK_ADD_RULE = 445
SYS_LANDLOCK_RESTRICT_SELF = 446


def architecture() -> Architecture:
    """Gives this machine's processor.

    Raises:
        WallError: `architecture_unsupported`.
    """
    found = _ARCHITECTURES.get(platform.machine())
    if found is None:
        raise WallError("the wall is written for x86-64 and arm64", "architecture_unsupported")
    return found


def syscall(number: int, *arguments: int | ctypes.Array[ctypes.c_char] | ctypes.Structure | None) -> int:
    """Makes a system call; integers are passed as 64 bits, buffers and structures by address.

    Raises:
        OSError: it failed.
    """
    passed = [
        ctypes.c_ulong(argument) if isinstance(argument, int)
        else argument if argument is None
        else ctypes.byref(argument)
        for argument in arguments
    ]  # fmt: skip
    return _checked(_libc.syscall(ctypes.c_long(number), *passed))


def text_buffer(text: str) -> ctypes.Array[ctypes.c_char]:
    """Gives a C string to pass to `syscall`."""
    return ctypes.create_string_buffer(text.encode())


def prctl(option: int, argument: int = 0, third: int = 0) -> int:
    """Calls prctl(2).

    Raises:
        OSError: it failed.
    """
    return _checked(_libc.prctl(option, argument, third, 0, 0))


def mprotect(address: int, size: int, rights: int) -> None:
    """Calls mprotect(2).

    Raises:
        OSError: it failed.
    """
    _checked(_libc.mprotect(address, size, rights))


def unshare(flags: int) -> None:
    """Calls unshare(2).

    Raises:
        OSError: it failed.
    """
    _checked(_libc.unshare(ctypes.c_int(flags)))


def mount(source: str | None, target: str, kind: str | None, flags: int, options: str | None = None) -> None:
    """Calls mount(2).

    Raises:
        OSError: it failed.
    """
    encoded = [None if text is None else text.encode() for text in (source, target, kind, options)]
    _checked(_libc.mount(encoded[0], encoded[1], encoded[2], flags, encoded[3]))


def unmount_lazily(target: str) -> None:
    """Detaches a mount at once; the kernel drops it when nobody uses it any more.

    Raises:
        OSError: it failed.
    """
    mnt_detach = 2
    _checked(_libc.umount2(target.encode(), mnt_detach))


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
