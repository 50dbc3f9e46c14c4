"""Memory pages for secrets, under the strongest protection that the kernel gives, strongest first.

- `secretmem`: memfd_secret(2). The pages leave the kernel's own map: no other process reads them, root with
  /proc/PID/mem or process_vm_readv included, and they are never swapped or dumped.
- `locked`: anonymous pages under mlock(2), left out of core dumps. Never swapped; root can read them.
- `best_effort`: anonymous pages left out of core dumps, where RLIMIT_MEMLOCK leaves no room. Can be swapped.

Pages that are mapped stay mapped: an old view must never point at somebody else's memory.
"""

from __future__ import annotations

import ctypes
import mmap
import os
from dataclasses import dataclass
from enum import StrEnum

# The same number on x86-64, 64-bit Arm and RISC-V: the three that have the call (Linux 5.14).
_SYS_MEMFD_SECRET = 447
_MAP_FAILED = ctypes.c_void_p(-1).value

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mmap.restype = ctypes.c_void_p
_libc.mmap.argtypes = [
    ctypes.c_void_p,
    ctypes.c_size_t,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_int,
    ctypes.c_long,
]
_libc.mlock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
_libc.madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]


class Protection(StrEnum):
    """What holds for a page of secrets."""

    SECRETMEM = "secretmem"
    LOCKED = "locked"
    BEST_EFFORT = "best_effort"


@dataclass(frozen=True)
class Pages:
    """One mapping.

    Attributes:
        view: its bytes, writable.
        protection: what holds for them.
    """

    view: memoryview
    protection: Protection

    def __repr__(self) -> str:
        return f"Pages({len(self.view)} bytes, {self.protection})"


def map_pages(size: int, *, inheritable: bool) -> Pages:
    """Maps zeroed pages.

    Args:
        size: bytes, a multiple of the page size.
        inheritable: whether a forked child sees, and shares, them. Otherwise it has nothing at their address.

    Raises:
        OSError: the kernel gives no memory at all, or no protection from core dumps.
    """
    address, protection = _map_secretmem(size), Protection.SECRETMEM
    if address is None:
        sharing = mmap.MAP_SHARED if inheritable else mmap.MAP_PRIVATE
        address = _map(size, sharing | mmap.MAP_ANONYMOUS, -1)
        if address is None:
            raise OSError(ctypes.get_errno(), "no memory for secrets")
        is_locked = _libc.mlock(address, size) == 0
        protection = Protection.LOCKED if is_locked else Protection.BEST_EFFORT
    for advice in (mmap.MADV_DONTDUMP, *(() if inheritable else (mmap.MADV_DONTFORK,))):
        if _libc.madvise(address, size, advice) != 0:
            raise OSError(ctypes.get_errno(), "the kernel does not keep secrets out of dumps and children")
    view = memoryview((ctypes.c_ubyte * size).from_address(address)).cast("B")
    # Pages are given at the first touch. Where there are none left, that is better known now.
    view[:] = bytes(size)
    return Pages(view, protection)


def _map_secretmem(size: int) -> int | None:
    fd = _libc.syscall(_SYS_MEMFD_SECRET, os.O_CLOEXEC)
    if fd < 0:
        return None
    try:
        os.ftruncate(fd, size)
        return _map(size, mmap.MAP_SHARED, fd)
    except OSError:
        return None
    finally:
        # The mapping lives on without it, and nobody can be handed the descriptor.
        os.close(fd)


def _map(size: int, flags: int, fd: int) -> int | None:
    address = _libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_WRITE, flags, fd, 0)
    return None if address in (None, _MAP_FAILED) else int(address)
