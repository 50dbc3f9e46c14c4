"""Memory that is both writable and runnable, closed before the wall goes up.

An inference engine that writes machine code for the processor at hand leaves it in pages that stay writable.
The seccomp filter and PR_SET_MDWE refuse new such pages; they do not look at old ones. So when all code is
written, the right to write is taken from every page that can run.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import WallError
from enclave.wall import kernel

_PROT_READ = 1
_PROT_EXEC = 4
_MAPS = Path("/proc/self/maps")


@dataclass(frozen=True)
class _Mapping:
    """One line of proc_pid_maps(5).

    Attributes:
        begins, ends: addresses.
        rights: for example "rwxp".
    """

    begins: int
    ends: int
    rights: str


def close_code_pages() -> int:
    """Makes every page of this process that is writable and runnable readable and runnable only.

    Call it when everything is compiled and before the root is emptied: it reads /proc.

    Returns:
        How many mappings were closed.

    Raises:
        WallError: `wall_failed`, where one is left.
        OSError: no /proc, or the kernel refused.
    """
    closed = 0
    for mapping in _writable_and_runnable():
        kernel.mprotect(mapping.begins, mapping.ends - mapping.begins, _PROT_READ | _PROT_EXEC)
        closed += 1
    if any(_writable_and_runnable()):
        raise WallError("memory of the worker host is writable and runnable at once")
    return closed


def _writable_and_runnable() -> Iterator[_Mapping]:
    for line in _MAPS.read_text().splitlines():
        span, rights = line.split(maxsplit=2)[:2]
        begins, ends = (int(address, 16) for address in span.split("-"))
        if "w" in rights and "x" in rights:
            yield _Mapping(begins, ends, rights)
