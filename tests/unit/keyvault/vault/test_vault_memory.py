"""Secrets in protected pages: wiped, apart from each other, and out of reach of dumps, swap and children."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import pickle
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from keyvault.vault import memory
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.memory import Secret, memory_protection, wipe
from keyvault.vault.pages import Protection, map_pages


def flags_of(view: memoryview) -> set[str]:
    """VmFlags of the mapping of this process that some bytes lie in."""
    address = address_of(view)
    flags, here = set(), False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        words = line.split()
        if "-" in words[0] and not words[0].endswith(":"):
            start, end = (int(part, 16) for part in words[0].split("-"))
            here = start <= address < end
        elif here and words[0] == "VmFlags:":
            flags = set(words[1:])
    return flags


def address_of(view: memoryview) -> int:
    return ctypes.addressof(ctypes.c_char.from_buffer(view))


def test_it_starts_empty_and_ends_empty() -> None:
    secret = Secret(40)
    view = secret.view
    assert (len(secret), view) == (40, bytes(40))
    view[:] = b"s" * 40
    secret.close()
    assert view == bytes(40)
    secret.close()
    with pytest.raises(RuntimeError):
        _ = secret.view


def test_one_that_nobody_holds_is_wiped() -> None:
    view = Secret.random(32).view
    gc.collect()
    assert view == bytes(32)


def test_neighbours_do_not_overlap_and_places_are_used_again() -> None:
    secrets = [Secret(size) for size in (1, 16, 63, 64, 65, 5000, 16)]
    for number, secret in enumerate(secrets):
        secret.view[:] = bytes([number + 1]) * len(secret)
    for number, secret in enumerate(secrets):
        assert secret.view == bytes([number + 1]) * len(secret)
    arenas = len(memory._arenas[False])
    for _ in range(5000):
        Secret(1000).close()
    assert len(memory._arenas[False]) == arenas


def test_a_large_one_gets_pages_of_its_own_and_there_is_an_end() -> None:
    large = Secret(300_000)
    large.view[-1] = 1
    large.close()
    with pytest.raises(VaultRequestError) as refusal:
        Secret(5 << 20)
    assert refusal.value.code == "vault_memory_exhausted"


def test_moving_a_secret_wipes_its_source() -> None:
    source = bytearray(b"a secret")
    with Secret.moved_from(source) as secret:
        assert secret.view == b"a secret"
    assert source == bytes(8)


def test_two_draws_differ_and_seeds_are_taken_as_they_are() -> None:
    with Secret.random(32) as one, Secret.random(32) as two:
        assert one.view != two.view != bytes(32)
        key = Ed25519PrivateKey.from_private_bytes(one.view)
        assert key.private_bytes_raw() == one.view


def test_it_is_never_shown_and_never_pickled() -> None:
    with Secret.moved_from(bytearray(b"a secret")) as secret:
        assert repr(secret) == str(secret) == "Secret(8 bytes)"
        with pytest.raises(TypeError):
            pickle.dumps(secret)


def test_its_pages_are_not_dumped_not_inherited_and_locked_where_it_says_so() -> None:
    with Secret(32) as secret, Secret(32, inheritable=True) as shared:
        flags, shared_flags = (flags_of(it.view) for it in (secret, shared))
        assert {"rd", "wr", "dd", "dc"} <= flags
        assert "dd" in shared_flags
        assert "dc" not in shared_flags
        assert ("lo" in flags) == (secret.protection != Protection.BEST_EFFORT)


def test_a_child_has_nothing_at_its_address() -> None:
    with Secret.random(32) as secret:
        child = os.fork()
        if child == 0:
            faulthandler.disable()
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            secret.close()  # No harm: it is the parent's.
            os._exit(secret._arena.pages.view[0] * 0)
        _, status = os.waitpid(child, 0)
        assert os.WIFSIGNALED(status)
        assert any(secret.view)


def test_a_child_lets_go_of_one_whoever_held_the_lock_when_it_was_forked() -> None:
    held, done = threading.Event(), threading.Event()

    def hold() -> None:
        with memory._use:
            held.set()
            done.wait(120)

    with Secret.random(32) as secret:
        thread = threading.Thread(target=hold)
        thread.start()
        assert held.wait(120)
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(60)
            secret.close()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        done.set()
        thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


def test_reading_it_through_proc_fails_even_for_root() -> None:
    with Secret.random(32) as secret:
        if secret.protection != Protection.SECRETMEM:
            pytest.skip("this kernel gives no memfd_secret")
        ordinary = bytearray(b"the control")
        with Path("/proc/self/mem").open("rb", buffering=0) as own_memory:
            own_memory.seek(address_of(memoryview(ordinary)))
            assert own_memory.read(11) == b"the control"
            own_memory.seek(address_of(secret.view))
            with pytest.raises(OSError):
                own_memory.read(32)


WITHOUT = """
import ctypes, resource, sys
from keyvault.vault import pages
if "secretmem" in sys.argv: pages._SYS_MEMFD_SECRET = 100000
if "lock" in sys.argv: pages._libc.mlock = lambda *_: -1
from keyvault.vault.memory import Secret, memory_protection
secret = Secret.random(32)
print(memory_protection(), secret.protection, len(set(secret.view)) > 8)
"""


@pytest.mark.parametrize(
    ("missing", "expected"),
    [(["secretmem"], "locked"), (["secretmem", "lock"], "best_effort")],
)
def test_what_the_kernel_refuses_is_replaced_and_reported(missing: list[str], expected: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT, *missing], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [expected, expected, "True"]


def test_a_plain_users_limit_has_room_for_all_of_it() -> None:
    """Under 8 MiB of RLIMIT_MEMLOCK and without CAP_IPC_LOCK, 4 MiB of secrets are still protected."""
    script = (
        "import resource, os\n"
        "from keyvault.vault.memory import Secret, memory_protection\n"
        "if os.geteuid() == 0: os.setgroups([]); os.setgid(65534); os.setuid(65534)\n"
        "hard = resource.getrlimit(resource.RLIMIT_MEMLOCK)[1]\n"
        "limit = 8 << 20 if hard == resource.RLIM_INFINITY else min(8 << 20, hard)\n"
        "resource.setrlimit(resource.RLIMIT_MEMLOCK, (limit, limit))\n"
        "secrets = [Secret(60_000) for _ in range(64)]\n"
        "print(limit, memory_protection())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    limit, protection = done.stdout.split()
    if int(limit) < 8 << 20:
        pytest.skip(f"RLIMIT_MEMLOCK is {limit} bytes here")
    assert protection in ("secretmem", "locked")


def test_the_weakest_page_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    weak = memory._Arena(map_pages(65536, inheritable=False))
    object.__setattr__(weak.pages, "protection", Protection.BEST_EFFORT)
    monkeypatch.setitem(memory._arenas, False, [*memory._arenas[False], weak])
    assert memory_protection() == Protection.BEST_EFFORT


def test_wiping_takes_every_kind_of_buffer() -> None:
    array, secret = bytearray(b"secret"), Secret.moved_from(bytearray(b"secret"))
    wipe(array)
    wipe(secret)
    assert array == secret.view == bytes(6)
