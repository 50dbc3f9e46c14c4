"""Ways into the kernel: rights, mounts, namespaces, and the subsystems that exploits like best."""

from __future__ import annotations

import ctypes
import mmap
import os
from functools import partial

from attempt import ENOTTY, EPERM, FILTER, KILLED, Attempt, by_number, rows
from raw_calls import call

from enclave.worker.handed_over import REPORTS_FD, RESULT_FD

CLONE_NEWUSER, CLONE_NEWNS = 0x1000_0000, 0x0002_0000
PROT_READ, PROT_WRITE, PROT_EXEC = 1, 2, 4
MAP_SHARED, MAP_PRIVATE, MAP_ANONYMOUS = 1, 2, 32
TIOCSTI = 0x5412
NOTHING = ctypes.create_string_buffer(256)


def setuid() -> None:
    """Becomes root."""
    call("setuid", 0)


def setresuid() -> None:
    """Becomes root, all three ids."""
    call("setresuid", 0, 0, 0)


def capset() -> None:
    """Every capability."""
    header = ctypes.create_string_buffer(b"\x22\x05\x08\x20\0\0\0\0")
    call("capset", header, ctypes.create_string_buffer(b"\xff" * 24))


def unshare(flags: int) -> None:
    """New namespaces, in which it would be root."""
    call("unshare", flags)


def setns() -> None:
    """Somebody else's namespaces, by any descriptor."""
    for fd in range(16):
        call("setns", fd, 0)


def mount() -> None:
    """A file system of its own."""
    call("mount", b"none", b"/", b"tmpfs", 0, 0)


def unmount() -> None:
    """Uncovers what lies under the empty root (MNT_DETACH)."""
    call("umount2", b"/", 2)


def pivot_root() -> None:
    """Swaps the root back."""
    call("pivot_root", b".", b".")


def chroot() -> None:
    """The first half of the classic jailbreak."""
    call("chroot", b"/")


def open_tree() -> None:
    """A detached copy of a mount (OPEN_TREE_CLONE)."""
    call("open_tree", -100, b"/", 1)


def move_mount() -> None:
    """Attaches one."""
    call("move_mount", 3, b"", -100, b"/", 4)


def write_and_run() -> None:
    """Memory that can be written and run: where shellcode goes."""
    call("mmap", 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)


def run_what_was_written() -> None:
    """Writes first, then asks to run it."""
    page = mmap.mmap(-1, 4096)
    page.write(b"\xc3")
    call("mprotect", ctypes.addressof(ctypes.c_char.from_buffer(page)), 4096, PROT_READ | PROT_EXEC)


def run_the_result() -> None:
    """Writes a program into the result file and maps that."""
    os.write(RESULT_FD, b"\xc3" * 4096)
    call("mmap", 0, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, RESULT_FD, 0)


def type_into_a_terminal() -> None:
    """Types a command for whoever started the service (TIOCSTI)."""
    for fd in (0, 1, 2, REPORTS_FD):
        call("ioctl", fd, TIOCSTI, NOTHING)


def change_filter() -> None:
    """Another filter, with an answer of its own for everything (SECCOMP_SET_MODE_FILTER)."""
    call("seccomp", 1, 0, NOTHING)


def change_filter_by_prctl() -> None:
    """The same by the older call (PR_SET_SECCOMP)."""
    call("prctl", 22, 2, NOTHING, 0, 0)


def raise_priority() -> None:
    """Goes before everybody else."""
    call("setpriority", 0, 0, -20)


def run_in_real_time() -> None:
    """Takes a processor for itself (SCHED_FIFO)."""
    call("sched_setscheduler", 0, 1, ctypes.create_string_buffer(b"\x63\0\0\0"))


ATTEMPTS = [
    *rows(
        KILLED,
        FILTER,
        {
            "become root (setuid)": setuid,
            "become root (setresuid)": setresuid,
            "take every capability": capset,
            "enter a new user namespace": partial(unshare, CLONE_NEWUSER),
            "enter a new mount namespace": partial(unshare, CLONE_NEWNS),
            "enter another's namespaces": setns,
            "mount": mount,
            "unmount the empty root": unmount,
            "swap the root back": pivot_root,
            "change the root": chroot,
            "copy a mount (open_tree)": open_tree,
            "attach a mount (move_mount)": move_mount,
            "install a filter of its own": change_filter,
        },
    ),
    *by_number(
        {
            "change its groups": "setgroups",
            "open a file system (fsopen)": "fsopen",
            "change a mount's rights": "mount_setattr",
            "load a BPF program": "bpf",
            "set up io_uring": "io_uring_setup",
            "handle page faults (userfaultfd)": "userfaultfd",
            "count events (perf_event_open)": "perf_event_open",
            "use the kernel's keyring": "keyctl",
            "add a key to it": "add_key",
            "have a key fetched by a helper program": "request_key",
            "make a nameless file": "memfd_create",
            "make a secret nameless file": "memfd_secret",
            "make shared memory": "shmget",
            "attach shared memory": "shmat",
            "open a message queue (POSIX)": "mq_open",
            "open a message queue (System V)": "msgget",
            "open semaphores": "semget",
            "load a kernel module": "init_module",
            "load a kernel module from a file": "finit_module",
            "load another kernel": "kexec_load",
            "restart the machine": "reboot",
            "add swap": "swapon",
            "set the clock": "settimeofday",
            "set a clock by name": "clock_settime",
            "bend the clock": "adjtimex",
            "switch on accounting": "acct",
            "change quotas": "quotactl",
            "read the kernel's log": "syslog",
            "change its personality": "personality",
            "set a timer": "timer_create",
            "wait for signals by a descriptor": "signalfd4",
            "wait for events": "epoll_create1",
            "make a counter to signal with": "eventfd2",
            "make a pipe": "pipe2",
            "unlock its memory": "munlockall",
            "lock its memory": "mlockall",
            "reach ports (iopl)": "iopl",
            "reach one port (ioperm)": "ioperm",
            "change its segments (modify_ldt)": "modify_ldt",
            "change its segment base (arch_prctl)": "arch_prctl",
        },
    ),
    *rows(
        EPERM,
        "seccomp: no memory is runnable; PR_SET_MDWE",
        {
            "map memory to write and run": write_and_run,
            "make written memory runnable": run_what_was_written,
            "run a program out of the result": run_the_result,
        },
    ),
    Attempt(
        "type into a terminal (TIOCSTI)",
        type_into_a_terminal,
        ENOTTY,
        "seccomp: no descriptor takes commands",
    ),
    *rows(
        EPERM,
        "seccomp: refused",
        {
            "install a filter by the older call": change_filter_by_prctl,
            "raise its priority": raise_priority,
            "run in real time": run_in_real_time,
        },
    ),
]
