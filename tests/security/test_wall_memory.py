"""A job's memory: locked where the system lets it be, never runnable, and named either way."""

from __future__ import annotations

import ctypes
import mmap
import os
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
from wall_trial import MEBIBYTE, attempt, keep_privileges

from enclave.errors import WallError
from enclave.wall import locking, processor, require_floor

OPEN = ("seccomp", "landlock")
libc = ctypes.CDLL(None, use_errno=True)
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may lock memory past the limit")


def limit_can_be_raised() -> bool:
    """Whether this test's user may lock any amount of memory: CAP_SYS_RESOURCE, or a limit set for it."""
    child = os.fork()
    if child == 0:
        try:
            locking.allow_locking()
            unlimited = resource.getrlimit(resource.RLIMIT_MEMLOCK)[0] == resource.RLIM_INFINITY
        except (OSError, ValueError):
            unlimited = False
        os._exit(int(unlimited))
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def sizes() -> dict[str, int]:
    """VmSize and VmLck of this process, in KiB."""
    lines = (line.split() for line in Path("/proc/self/status").read_text().splitlines())
    return {words[0].rstrip(":"): int(words[1]) for words in lines if words[0] in {"VmSize:", "VmLck:"}}


def grow_and_measure() -> list[int]:
    """Locked memory before and after a mapping of 8 MiB, and all memory after it; KiB."""
    before = sizes()["VmLck"]
    page = mmap.mmap(-1, 8 * MEBIBYTE)
    after = sizes()
    page.close()
    return [before, after["VmLck"], after["VmSize"]]


@needs_root
def test_all_memory_of_a_child_is_locked_what_it_maps_later_too() -> None:
    ended = attempt(grow_and_measure, without=OPEN, before=keep_privileges)
    assert "locked_memory" in ended.walls
    before, after, everything = map(int, ended.said.strip("[]").split(","))
    # All but what cannot be locked: what the kernel maps itself ([vdso], [vvar]), and what other tests of
    # this process have mapped in ways of their own.
    assert after >= everything - 512
    assert after - before >= 8 << 10


@needs_root
def test_the_memory_limit_still_holds_when_memory_is_locked() -> None:
    ended = attempt(lambda: bytearray(300 * MEBIBYTE), before=keep_privileges)
    assert "locked_memory" in ended.walls
    assert ended.said == "MemoryError None"


@needs_root
def test_locking_does_not_copy_what_a_child_shares_with_its_parent() -> None:
    """Pages are locked when touched: a child does not pay for the models before it uses them."""
    ballast = bytearray(os.urandom(64 * MEBIBYTE))

    def own_kibibytes() -> int:
        rollup = Path("/proc/self/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in rollup if line.startswith("Private_Dirty:"))

    ended = attempt(own_kibibytes, without=OPEN, before=keep_privileges)
    assert "locked_memory" in ended.walls
    assert len(ballast) == 64 * MEBIBYTE
    assert int(ended.said) < 32 << 10


def test_locked_memory_is_claimed_exactly_where_it_can_be_had() -> None:
    assert ("locked_memory" in attempt(lambda: None).walls) == limit_can_be_raised()


def lower_the_limit() -> None:
    resource.setrlimit(resource.RLIMIT_MEMLOCK, (8 * MEBIBYTE, 8 * MEBIBYTE))
    locking.allow_locking = lambda: None


def test_too_low_a_limit_locks_nothing_and_says_so() -> None:
    """A lock that holds for 8 MiB would make an honest job fail in its middle."""
    ended = attempt(lambda: len(bytearray(64 * MEBIBYTE)), before=lower_the_limit)
    assert "locked_memory" not in ended.walls
    assert ended.said == str(64 * MEBIBYTE)
    with pytest.raises(WallError, match="locked_memory"):
        require_floor(ended.walls, ("locked_memory",))


def refuse() -> None:
    raise OSError("not on this kernel")


def lose(name: str) -> Callable[[], None]:
    return lambda: setattr(processor, name, refuse)


MECHANISMS = {
    "write_xor_execute": lose("forbid_new_code"),
    "branch_isolation": lose("isolate_branch_predictions"),
}


@pytest.mark.parametrize(("wall", "without_it"), MECHANISMS.items(), ids=MECHANISMS.keys())
def test_what_the_kernel_refuses_is_not_claimed(wall: str, without_it: Callable[[], None]) -> None:
    assert wall not in attempt(lambda: None, before=without_it).walls


def map_to_run() -> str:
    try:
        mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except PermissionError:
        return "refused"
    return "mapped"


def make_runnable() -> str:
    page = mmap.mmap(-1, 4096)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    return "done" if libc.mprotect(ctypes.c_void_p(address), 4096, 5) == 0 else "refused"


@pytest.mark.parametrize("payload", [map_to_run, make_runnable])
def test_no_memory_becomes_runnable_without_the_filter_either(payload: Callable[[], str]) -> None:
    ended = attempt(payload, without=("seccomp",))
    if "write_xor_execute" not in ended.walls:
        pytest.skip("this kernel has no PR_SET_MDWE (Linux 6.3)")
    assert ended.said == "'refused'"
