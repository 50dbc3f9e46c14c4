"""Which system calls a job may make. Everything else ends the process on the spot.

Whole jobs run under this list: decoding of every accepted format, inference, x264, sealing. Numbers are those
of x86-64 (asm/unistd_64.h) and arm64 (asm-generic/unistd.h); None where a processor has no such call.
"""

from __future__ import annotations

import errno

Numbers = dict[str, tuple[int | None, int | None]]

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

# Allowed with a condition on one argument, which seccomp.py states.
MMAP: tuple[int | None, int | None] = (9, 222)
MPROTECT: tuple[int | None, int | None] = (10, 226)
CLONE: tuple[int | None, int | None] = (56, 220)
TGKILL: tuple[int | None, int | None] = (234, 131)

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
        "get_mempolicy": (239, 236),
        "mbind": (237, 235),
    },
    errno.ENOTTY: {"ioctl": (16, 29)},
    # glibc falls back to clone, whose flags can be read; clone3 hides them behind a pointer.
    errno.ENOSYS: {"clone3": (435, 435)},
}
