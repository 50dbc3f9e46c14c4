"""Where the vault's secrets are not: files, command line, environment, standard error."""

from __future__ import annotations

import base64
import os
import re
import secrets
from collections.abc import Callable
from pathlib import Path

import pytest

from keyvault.vault import identity, intake
from keyvault.vault.process import open_store
from tests.unit.keyvault.vault.harness import RunningVault, Worker, header_of, make_request, seal_upload

PASSPHRASE = b"a passphrase that is nowhere else 8d1f"
INTAKE_RECORD_BYTES = 88
SEED_BYTES = 32


def run_busy_vault(folder: Path, passphrase: bytes | None = None) -> tuple[RunningVault, bytes]:
    """A vault that announced, released, refused and signed; and the file key that passed through it."""
    vault = RunningVault(folder, passphrase=passphrase)
    vault.hello()
    upload = seal_upload(vault.intake().recipient, b"plaintext")
    worker = Worker()
    sealed = vault.release(worker, upload).sealed_file_key
    with vault.register(secrets.token_bytes(16)) as child:
        refused = make_request(child, worker.request(header_of(upload)))
    assert refused.error_code == "release_job_mismatch"
    vault.client.sign_failure(worker.job_id, "media_corrupt")
    return vault, worker.key.open_file_key(sealed, worker.job_id, header_of(upload))


def stored_seeds(folder: Path) -> list[bytes]:
    """Every private seed of a stopped vault: four and a private key that last, and one intake key."""
    store = open_store(folder, None)
    lasting, intake_keys = bytes(store.read(identity.ENTRY)), bytes(store.read(intake.ENTRY))
    store.close()
    assert (len(lasting), len(intake_keys)) == (identity.IDENTITY_BYTES, INTAKE_RECORD_BYTES)
    # The second half of an SLH-DSA private key is its public key.
    private = lasting[: 5 * SEED_BYTES]
    return [private[start : start + SEED_BYTES] for start in range(0, len(private), SEED_BYTES)] + [
        intake_keys[-SEED_BYTES:]
    ]


def spellings(secret: bytes) -> list[bytes]:
    """A secret raw, in hex, in base64 without its last group, and as a Python literal."""
    literal = repr(secret)[2:-1].encode()
    return [secret, secret.hex().encode(), base64.b64encode(secret)[:-4], literal]


def files_with(folder: Path, secret: bytes) -> set[str]:
    """The names of the files that hold a secret in any spelling."""
    return {
        path.name
        for path in folder.rglob("*")
        if path.is_file() and any(spelling in path.read_bytes() for spelling in spellings(secret))
    }


def test_no_seed_and_no_file_key_is_in_any_file(tmp_path: Path) -> None:
    vault, file_key = run_busy_vault(tmp_path / "vault")
    assert vault.stop() == (0, "")
    for secret in (*stored_seeds(tmp_path / "vault"), file_key):
        assert files_with(tmp_path, secret) == set()
    assert files_with(tmp_path, (tmp_path / "vault" / "master.key").read_bytes()) == {"master.key"}


def test_the_search_finds_what_is_there(tmp_path: Path) -> None:
    """The control: a seed that is written down, in each spelling, is found."""
    vault, _ = run_busy_vault(tmp_path / "vault")
    vault.stop()
    seed = stored_seeds(tmp_path / "vault")[0]
    for number, spelling in enumerate(spellings(seed)):
        (tmp_path / f"leak{number}").write_bytes(b"before" + spelling + b"after")
    assert files_with(tmp_path, seed) == {"leak0", "leak1", "leak2", "leak3"}


def test_the_passphrase_is_in_no_file_argument_variable_or_message(tmp_path: Path) -> None:
    vault, _ = run_busy_vault(tmp_path / "vault", PASSPHRASE)
    process = Path(f"/proc/{vault.process.pid}")
    visible = (process / "cmdline").read_bytes() + (process / "environ").read_bytes()
    assert b"keyvault.vault" in visible
    code, errors = vault.stop()
    assert (code, errors) == (0, "")
    assert not any(spelling in visible for spelling in spellings(PASSPHRASE))
    assert files_with(tmp_path, PASSPHRASE) == set()
    assert not (tmp_path / "vault" / "master.key").exists()


def test_a_wrong_passphrase_is_refused_in_one_line_that_does_not_repeat_it(tmp_path: Path) -> None:
    RunningVault(tmp_path / "vault", passphrase=PASSPHRASE).stop()
    wrong = b"a wrong passphrase 41c7"
    with RunningVault(tmp_path / "vault", passphrase=wrong) as vault:
        _, errors = vault.process.communicate(timeout=60)
        assert vault.process.returncode == 1
    assert re.fullmatch(rb"bauta vault: vault_unlock_failed: [^\n]+\n", errors)
    assert not any(spelling in errors for spelling in (*spellings(wrong), *spellings(PASSPHRASE)))
    with RunningVault(tmp_path / "vault", passphrase=PASSPHRASE) as vault:
        assert vault.client.describe().log_origin


DAMAGE: list[tuple[str, str, Callable[[Path], object]]] = [
    ("no identity", "vault_store_corrupt", lambda at: (at / "keystore/identity.sealed").unlink()),
    ("intake keys cut", "vault_store_corrupt", lambda at: os.truncate(at / "keystore/intake.sealed", 20)),
    ("no memory of the log", "vault_store_corrupt", lambda at: (at / "keystore/checkpoint.sealed").unlink()),
    ("no master key", "vault_unlock_failed", lambda at: (at / "master.key").unlink()),
    ("a readable master key", "vault_key_file_exposed", lambda at: (at / "master.key").chmod(0o644)),
]


@pytest.mark.parametrize(("name", "code", "damage"), DAMAGE, ids=[row[0] for row in DAMAGE])
def test_a_damaged_store_is_one_line_and_no_answer(
    tmp_path: Path, name: str, code: str, damage: Callable[[Path], object]
) -> None:
    folder = tmp_path / "vault"
    RunningVault(folder).stop()
    damage(folder)
    with RunningVault(folder) as vault:
        _, errors = vault.process.communicate(timeout=60)
        assert vault.process.returncode == 1
    assert re.fullmatch(rf"bauta vault: {code}: [^\n]+\n".encode(), errors)
    assert str(tmp_path).encode() not in errors


def test_two_vaults_never_share_a_store(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault") as first:
        before = first.client.describe()
        with RunningVault(tmp_path / "vault") as second:
            _, errors = second.process.communicate(timeout=60)
            assert second.process.returncode == 1
        assert errors.startswith(b"bauta vault: vault_store_locked: ")
        assert first.client.describe() == before


def test_the_command_line_has_no_option_that_takes_a_secret(tmp_path: Path) -> None:
    with RunningVault(tmp_path / "vault", "--passphrase", "words") as vault:
        _, errors = vault.process.communicate(timeout=60)
        assert vault.process.returncode == 2
    assert b"unrecognized arguments" in errors
    assert not (tmp_path / "vault").exists()
