"""Which system calls a job may make. Everything else ends the process on the spot.

`JOB` is the list of every job that runs today, on the CPU. `GPU_JOB` adds what a CUDA driver needs; nothing
installs it (docs/wall.md, "GPU jobs").

Whole jobs run under the first list: decoding of every accepted format, inference, x264, sealing. Numbers are
those of x86-64 (asm/unistd_64.h) and arm64 (asm-generic/unistd.h); None where a processor has no such call.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass

Pair = tuple[int | None, int | None]
Numbers = Mapping[str, Pair]


@dataclass(frozen=True)
class Condition:
    """A call that is allowed for some values of the low half of one argument.

    Attributes:
        numbers: of the call, on x86-64 and arm64.
        argument: which one, from 0.
        accepted: pairs of a mask and what must be left under it; one that fits is enough.
        otherwise: the errno that any other value gets; None kills.
    """

    numbers: Pair
    argument: int
    accepted: tuple[tuple[int, int], ...]
    otherwise: int | None = None


@dataclass(frozen=True)
class CallList:
    """The whole answer of one filter; a call that is nowhere in it kills.

    Attributes:
        allowed: by name.
        refused: errno to calls; answered, not done.
        conditional: by name. `seccomp.py` adds tgkill, whose condition is the process's own number.
    """

    allowed: Numbers
    refused: Mapping[int, Numbers]
    conditional: Mapping[str, Condition]


# What a job does: compute, take memory, start threads, read and write descriptors that it already holds.
ALLOWED: Numbers = {
    # descriptors
    "read": (0, 63),
    "write": (1, 64),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "lseek": (8, 62),
    "fstat": (5, 80),
    "close": (3, 57),
    # memory; mmap and mprotect are below, with a condition
    "brk": (12, 214),
    "munmap": (11, 215),
    "mremap": (25, 216),
    "madvise": (28, 233),
    # threads and locks; clone is below, with a condition
    "futex": (202, 98),
    "set_robust_list": (273, 99),
    "rseq": (334, 293),
    "sched_yield": (24, 124),
    "sched_getaffinity": (204, 123),
    "gettid": (186, 178),
    "getpid": (39, 172),
    "exit": (60, 93),
    "exit_group": (231, 94),
    # signals that the process receives; it sends none to others
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "restart_syscall": (219, 128),
    # time and chance
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "nanosleep": (35, 101),
    "getrandom": (318, 278),
}

_PROT_EXEC = 4
_NOT_RUNNABLE = ((_PROT_EXEC, 0),)
# A thread shares memory, signal handlers and thread group with its process (linux/sched.h) ...
_THREAD_FLAGS = 0x0000_0100 | 0x0000_0800 | 0x0001_0000
# ... and asks for no new namespace.
_NAMESPACE_FLAGS = 0x7E02_0000 | 0x0000_0080
_A_THREAD = ((_THREAD_FLAGS | _NAMESPACE_FLAGS, _THREAD_FLAGS),)

MMAP: Pair = (9, 222)
MPROTECT: Pair = (10, 226)
CLONE: Pair = (56, 220)
TGKILL: Pair = (234, 131)
IOCTL: Pair = (16, 29)

CONDITIONAL: Mapping[str, Condition] = {
    # No page is ever both data and program: what an exploit writes cannot be run.
    "mmap": Condition(MMAP, argument=2, accepted=_NOT_RUNNABLE, otherwise=errno.EPERM),
    "mprotect": Condition(MPROTECT, argument=2, accepted=_NOT_RUNNABLE, otherwise=errno.EPERM),
    # Threads, but no processes and no namespaces.
    "clone": Condition(CLONE, argument=0, accepted=_A_THREAD),
}

# Harmless questions that libraries ask in passing and can live without: refused, not punished. Every call
# that could open or look up a path is here, and gets "not permitted" whatever the path.
REFUSED: dict[int, Numbers] = {
    errno.EPERM: {
        "open": (2, None),
        "openat": (257, 56),
        "openat2": (437, 437),
        "stat": (4, None),
        "lstat": (6, None),
        "newfstatat": (262, 79),
        "statx": (332, 291),
        "access": (21, None),
        "faccessat": (269, 48),
        "faccessat2": (439, 439),
        "readlink": (89, None),
        "readlinkat": (267, 78),
        "getcwd": (79, 17),
        "fcntl": (72, 25),
        "prctl": (157, 167),
        "prlimit64": (302, 261),
        # glibc asks to handle its own signal when the first thread starts, and goes on without.
        "rt_sigaction": (13, 134),
        "sched_setaffinity": (203, 122),
        "sched_setscheduler": (144, 119),
        "sched_getscheduler": (145, 120),
        "sched_getparam": (143, 121),
        "setpriority": (141, 140),
        "sysinfo": (99, 179),
        "membarrier": (324, 283),
        # A recognizer of words takes its own time, and does nothing with it.
        "getrusage": (98, 165),
        "get_mempolicy": (239, 236),
        "mbind": (237, 235),
    },
    errno.ENOTTY: {"ioctl": IOCTL},
    # glibc falls back to clone, whose flags can be read; clone3 hides them behind a pointer.
    errno.ENOSYS: {"clone3": (435, 435)},
}

JOB = CallList(allowed=ALLOWED, refused=REFUSED, conditional=CONDITIONAL)

# What a CUDA context, made before the filter closes, goes on to ask for: commands to the device, and waiting
# for it. An ioctl's number names its driver: the resource manager's are of type 'F', those of unified memory
# are bare numbers below 256 and two at 0x30000000 (nv-ioctl-numbers.h and uvm_ioctl.h of the driver's open
# kernel modules). None of them is a terminal's, a file's or a socket's.
_COMMANDS_TO_THE_GPU = ((0x0000_FF00, ord("F") << 8), (0xFFFF_FF00, 0), (0xFFFF_FF00, 0x3000_0000))

GPU_JOB = CallList(
    allowed={**ALLOWED, "poll": (7, None), "ppoll": (271, 73), "eventfd2": (290, 19)},
    refused={number: calls for number, calls in REFUSED.items() if number != errno.ENOTTY},
    conditional={
        **CONDITIONAL,
        "ioctl": Condition(IOCTL, argument=1, accepted=_COMMANDS_TO_THE_GPU, otherwise=errno.ENOTTY),
    },
)
