"""System calls by number, as shellcode makes them: no library in between that could ask or check first."""

from __future__ import annotations

import ctypes
import os
import platform

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

IS_X86 = platform.machine() == "x86_64"

# asm/unistd_64.h, asm-generic/unistd.h; None where arm64 has no such call.
NUMBERS: dict[str, tuple[int, int | None]] = {
    "accept4": (288, 242), "acct": (163, 89), "add_key": (248, 217), "adjtimex": (159, 171),
    "arch_prctl": (158, None), "bind": (49, 200), "bpf": (321, 280), "capset": (126, 91),
    "chdir": (80, 49), "chroot": (161, 51), "clock_settime": (227, 112), "clone": (56, 220),
    "clone3": (435, 435), "close_range": (436, 436), "connect": (42, 203), "copy_file_range": (326, 285),
    "dup": (32, 23), "dup3": (292, 24), "epoll_create1": (291, 20), "eventfd2": (290, 19),
    "execve": (59, 221), "execveat": (322, 281), "fallocate": (285, 47), "fanotify_init": (300, 262),
    "fchmod": (91, 52), "fcntl": (72, 25), "finit_module": (313, 273), "fork": (57, None),
    "fsopen": (430, 430), "ftruncate": (77, 46), "getdents64": (217, 61), "init_module": (175, 105),
    "inotify_init1": (294, 26), "io_uring_setup": (425, 425), "ioctl": (16, 29), "ioperm": (173, None),
    "iopl": (172, None), "kcmp": (312, 272), "kexec_load": (246, 104), "keyctl": (250, 219),
    "kill": (62, 129), "landlock_restrict_self": (446, 446), "linkat": (265, 37), "listen": (50, 201),
    "madvise": (28, 233), "memfd_create": (319, 279), "memfd_secret": (447, 447), "mkdirat": (258, 34),
    "mlockall": (151, 230), "mmap": (9, 222), "modify_ldt": (154, None), "mount": (165, 40),
    "mount_setattr": (442, 442), "move_mount": (429, 429), "mprotect": (10, 226), "mq_open": (240, 180),
    "msgget": (68, 186), "munlockall": (152, 231), "name_to_handle_at": (303, 264),
    "newfstatat": (262, 79), "open_by_handle_at": (304, 265), "open_tree": (428, 428),
    "openat": (257, 56), "openat2": (437, 437), "perf_event_open": (298, 241), "personality": (135, 92),
    "pidfd_getfd": (438, 438), "pidfd_open": (434, 434), "pidfd_send_signal": (424, 424),
    "pipe2": (293, 59), "pivot_root": (155, 41), "prctl": (157, 167), "prlimit64": (302, 261),
    "process_madvise": (440, 440), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "ptrace": (101, 117), "pwrite64": (18, 68), "quotactl": (179, 60), "readlinkat": (267, 78),
    "reboot": (169, 142), "renameat2": (316, 276), "request_key": (249, 218),
    "rt_sigqueueinfo": (129, 138), "sched_setscheduler": (144, 119), "seccomp": (317, 277),
    "semget": (64, 190), "sendfile": (40, 71), "sendmsg": (46, 211), "sendto": (44, 206),
    "setgid": (106, 144), "setgroups": (116, 159), "setns": (308, 268), "setpriority": (141, 140),
    "setresuid": (117, 147), "setsid": (112, 157), "settimeofday": (164, 170), "setuid": (105, 146),
    "shmat": (30, 196), "shmget": (29, 194), "signalfd4": (289, 74), "socket": (41, 198),
    "socketpair": (53, 199), "splice": (275, 76), "statx": (332, 291), "swapon": (167, 224),
    "symlinkat": (266, 36), "syslog": (103, 116), "tee": (276, 77), "tgkill": (234, 131),
    "timer_create": (222, 107), "tkill": (200, 130), "umount2": (166, 39), "unlinkat": (263, 35),
    "unshare": (272, 97), "userfaultfd": (323, 282), "vfork": (58, None), "vmsplice": (278, 75),
}  # fmt: skip


def exists(name: str) -> bool:
    """Whether this processor has the call."""
    return NUMBERS[name][0 if IS_X86 else 1] is not None


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Makes one call; bytes are passed as C strings.

    Raises:
        OSError: the kernel refused.
    """
    number = NUMBERS[name][0 if IS_X86 else 1]
    assert number is not None
    return by_number(number, *arguments)


def by_number(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Makes one call.

    Raises:
        OSError: the kernel refused.
    """
    passed = [
        ctypes.c_ulong(argument & (1 << 64) - 1) if isinstance(argument, int)
        else ctypes.c_char_p(argument) if isinstance(argument, bytes)
        else argument
        for argument in arguments
    ]  # fmt: skip
    result = int(libc.syscall(ctypes.c_long(number), *passed))
    if result < 0:
        failed = ctypes.get_errno()
        raise OSError(failed, os.strerror(failed))
    return result
