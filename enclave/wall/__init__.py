"""The wall between one job and everything else: small mechanisms, raised in three steps.

    names.py       every mechanism by its public name, and the floor below which nothing starts
    raising.py     the three steps: the warm parent's outer wall, the warden's, the child's
    namespaces.py  user, mount, pid, network, ipc, uts and cgroup namespaces
    root.py        an empty, read-only root file system
    identity.py    an unprivileged user id, no capabilities
    process.py     no new privileges, not dumpable, no core files, dies with its parent
    processor.py   no memory both writable and runnable, no shared branch predictions
    code_pages.py  no machine code that was written here stays writable
    limits.py      memory, CPU time, file size, descriptors, threads
    locking.py     memory that no swap ever holds
    landlock.py    no files, no TCP, no signals or abstract sockets to the outside
    keep_out.py    a wall around one folder: it keeps the front desk out of the vault
    seccomp.py     the BPF program and its installation
    syscall_list.py  which system calls a job may make, and why
    descriptors.py which descriptors a child keeps
    kernel.py      the few calls into libc that Python lacks

Each mechanism is tried on its own and reported by name: what is up, what is missing. The steps are the same
for a rehearsal, for a job and for the tests that attack them.
"""

from enclave.wall.code_pages import close_code_pages
from enclave.wall.keep_out import keep_out_of
from enclave.wall.limits import ChildLimits
from enclave.wall.names import (
    ALL_WALLS,
    DEFAULT_FLOOR,
    FLOOR_NAMES,
    LOWEST_FLOOR,
    lacking_walls,
    missing_walls,
    require_floor,
)
from enclave.wall.raising import raise_child_wall, raise_job_wall, raise_outer_wall

__all__ = [
    "ALL_WALLS",
    "DEFAULT_FLOOR",
    "FLOOR_NAMES",
    "LOWEST_FLOOR",
    "ChildLimits",
    "close_code_pages",
    "keep_out_of",
    "lacking_walls",
    "missing_walls",
    "raise_child_wall",
    "raise_job_wall",
    "raise_outer_wall",
    "require_floor",
]
