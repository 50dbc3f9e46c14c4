"""Each layer on its own: the seccomp filter is left out, and what lies behind it has to hold by itself.

Also the poorer machines: a plain user, and a container without user namespaces.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import signal
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import grpc
import pytest
from wall_trial import Ended, attempt

from enclave.wall import ALL_WALLS, identity, kernel, namespaces, raise_outer_wall, require_floor
from enclave.wall.limits import MAX_THREADS
from enclave.wall.process import is_dumpable

libc = ctypes.CDLL(None, use_errno=True)
TEST_PID = os.getpid()
NAMESPACES = {name for name in ALL_WALLS if name.endswith("_namespace")}

needs_namespaces = pytest.mark.skipif(
    not attempt(lambda: None).walls >= NAMESPACES, reason="this kernel or container refuses namespaces"
)


def without_seccomp(payload: Callable[[], object], *others: str) -> Ended:
    ended = attempt(payload, without=("seccomp", *others))
    assert "seccomp" not in ended.walls
    return ended


def failing(name: str, *arguments: object) -> Callable[[], object]:
    """A libc call that must fail; says with which errno."""

    def call() -> str:
        result = getattr(libc, name)(*arguments)
        return "done" if result >= 0 else errno.errorcode[ctypes.get_errno()]

    return call


def connect_tcp() -> None:
    with socket.socket() as tcp:
        tcp.connect(("127.0.0.1", 9))


def write_anywhere() -> None:
    Path("/planted").write_text("x")


ANYBODY: dict[str, tuple[Callable[[], object], set[str]]] = {
    "read a file": (lambda: Path("/etc/passwd").read_text(), {"PermissionError 13", "FileNotFoundError 2"}),
    "read its own entry in /proc": (
        lambda: Path("/proc/self/status").read_text(),
        {"PermissionError 13", "FileNotFoundError 2"},
    ),
    "write a file": (write_anywhere, {"PermissionError 13", f"OSError {errno.EROFS}"}),
    "become root": (lambda: os.setuid(0), {"PermissionError 1", f"OSError {errno.EINVAL}"}),
    "mount": (failing("mount", b"none", b"/", b"tmpfs", 0, None), {"'EPERM'"}),
    "connect over TCP": (connect_tcp, {"PermissionError 13", f"OSError {errno.ENETUNREACH}"}),
    "be dumpable": (is_dumpable, {"False"}),
}


@pytest.mark.parametrize(("payload", "said"), ANYBODY.values(), ids=ANYBODY.keys())
def test_it_fails_without_the_filter_too(payload: Callable[[], object], said: set[str]) -> None:
    assert without_seccomp(payload).said in said


WITH_NAMESPACES: dict[str, tuple[Callable[[], object], str]] = {
    "signal the test": (lambda: os.kill(TEST_PID, signal.SIGTERM), "ProcessLookupError 3"),
    "see its parent": (os.getppid, "0"),
    "trace the test": (failing("ptrace", 16, TEST_PID, 0, 0), "'ESRCH'"),
    "change the host's name": (failing("sethostname", b"x", 1), "'EPERM'"),
    "look into the root": (lambda: list(Path("/").iterdir()), "PermissionError 13"),
    "see network interfaces": (lambda: [name for _, name in socket.if_nameindex()], "['lo']"),
}


@needs_namespaces
@pytest.mark.parametrize(("payload", "said"), WITH_NAMESPACES.values(), ids=WITH_NAMESPACES.keys())
def test_namespaces_hold_by_themselves(payload: Callable[[], object], said: str) -> None:
    assert without_seccomp(payload).said == said


@needs_namespaces
def test_a_channel_that_another_test_left_open_costs_no_wall() -> None:
    """By default gRPC starts threads in a forked child; `tests/conftest.py` asks it not to."""
    with grpc.insecure_channel("unix:/nobody") as channel:
        ready = grpc.channel_ready_future(channel)
        with suppress(grpc.FutureTimeoutError):
            ready.result(0.5)
        assert len(list(Path("/proc/self/task").iterdir())) > 1, "the control"
        assert attempt(lambda: None).walls >= NAMESPACES
        ready.cancel()


@needs_namespaces
def test_the_root_is_empty_and_read_only_without_landlock() -> None:
    assert without_seccomp(lambda: list(Path("/").iterdir()), "landlock").said == "[]"
    assert without_seccomp(write_anywhere, "landlock").said == f"OSError {errno.EROFS}"
    assert without_seccomp(connect_tcp, "landlock").said == f"OSError {errno.ENETUNREACH}"


@needs_namespaces
def test_a_fork_bomb_is_bounded_by_the_thread_limit() -> None:
    def bomb() -> int:
        children = 0
        try:
            while children < 2 * MAX_THREADS:
                if os.fork() == 0:
                    signal.pause()
                children += 1
        except BlockingIOError:
            return children
        return children

    ended = without_seccomp(bomb)
    assert 1 <= int(ended.said) < MAX_THREADS


@needs_namespaces
def test_what_it_leaves_running_dies_with_it() -> None:
    def leave_one_behind() -> None:
        if os.fork() == 0:
            signal.pause()

    assert without_seccomp(leave_one_behind).code == 0
    # The trial's report would stay open, and this test would hang, if that process had lived on.


def refuse_user_namespaces() -> None:
    """Makes this process's world one in which no user namespace can be made, as many containers do."""
    clone_newuser = 0x1000_0000
    kernel.unshare(clone_newuser)
    Path("/proc/sys/user/max_user_namespaces").write_text("0")
    # Nor may it keep the rights that came with its own.
    identity.drop_capabilities()


def become_a_plain_user() -> None:
    os.setgroups([])
    os.setresgid(12345, 12345, 12345)
    os.setresuid(12345, 12345, 12345)


@needs_namespaces
def test_without_user_namespaces_the_floor_still_stands() -> None:
    ended = attempt(lambda: Path("/etc/passwd").read_text(), before=refuse_user_namespaces)
    assert not ended.walls & NAMESPACES
    require_floor(ended.walls)
    assert ended.said == "PermissionError 1"
    killed = attempt(socket.socket, before=refuse_user_namespaces)
    assert killed.code == 128 + signal.SIGSYS
    no_filter = attempt(connect_tcp, before=refuse_user_namespaces, without=("seccomp",))
    assert no_filter.said == "PermissionError 13"


@needs_namespaces
@pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can become somebody else; the other tests cover a plain user"
)
def test_a_plain_user_has_every_wall() -> None:
    ended = attempt(lambda: None, before=become_a_plain_user, without=("seccomp",))
    # Root may lock more memory than a plain user; in all else a plain user's wall is as high.
    as_root = attempt(lambda: None).walls
    assert ended.walls | {"locked_memory"} == (as_root | {"locked_memory"}) - {"seccomp"}
    assert "seccomp" in attempt(lambda: None, before=become_a_plain_user).walls


@pytest.mark.skipif(os.geteuid() != 0, reason="the test does not run as root")
def test_root_becomes_nobody() -> None:
    ended = without_seccomp(lambda: (os.getresuid(), os.getresgid(), os.getgroups()))
    nobody = (65534, 65534, 65534)
    assert ended.said == repr((nobody, nobody, []))
    assert "unprivileged_uid" in ended.walls


@needs_namespaces
def test_without_namespaces_a_child_still_cannot_signal_its_warden() -> None:
    """Both are under the warm parent's Landlock ruleset; the child's own keeps its signals in."""
    ended = attempt(lambda: os.kill(os.getppid(), 0), before=refuse_user_namespaces, without=("seccomp",))
    if "landlock_scope" not in ended.walls:
        pytest.skip("this kernel's Landlock does not know signals (Linux 6.12)")
    assert ended.said == "PermissionError 1"


def as_warm_parent(payload: Callable[[], object]) -> tuple[set[str], str]:
    """Runs a payload behind the outer wall alone, and without the namespaces that would hide Landlock."""
    answer, answer_end = os.pipe()
    child = os.fork()
    if child == 0:
        walls, said = set[str](), "done"
        try:
            namespaces.enter_around_parent = set
            walls = raise_outer_wall()
            payload()
        except OSError as refused:
            said = errno.errorcode[refused.errno or 0]
        finally:
            os.write(answer_end, " ".join([said, *walls]).encode())
            os._exit(0)
    os.close(answer_end)
    os.waitpid(child, 0)
    said, *standing = os.read(answer, 4096).decode().split()
    os.close(answer)
    return set(standing), said


WARM_PARENT: dict[str, tuple[Callable[[], object], str, str]] = {
    "read a file": (lambda: Path("/etc/passwd").read_bytes(), "landlock_fs", "EACCES"),
    "write a file": (lambda: Path("/tmp/planted").write_text("x"), "landlock_fs", "EACCES"),
    "connect over TCP": (connect_tcp, "landlock_net", "EACCES"),
    "signal the test": (lambda: os.kill(TEST_PID, 0), "landlock_scope", "EPERM"),
    "map memory to run": (lambda: mmap.mmap(-1, 4096, prot=7), "write_xor_execute", "EACCES"),
}


@pytest.mark.parametrize(("payload", "wall", "said"), WARM_PARENT.values(), ids=WARM_PARENT.keys())
def test_the_warm_parent_is_walled_in_too(payload: Callable[[], object], wall: str, said: str) -> None:
    walls, answered = as_warm_parent(payload)
    if wall not in walls:
        pytest.skip(f"this kernel gives no {wall}")
    assert answered == said
