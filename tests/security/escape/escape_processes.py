"""Ways to another process: to become two, to run a program, to touch somebody else's memory or life."""

from __future__ import annotations

import ctypes
import mmap
import os
import signal
from collections.abc import Callable
from functools import partial

from attempt import ENOSYS, EPERM, FILTER, KILLED, Attempt, rows
from escape_files import PARENT_PID
from raw_calls import IS_X86, by_number, call

SIGCHLD, SIGKILL = signal.SIGCHLD, signal.SIGKILL
CLONE_VM, CLONE_VFORK, CLONE_NEWUSER, CLONE_NEWNET = 0x100, 0x4000, 0x1000_0000, 0x4000_0000
A_THREAD = 0x3D0F00
PTRACE_TRACEME, PTRACE_ATTACH = 0, 16


def fork() -> None:
    """The oldest way."""
    os.fork()


def fork_without_end() -> None:
    """A fork bomb."""
    while True:
        os.fork()


def vfork() -> None:
    """By clone, as arm64 does it."""
    call("clone", CLONE_VM | CLONE_VFORK | SIGCHLD, 0, 0, 0, 0)


def clone(flags: int) -> None:
    """One clone."""
    call("clone", flags, 0, 0, 0, 0)


def clone3() -> None:
    """struct clone_args hides its flags behind a pointer, where no filter sees them."""
    arguments = ctypes.create_string_buffer(88)
    call("clone3", arguments, 88)


def run_program() -> None:
    """A shell."""
    call("execve", b"/bin/sh", 0, 0)


def run_descriptor() -> None:
    """A program that was written to the result (AT_EMPTY_PATH)."""
    call("execveat", 4, b"", 0, 0, 0x1000)


def spawn() -> None:
    """As subprocess would."""
    os.posix_spawn("/bin/sh", ["sh"], {})


def run_nameless_file() -> None:
    """A program in a file without a name: no file system is needed."""
    fd = call("memfd_create", b"x", 0)
    os.write(fd, b"#!/bin/sh\n")
    call("execveat", fd, b"", 0, 0, 0x1000)


def trace_parent() -> None:
    """Takes over the warm parent."""
    call("ptrace", PTRACE_ATTACH, PARENT_PID, 0, 0)


def be_traced() -> None:
    """Lets the parent stop it, to confuse the warden."""
    call("ptrace", PTRACE_TRACEME, 0, 0, 0)


def touch_memory(name: str) -> None:
    """process_vm_readv, process_vm_writev."""
    vector = ctypes.create_string_buffer(16)
    call(name, PARENT_PID, vector, 1, vector, 1, 0)


def advise_others_memory() -> None:
    """Makes another process lose its pages."""
    call("process_madvise", 0, 0, 0, 21, 0)


def hold_process() -> None:
    """A descriptor of a process is a way to its descriptors."""
    call("pidfd_open", PARENT_PID, 0)


def take_descriptor() -> None:
    """Copies a descriptor out of a process; tries every number as that process."""
    for fd in range(16):
        call("pidfd_getfd", fd, 0, 0)


def signal_by_descriptor() -> None:
    """A signal that no number guards."""
    call("pidfd_send_signal", 3, SIGKILL, 0, 0)


def send_signal(pid: int) -> None:
    """kill(2)."""
    call("kill", pid, SIGKILL)


def signal_thread(name: str) -> None:
    """tgkill, or the older tkill without a group."""
    if name == "tgkill":
        call("tgkill", PARENT_PID, PARENT_PID, SIGKILL)
    else:
        call("tkill", PARENT_PID, SIGKILL)


def queue_signal() -> None:
    """A signal with a forged sender."""
    call("rt_sigqueueinfo", PARENT_PID, signal.SIGTERM, ctypes.create_string_buffer(128))


def own_a_descriptor() -> None:
    """Makes the kernel send SIGIO to somebody else (F_SETOWN)."""
    call("fcntl", 3, 8, PARENT_PID)


def take_lease() -> None:
    """Holds up whoever opens the file next (F_SETLEASE)."""
    call("fcntl", 3, 1024, 1)


def compare_processes() -> None:
    """Tells whether two processes share something."""
    call("kcmp", PARENT_PID, PARENT_PID, 0, 0, 0)


def leave_session() -> None:
    """A daemon outlives its parent."""
    call("setsid")


def be_dumpable() -> None:
    """Opens its memory to others of the same user (PR_SET_DUMPABLE)."""
    call("prctl", 4, 1, 0, 0, 0)


def be_renamed() -> None:
    """A process's name is seen by everybody (PR_SET_NAME): a way to say sixteen bytes."""
    call("prctl", 15, b"plaintext", 0, 0, 0)


def outlive_parent() -> None:
    """Undoes the death signal (PR_SET_PDEATHSIG)."""
    call("prctl", 1, 0, 0, 0, 0)


def x32_call() -> None:
    """getpid by x32's numbering, which a filter of numbers alone takes for another call."""
    by_number(0x4000_0000 | 39)


def _gate_of_the_386() -> Callable[[], int] | None:
    """mov eax, 20 (getpid); int 0x80; ret: on a page that is runnable because no wall stands yet."""
    if not IS_X86:
        return None
    page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    page.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")
    # The function refers to the page, so that it stays mapped.
    PAGES.append(ctypes.c_char.from_buffer(page))
    return ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(PAGES[0]))


PAGES: list[ctypes.c_char] = []
GATE = _gate_of_the_386()


def call_of_the_386() -> None:
    """A 32-bit call out of a 64-bit program: other numbers, the same kernel."""
    assert GATE is not None
    GATE()


ATTEMPTS = [
    *rows(
        KILLED,
        FILTER,
        {
            "fork": fork,
            "fork without end": fork_without_end,
            "spawn a program": spawn,
            "run a program": run_program,
            "run a program from a descriptor": run_descriptor,
            "run a program from a nameless file": run_nameless_file,
            "trace the warm parent": trace_parent,
            "ask to be traced": be_traced,
            "read another process's memory": partial(touch_memory, "process_vm_readv"),
            "write another process's memory": partial(touch_memory, "process_vm_writev"),
            "drop another process's memory": advise_others_memory,
            "hold a process by a descriptor": hold_process,
            "take a descriptor out of a process": take_descriptor,
            "signal by a process's descriptor": signal_by_descriptor,
            "kill its parent": partial(send_signal, PARENT_PID),
            "kill its process group": partial(send_signal, 0),
            "kill process 1": partial(send_signal, 1),
            "kill every process": partial(send_signal, -1),
            "kill by the old thread call": partial(signal_thread, "tkill"),
            "queue a forged signal": queue_signal,
            "compare two processes": compare_processes,
            "become a daemon": leave_session,
        },
    ),
    *rows(
        KILLED,
        "seccomp: clone makes threads only",
        {
            "fork by clone": partial(clone, SIGCHLD),
            "vfork by clone": vfork,
            "clone into a user namespace": partial(clone, A_THREAD | CLONE_NEWUSER),
            "clone into a network namespace": partial(clone, A_THREAD | CLONE_NEWNET),
        },
    ),
    Attempt(
        "hide clone's flags behind a pointer (clone3)",
        clone3,
        ENOSYS,
        "seccomp: clone3 does not exist",
    ),
    Attempt(
        "kill the warm parent by its thread",
        partial(signal_thread, "tgkill"),
        KILLED,
        "seccomp: tgkill only to itself",
    ),
    *rows(
        EPERM,
        "seccomp: refused",
        {
            "have a signal sent for it (F_SETOWN)": own_a_descriptor,
            "hold up a file by a lease (F_SETLEASE)": take_lease,
            "become dumpable": be_dumpable,
            "say plaintext in its process's name": be_renamed,
            "outlive its parent": outlive_parent,
        },
    ),
    Attempt(
        "make a call by x32's numbers",
        x32_call,
        KILLED,
        "not on the seccomp list, which knows one numbering",
        only_x86=True,
    ),
    Attempt(
        "make a 32-bit call (int 0x80)",
        call_of_the_386,
        KILLED,
        "seccomp: another processor's calls kill",
        only_x86=True,
    ),
]
