"""The vault process's own first wall, looked at from outside."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from keyvault.client import VaultClient, VaultUnavailableError
from tests.unit.keyvault.vault.harness import RunningVault


def test_no_core_dump_no_new_privileges_no_stray_descriptor(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault") as vault:
        vault.client.describe()
        process = Path(f"/proc/{vault.process.pid}")
        status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
        assert status["NoNewPrivs"].strip() == "1"
        core = next(line for line in (process / "limits").read_text().splitlines() if "core file" in line)
        assert core.split()[4:6] == ["0", "0"]
        links = {str(fd.readlink()) for fd in (process / "fd").iterdir() if int(fd.name) > 2}
        files = {link for link in links if link.startswith("/")}
        assert files == {str(tmp_path / "vault" / "lock")}


def test_memory_is_locked_where_the_system_allows(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault") as vault:
        vault.client.describe()
        status = Path(f"/proc/{vault.process.pid}/status").read_text()
        capabilities = int(status.split("CapEff:")[1].split()[0], 16)
        if not capabilities >> 14 & 1:
            pytest.skip("locking all memory takes CAP_IPC_LOCK here")
        assert int(status.split("VmLck:")[1].split()[0]) > 1000


@pytest.fixture
def plain() -> tuple[str, ...]:
    """What makes a command run without capabilities: to root with all of them every process is open."""
    if os.geteuid() != 0:
        return ()
    prefix = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--")
    if shutil.which(prefix[0]) is None or subprocess.run([*prefix, "true"], check=False).returncode != 0:
        pytest.skip("capabilities cannot be dropped here (setpriv of util-linux)")
    return prefix


def look(prefix: tuple[str, ...], pid: int, name: str) -> subprocess.CompletedProcess[bytes]:
    """Reads a file of a process, as any other process of the same user would."""
    return subprocess.run([*prefix, "cat", f"/proc/{pid}/{name}"], capture_output=True, check=False)


@pytest.mark.parametrize("name", ["maps", "environ", "mem"])
def test_the_same_user_cannot_look_into_it(tmp_path: Path, plain: tuple[str, ...], name: str) -> None:
    with subprocess.Popen([*plain, "cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as ordinary:
        assert ordinary.stdin is not None
        assert ordinary.stdout is not None
        # Until it answers, it may still be `setpriv`, with every capability.
        ordinary.stdin.write(b"\n")
        ordinary.stdin.flush()
        assert ordinary.stdout.read(1) == b"\n"
        assert look(plain, ordinary.pid, "maps").stdout, "the control: an ordinary process is open to it"
        ordinary.kill()
    with RunningVault(tmp_path / "vault", prefix=plain) as vault:
        vault.client.describe()
        seen = look(plain, vault.process.pid, name)
    assert (seen.returncode, seen.stdout) == (1, b"")
    assert b"Permission denied" in seen.stderr


def test_it_dies_with_its_parent_though_the_channel_is_still_open(tmp_path: Path) -> None:
    front, vault_front = socket.socketpair()
    worker, vault_worker = socket.socketpair()
    fds = vault_front.fileno(), vault_worker.fileno()
    command = [sys.executable, "-m", "keyvault.vault", "--store", str(tmp_path / "vault")]
    command += ["--front-fd", str(fds[0]), "--worker-fd", str(fds[1])]
    script = f"import subprocess; subprocess.Popen({command!r}, pass_fds={fds!r}).wait()"
    with subprocess.Popen([sys.executable, "-c", script], pass_fds=fds) as parent, worker:
        vault_front.close()
        vault_worker.close()
        client = VaultClient(front.detach(), timeout_seconds=120)
        assert client.describe().log_origin
        parent.kill()
        parent.wait(60)
        assert worker.recv(1) == b"", "the vault's end closes when the vault is gone"
        with pytest.raises(VaultUnavailableError):
            client.describe()
        client.close()
