"""What a reader of the vault's memory finds: root with /proc/PID/mem, or a dump made like gcore makes one."""

from __future__ import annotations

import ctypes
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyvault.vault import identity
from keyvault.vault.custody.key_file import KeyFile
from keyvault.vault.memory import Secret, memory_protection
from keyvault.vault.pages import Protection
from keyvault.vault.process import open_store
from tests.unit.keyvault.vault.harness import RunningVault

SEED_BYTES = 32
SEEDS = 4

needs_secretmem = pytest.mark.skipif(
    memory_protection() != Protection.SECRETMEM, reason="this kernel gives no memfd_secret"
)


@dataclass(frozen=True)
class Mapping:
    """One line of /proc/PID/maps and what could be read of it; None where reading failed."""

    line: str
    content: bytes | None


def read_memory(pid: int) -> list[Mapping]:
    """Reads everything of another process that the kernel hands out."""
    found = []
    with ExitStack() as stack:
        try:
            memory = stack.enter_context(Path(f"/proc/{pid}/mem").open("rb", buffering=0))
            lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
        except PermissionError:
            pytest.skip("only root may try to read an undumpable process")
        for line in lines:
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            content: bytes | None = None
            if "r" in line.split()[1]:
                with suppress(OSError, OverflowError):
                    memory.seek(start)
                    content = memory.read(end - start)
            found.append(Mapping(line, content))
    return found


def count(memory: list[Mapping], secret: bytes) -> int:
    return sum(mapping.content.count(secret) for mapping in memory if mapping.content)


def master_key_of(folder: Path) -> bytes:
    """The master key of a store with a key file, as its owner has it."""
    header = json.loads((folder / "keystore" / "header.json").read_bytes())
    parameters = {name: value for name, value in header["unlock"].items() if name != "kind"}
    with Secret(32) as into:
        KeyFile(folder / "master.key").unwrap(parameters, bytes.fromhex(header["store"]), into.view)
        return bytes(into.view)


@pytest.fixture
def founded(tmp_path: Path) -> Path:
    """The folder of a store, made by a vault that is gone."""
    with RunningVault(tmp_path / "vault") as vault:
        vault.client.describe()
        vault.stop()
    return tmp_path / "vault"


@needs_secretmem
def test_root_does_not_find_the_master_key_in_a_running_vault(founded: Path) -> None:
    master_key, key_file = master_key_of(founded), (founded / "master.key").read_bytes()
    with RunningVault(founded) as vault:
        public = vault.client.describe().node.ed25519
        memory = read_memory(vault.process.pid)
    assert count(memory, public) > 0, "the control: what is not secret is found"
    assert sum(len(mapping.content or b"") for mapping in memory) > 10 << 20
    assert count(memory, master_key) == 0
    assert count(memory, key_file) == 0
    sealed_off = [mapping for mapping in memory if "secretmem" in mapping.line]
    assert sealed_off
    assert all(mapping.content is None for mapping in sealed_off)


def test_a_signing_seed_lies_nowhere_that_root_can_read(founded: Path) -> None:
    """It lies in protected pages, and for the length of one signature in a key object that is cleared."""
    store = open_store(founded)
    stored = bytes(store.read(identity.ENTRY))
    store.close()
    with RunningVault(founded) as vault:
        vault.client.describe()
        memory = read_memory(vault.process.pid)
    seeds = [stored[start : start + SEED_BYTES] for start in range(0, SEEDS * SEED_BYTES, SEED_BYTES)]
    assert [count(memory, seed) == 0 for seed in seeds] == [True] * SEEDS


@needs_secretmem
def test_process_vm_readv_does_not_reach_it_either(tmp_path: Path) -> None:
    class Piece(ctypes.Structure):
        _fields_ = (("base", ctypes.c_void_p), ("size", ctypes.c_size_t))

    with holder(
        "secret = Secret.moved_from(bytearray(b'a known secret 5d7c')); control = bytearray(b'control')"
    ) as (
        process,
        said,
    ):
        libc = ctypes.CDLL(None, use_errno=True)
        results = []
        for address in map(int, said.split()):
            into = ctypes.create_string_buffer(7)
            local, remote = Piece(ctypes.addressof(into), 7), Piece(address, 7)
            got = libc.process_vm_readv(process.pid, ctypes.byref(local), 1, ctypes.byref(remote), 1, 0)
            results.append((got, into.raw))
    assert results[1] == (7, b"control"), "the control: ordinary memory is read"
    assert results[0] == (-1, bytes(7))


@pytest.mark.parametrize("prefix", [(), ("plain",)], ids=["as it is", "as a plain user"])
def test_the_pages_of_a_running_vault_are_locked_and_undumpable(
    tmp_path: Path, prefix: tuple[str, ...]
) -> None:
    command: tuple[str, ...] = ()
    if prefix and os.geteuid() == 0:
        command = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
        if subprocess.run([*command, "true"], check=False, capture_output=True).returncode != 0:
            pytest.skip("capabilities cannot be dropped here")
    with RunningVault(tmp_path / "vault", prefix=command) as vault:
        vault.client.describe()
        try:
            text = Path(f"/proc/{vault.process.pid}/smaps").read_text()
        except PermissionError:
            pytest.skip("only root may look at an undumpable process")
    flags = [
        set(flags.split()) for flags in re.findall(r"secretmem(?:.*\n)*?VmFlags: (.*)\n", text, re.MULTILINE)
    ]
    if not flags:
        pytest.skip("this kernel gives no memfd_secret")
    # Locked, left out of dumps, and (but for what a custodian's child shares) out of children.
    assert all({"lo", "dd"} <= each for each in flags)
    assert any("dc" in each for each in flags)


@pytest.mark.parametrize("secret", ["master key", "entry"])
def test_a_dump_after_the_end_holds_nothing(founded: Path, secret: str) -> None:
    """In ordinary locked memory, where a dump sees everything: there while it is in use, gone after it."""
    master_key = master_key_of(founded)
    store = open_store(founded)
    seeds = bytes(store.read(identity.ENTRY))[: SEEDS * SEED_BYTES]
    store.close()
    looked_for = {"master key": master_key, "entry": seeds}[secret]
    body = (
        "from pathlib import Path; from keyvault.vault.process import open_store;"
        f"store = open_store(Path({str(founded)!r})); entry = store.read_secret('identity')"
    )
    with holder(body, closing="entry.close(); store.close()", without_secretmem=True) as (process, _):
        before = count(read_memory(process.pid), looked_for)
        process.stdin.write("\n")
        process.stdin.flush()
        assert process.stdout.readline() == "closed\n"
        after = count(read_memory(process.pid), looked_for)
    assert (before, after) == (1, 0)


HOLDER = """
import ctypes, sys
from keyvault.vault import pages
if {without_secretmem}: pages._SYS_MEMFD_SECRET = 100000
from keyvault.vault.memory import Secret
{body}
of = lambda it: ctypes.addressof(ctypes.c_char.from_buffer(it))
print(*(of(it) for it in (globals()[name].view if name == "secret" else globals()[name]
    for name in ("secret", "control") if name in globals())), flush=True)
sys.stdin.readline()
{closing}
print("closed", flush=True)
sys.stdin.readline()
"""


@contextmanager
def holder(
    body: str, *, closing: str = "", without_secretmem: bool = False
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A process that holds something, says where it lies, and waits."""
    script = HOLDER.format(body=body, closing=closing, without_secretmem=without_secretmem)
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, process.stdout.readline()
        finally:
            process.kill()
