"""SIGKILL at random moments: the store opens, the log never goes back, no announced key is lost."""

from __future__ import annotations

import random
import threading
import time
from pathlib import Path

import pytest

from keyvault.client import VaultRefusedError, VaultUnavailableError
from provenance.checkpoint import verify_checkpoint
from provenance.note import parse_vkey
from tests.unit.keyvault.vault.harness import (
    RunningVault,
    Worker,
    checkpoint_text,
    header_of,
    open_upload,
    seal_upload,
)

# A fixed seed: a run that fails can be run again.
RANDOM = random.Random(20261121)
KILLS = 8


def kill_within(vault: RunningVault, seconds: float) -> threading.Timer:
    timer = threading.Timer(seconds, vault.process.kill)
    timer.start()
    return timer


def test_a_killed_vault_never_signs_a_smaller_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    signed, note = 0, b""
    for turn in range(KILLS):
        with RunningVault(folder) as vault:
            description = vault.client.describe()
            origin, vkeys = description.log_origin, [parse_vkey(vkey) for vkey in description.log_vkeys]
            for size in {0, signed // 2, signed - 1} & set(range(signed)):
                with pytest.raises(VaultRefusedError) as refusal:
                    vault.sign(size)
                assert refusal.value.code == "checkpoint_shrinks"
            with pytest.raises(VaultRefusedError) as refusal:
                vault.client.sign_checkpoint(
                    checkpoint_text(origin, signed, b"fork") if signed else b"", lambda _old_size: []
                )
            assert refusal.value.code in ("checkpoint_forks", "checkpoint_malformed", "checkpoint_shrinks")
            # One signature may have been made durable and lost with the vault: so it goes on from there.
            if turn % 2 == 0:
                signed += 2
                note = vault.sign(signed)
            timer = kill_within(vault, RANDOM.uniform(0.0, 0.05))
            try:
                for size in range(signed + 1, signed + 100_000):
                    note = vault.sign(size)
                    signed = size
            except VaultUnavailableError:
                pass
            timer.join()
            assert verify_checkpoint(note, origin, vkeys).size == signed
    assert signed >= KILLS


def test_a_killed_vault_keeps_every_intake_key_that_it_announced(tmp_path: Path) -> None:
    """A rotation with each new worker, killed in the middle."""
    folder = tmp_path / "vault"
    uploads: list[tuple[bytes, bytes]] = []
    for turn in range(KILLS):
        with RunningVault(folder) as vault:
            measurement = bytes([turn]) * 32
            vault.client.describe()
            # By turns right after its announcement, and at any moment of making one.
            timer = kill_within(vault, 60.0 if turn % 2 else RANDOM.uniform(0.0, 0.006))
            try:
                vault.hello(measurement)
                recipient = vault.intake().recipient
                vault.kill()
                uploads.append((measurement, seal_upload(recipient, b"upload %d" % turn)))
            except (VaultUnavailableError, OSError):
                pass
            timer.cancel()
            timer.join()
    assert len(uploads) >= KILLS // 2
    for measurement, upload in uploads:
        with RunningVault(folder) as vault:
            vault.hello(measurement)
            worker = Worker()
            response = vault.release(worker, upload)
            assert response.error_code == ""
            file_key = worker.key.open_file_key(response.sealed_file_key, worker.job_id, header_of(upload))
            assert open_upload(upload, file_key).startswith(b"upload ")


@pytest.mark.parametrize(
    "milestone",
    [
        "lock",
        "master.key",
        "keystore.new",
        "keystore.new/header.json",
        "keystore.new/intake.sealed",
        "keystore",
    ],
)
def test_a_vault_killed_in_its_first_start_starts_again(tmp_path: Path, milestone: str) -> None:
    folder = tmp_path / "vault"
    with RunningVault(folder) as vault:
        deadline = time.monotonic() + 120
        # What is built is renamed soon: the finished store ends the wait too.
        while not ((folder / milestone).exists() or (folder / "keystore").exists()):
            assert time.monotonic() < deadline
        vault.kill()
    with RunningVault(folder) as vault:
        first = vault.client.describe()
        vault.sign(1)
    with RunningVault(folder) as vault:
        assert vault.client.describe() == first
    assert {path.name for path in folder.iterdir()} == {"lock", "master.key", "keystore", "credentials.csr"}


def test_a_destroyed_key_stays_destroyed_when_the_vault_is_killed_and_the_files_are_all_kept(
    tmp_path: Path,
) -> None:
    """Short-lived keys in real time, with everything on the disk and the master key still at hand."""
    folder = tmp_path / "vault"
    # The grace is for all that is done with the key while it lives, also where a machine stalls.
    short = ("--intake-lifetime-seconds", "1", "--intake-grace-seconds", "14")
    with RunningVault(folder, *short) as vault:
        vault.hello()
        upload = seal_upload(vault.intake().recipient, b"upload")
        sealed = folder / "keystore" / "intake.sealed"
        while_alive = sealed.read_bytes()
        assert vault.release(Worker(), upload).sealed_file_key
        deadline = time.monotonic() + 120
        while len(sealed.read_bytes()) == len(while_alive) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert len(sealed.read_bytes()) < len(while_alive), "an idle vault destroys by itself"
        vault.kill()
    with RunningVault(folder) as vault:
        vault.hello()
        with pytest.raises(VaultRefusedError) as refusal:
            vault.accept(Worker(), upload)
        assert refusal.value.code == "intake_key_unknown"
