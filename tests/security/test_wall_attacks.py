"""Hostile payloads behind the whole wall: what each one tries, and how it is stopped."""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from wall_trial import FILE_BYTES, FILE_FD, MEBIBYTE, attempt

from enclave.wall import ALL_WALLS
from enclave.wall.limits import MAX_THREADS

SIGSYS = 128 + signal.SIGSYS
SIGKILL = 128 + signal.SIGKILL
libc = ctypes.CDLL(None, use_errno=True)
TEST_PID = os.getpid()

needs_namespaces = pytest.mark.skipif(
    "pid_namespace" not in attempt(lambda: None).walls, reason="this kernel or container refuses namespaces"
)


def test_a_harmless_payload_runs_and_the_walls_are_named() -> None:
    ended = attempt(lambda: 6 * 7)
    assert (ended.said, ended.code) == ("42", 0)
    assert {"seccomp", "landlock_fs", "no_new_privs", "limits", "undumpable", "no_core_dumps"} <= ended.walls
    assert ended.walls <= set(ALL_WALLS)


def connect_unix() -> None:
    socket.socket(socket.AF_UNIX).connect("\0abstract")


def fork_bomb() -> None:
    while True:
        os.fork()


def ptrace_parent() -> None:
    ptrace_attach = 16
    libc.ptrace(ptrace_attach, TEST_PID, 0, 0)


def signal_by_thread_call() -> None:
    tgkill = {"x86_64": 234, "aarch64": 131}[platform.machine()]
    libc.syscall(tgkill, TEST_PID, TEST_PID, signal.SIGKILL)


def new_process_by_clone() -> None:
    clone = {"x86_64": 56, "aarch64": 220}[platform.machine()]
    libc.syscall(clone, signal.SIGCHLD, 0, 0, 0, 0)


KILLED: dict[str, Callable[[], object]] = {
    "connect over TCP": lambda: socket.socket().connect(("127.0.0.1", 22)),
    "talk to an abstract Unix socket": connect_unix,
    "send a UDP packet": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM),
    "make a socket pair": socket.socketpair,
    "run a program": lambda: os.execv("/bin/sh", ["sh"]),
    "spawn a program": lambda: os.posix_spawn("/bin/sh", ["sh"], {}),
    "fork": os.fork,
    "fork without end": fork_bomb,
    "make a process by clone": new_process_by_clone,
    "trace another process": ptrace_parent,
    "mount a file system": lambda: libc.mount(b"none", b"/", b"tmpfs", 0, None),
    "enter a new namespace": lambda: libc.unshare(0x1000_0000),
    "become root": lambda: os.setuid(0),
    "signal every process": lambda: os.kill(-1, signal.SIGKILL),
    "signal the test by its thread": signal_by_thread_call,
    "make a file without a name": lambda: os.memfd_create("x"),
    "make a pipe": os.pipe,
    "change the root": lambda: os.chroot("/"),
    "change the folder": lambda: os.chdir("/"),
    "remove a file": lambda: Path("/tmp/x").unlink(),
    "rename a file": lambda: Path("/tmp/x").rename("/tmp/y"),
    "raise its priority": lambda: os.nice(-5),
    "lock memory": lambda: libc.mlockall(3),
}


@pytest.mark.parametrize("payload", KILLED.values(), ids=KILLED.keys())
def test_it_is_killed_on_the_spot(payload: Callable[[], object]) -> None:
    ended = attempt(payload)
    assert ended.code == SIGSYS
    assert ended.said == ""


# asm/unistd_64.h and asm-generic/unistd.h; doors into the kernel that no job needs.
HOSTILE_CALLS = {
    "bpf": (321, 280),
    "io_uring_setup": (425, 425),
    "userfaultfd": (323, 282),
    "perf_event_open": (298, 241),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "setns": (308, 268),
    "open_by_handle_at": (304, 265),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "init_module": (175, 105),
    "seccomp": (317, 277),
    "execveat": (322, 281),
    "landlock_create_ruleset": (444, 444),
    "shmget": (29, 194),
    "a number that no kernel has": (9999, 9999),
}


@pytest.mark.parametrize("numbers", HOSTILE_CALLS.values(), ids=HOSTILE_CALLS.keys())
def test_a_hostile_system_call_is_killed(numbers: tuple[int, int]) -> None:
    number = numbers[platform.machine() == "aarch64"]
    assert attempt(lambda: libc.syscall(number, 0, 0, 0, 0, 0, 0)).code == SIGSYS


def map_program_memory() -> None:
    mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)


def make_memory_executable() -> None:
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if libc.mprotect(ctypes.c_void_p(address), 4096, mmap.PROT_READ | mmap.PROT_EXEC) != 0:
        raise OSError(ctypes.get_errno(), "refused")


def write_too_much() -> None:
    for _ in range(FILE_BYTES // 65536 + 1):
        os.write(FILE_FD, bytes(65536))


def use_a_descriptor_of_the_parent() -> None:
    for fd in range(5, 1024):
        try:
            os.pread(fd, 1, 0)
        except OSError as failure:
            if failure.errno != errno.EBADF:
                raise AssertionError from None


REFUSED: dict[str, tuple[Callable[[], object], str]] = {
    "read a file": (lambda: Path("/etc/passwd").read_text(), "PermissionError 1"),
    "read the root folder": (lambda: list(Path("/").iterdir()), "PermissionError 1"),
    "read its own memory map": (lambda: Path("/proc/self/maps").read_text(), "PermissionError 1"),
    "read another process's memory": (lambda: Path("/proc/1/mem").read_bytes(), "PermissionError 1"),
    "write a file": (lambda: Path("/tmp/planted").write_text("x"), "PermissionError 1"),
    "look whether a file is there": (lambda: Path("/etc/passwd").stat(), "PermissionError 1"),
    "write more than it may": (write_too_much, f"OSError {errno.EFBIG}"),
    "take more memory than it may": (lambda: bytearray(300 * MEBIBYTE), "MemoryError None"),
    "map memory to run": (map_program_memory, "PermissionError 1"),
    "make memory runnable": (make_memory_executable, "PermissionError 1"),
    "raise its limits": (
        lambda: resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY,) * 2),
        # What Python makes of the kernel's "not permitted" here.
        "ValueError None",
    ),
    "use what the parent has open": (use_a_descriptor_of_the_parent, "None"),
}


@pytest.mark.parametrize(("payload", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_it_is_refused_and_told_so(payload: Callable[[], object], said: str) -> None:
    ended = attempt(payload)
    assert (ended.said, ended.code) == (said, 0)


def test_an_endless_loop_ends_with_the_time() -> None:
    def loop() -> None:
        while True:
            pass

    ended = attempt(loop, wall_seconds=0.5)
    assert ended.code == SIGKILL
    assert ended.seconds >= 0.5


def test_sleeping_does_not_outlive_the_time() -> None:
    assert attempt(lambda: time.sleep(1000), wall_seconds=0.3).code == SIGKILL


@needs_namespaces
def test_threads_are_counted() -> None:
    def thread_bomb() -> int:
        started = 0
        try:
            for _ in range(2 * MAX_THREADS):
                threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
                started += 1
        except RuntimeError:
            return started
        return started

    ended = attempt(thread_bomb, memory_bytes=16 << 30)
    assert ended.code == 0
    assert 16 <= int(ended.said) < MAX_THREADS


def test_standard_output_and_error_lead_nowhere(capfd: pytest.CaptureFixture[str]) -> None:
    def talk() -> None:
        os.write(1, b"SECRET-OUT")
        os.write(2, b"SECRET-ERR")

    assert attempt(talk).said == "None"
    captured = capfd.readouterr()
    assert "SECRET" not in captured.out + captured.err


@needs_namespaces
def test_it_is_the_first_process_of_its_own_world() -> None:
    assert attempt(os.getpid).said == "1"


def test_the_wall_is_below_the_floor_only_where_the_floor_is_missing() -> None:
    assert "seccomp" not in attempt(lambda: None, without=("seccomp",)).walls
    assert "landlock_fs" not in attempt(lambda: None, without=("landlock",)).walls
