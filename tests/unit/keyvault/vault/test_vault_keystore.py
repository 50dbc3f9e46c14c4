"""The sealed store: what opens it, what does not, and what lies on the disk."""

from __future__ import annotations

import json
import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keyvault.vault.custody.contract import Custodian
from keyvault.vault.custody.key_file import KeyFile
from keyvault.vault.custody.passphrase import Argon2Cost, Passphrase, read_passphrase
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret, memory_protection
from keyvault.vault.sealing import FORMAT, check_value, seal_entry
from provenance import canonical

SECRET = b"a secret of thirty-two bytes.....", b"another secret"
CHEAP = Argon2Cost(memory_kib=8 << 10, iterations=1, lanes=1)


def open_store(folder: Path, unlock: Custodian | None = None) -> Keystore:
    entries = {"one": bytearray(SECRET[0]), "two": bytearray(SECRET[1])}
    return Keystore.open(folder, unlock or KeyFile(folder / "master.key"), lambda: entries)


def open_whole(folder: Path, unlock: Custodian | None = None) -> None:
    """Opens the store and reads every entry, as the vault does at its start."""
    store = open_store(folder, unlock)
    try:
        store.read("one")
        store.read("two")
    finally:
        store.close()


def passphrase(words: bytes) -> Passphrase:
    return Passphrase(Secret.moved_from(bytearray(words)), CHEAP)


def refusal(folder: Path, unlock: Custodian | None = None) -> str:
    """Gives the code of what stops the store from opening whole."""
    with pytest.raises(VaultStartError) as reason:
        open_whole(folder, unlock)
    return reason.value.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store made with a key file."""
    open_store(tmp_path / "vault").close()
    return tmp_path / "vault"


def test_entries_come_back_and_can_be_replaced(folder: Path) -> None:
    store = open_store(folder)
    assert (store.read("one"), store.read("two")) == SECRET
    store.write("one", b"new", overwrite_old=True)
    assert store.read("one") == b"new"
    store.close()
    store = open_store(folder)
    assert (store.read("one"), store.read("two")) == (b"new", SECRET[1])
    store.close()


def test_everything_on_disk_is_private_and_sealed(folder: Path) -> None:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {path.name for path in files} == {"lock", "master.key", "header.json", "one.sealed", "two.sealed"}
    for path in files:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert not any(secret in path.read_bytes() for secret in SECRET), path
    for path in (folder, folder / "keystore"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700, path


def test_the_same_entry_never_seals_to_the_same_bytes(folder: Path) -> None:
    path = folder / "keystore" / "one.sealed"
    before = path.read_bytes()
    store = open_store(folder)
    store.write("one", SECRET[0])
    store.close()
    assert path.read_bytes()[16:48] != before[16:48]
    assert path.read_bytes()[48:] != before[48:]


def test_an_overwritten_entry_is_gone_from_its_old_inode(folder: Path) -> None:
    path = folder / "keystore" / "one.sealed"
    with path.open("rb") as old:
        size = path.stat().st_size
        store = open_store(folder)
        store.write("one", b"new", overwrite_old=True)
        store.close()
        assert old.read() == bytes(size)


def test_a_closed_store_takes_no_more_writes(folder: Path) -> None:
    """A release that is still running when the vault ends must not seal under a wiped master key."""
    store = open_store(folder)
    store.close()
    with pytest.raises(VaultRequestError) as refusal_of_write:
        store.write("one", b"new")
    assert refusal_of_write.value.code == "vault_store_unwritable"
    open_whole(folder)


def test_a_passphrase_opens_its_store_and_no_other_does(tmp_path: Path) -> None:
    folder = tmp_path / "vault"
    open_store(folder, passphrase(b"correct horse")).close()
    assert not (folder / "master.key").exists()
    parameters = json.loads((folder / "keystore" / "header.json").read_bytes())["unlock"]
    assert parameters["kind"] == "argon2id"
    assert (parameters["memory_kib"], parameters["iterations"]) == (8 << 10, 1)
    store = open_store(folder, passphrase(b"correct horse"))
    assert store.read("one") == SECRET[0]
    store.close()
    assert refusal(folder, passphrase(b"correct horsf")) == "vault_unlock_failed"
    assert refusal(folder) == "vault_unlock_failed"
    open_store(folder, passphrase(b"correct horse")).close()


def test_a_new_passphrase_store_costs_64_mib_and_three_passes() -> None:
    custodian = Passphrase(Secret.moved_from(bytearray(b"words")))
    parameters, again = (custodian.wrap(memoryview(bytes(32)), bytes(16)) for _ in range(2))
    assert (parameters["memory_kib"], parameters["iterations"]) == (65536, 3)
    assert parameters["salt"] != again["salt"]


@pytest.mark.parametrize("kind", ["key-file", "argon2id"])
def test_a_store_of_version_0_1_0_still_opens(tmp_path: Path, kind: str) -> None:
    """There the key file, or what Argon2id gave, was the master key itself."""
    folder = tmp_path / "vault"
    store_folder = folder / "keystore"
    store_folder.mkdir(parents=True)
    key, store_id, salt = secrets.token_bytes(32), secrets.token_bytes(16), secrets.token_bytes(16)
    unlock: dict[str, object] = {"kind": "key-file"}
    custodian: Custodian = KeyFile(folder / "master.key")
    if kind == "argon2id":
        unlock = {"iterations": 1, "kind": kind, "lanes": 1, "memory_kib": 8 << 10, "salt": salt.hex()}
        custodian = passphrase(b"words")
        key = Argon2id(salt=salt, length=32, iterations=1, lanes=1, memory_cost=8 << 10).derive(b"words")
    else:
        (folder / "master.key").touch(0o600)
        (folder / "master.key").write_bytes(key)
    header = canonical.dumps(
        {
            "check": check_value(key, store_id).hex(),
            "format": FORMAT,
            "store": store_id.hex(),
            "unlock": unlock,
        }
    )
    (store_folder / "header.json").write_bytes(header)
    (store_folder / "one.sealed").write_bytes(seal_entry(key, header, "one", SECRET[0]))
    store = open_store(folder, custodian)
    assert store.read("one") == SECRET[0]
    store.close()


def test_a_key_file_that_is_there_already_is_never_replaced(tmp_path: Path) -> None:
    """It may be the key of a store that is about to be restored."""
    folder = tmp_path / "vault"
    folder.mkdir()
    (folder / "master.key").touch(0o600)
    (folder / "master.key").write_bytes(b"k" * 32)
    open_store(folder).close()
    assert (folder / "master.key").read_bytes() == b"k" * 32
    open_whole(folder)


def test_a_secret_entry_comes_back_in_protected_memory(folder: Path) -> None:
    store = open_store(folder)
    with store.read_secret("one") as secret:
        assert secret.view == SECRET[0]
        assert secret.protection == memory_protection()
    store.close()


def test_a_second_vault_is_kept_out_until_the_first_is_gone(folder: Path) -> None:
    store = open_store(folder)
    assert refusal(folder) == "vault_store_locked"
    store.close()
    open_store(folder).close()


def _flip(path: Path, offset: int) -> None:
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def _edit_header(folder: Path, change: Callable[[dict[str, object]], None]) -> None:
    path = folder / "keystore" / "header.json"
    header = json.loads(path.read_bytes())
    change(header)
    path.write_text(json.dumps(header, sort_keys=True, separators=(",", ":")))


def _flip_wrapped(unlock: object) -> None:
    assert isinstance(unlock, dict)
    text = unlock["wrapped"]
    unlock["wrapped"] = text[:-1] + ("0" if text[-1] != "0" else "1")


def _swap(folder: Path) -> None:
    one, two = folder / "keystore" / "one.sealed", folder / "keystore" / "two.sealed"
    content = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(content)


def _relink(path: Path) -> None:
    path.rename(path.with_suffix(".moved"))
    path.symlink_to(path.with_suffix(".moved"))


DAMAGE: list[tuple[str, str, Callable[[Path], object]]] = [
    ("a flipped byte in the magic", "vault_store_corrupt", lambda at: _flip(at / "keystore/one.sealed", 0)),
    ("a flipped byte in the salt", "vault_store_corrupt", lambda at: _flip(at / "keystore/one.sealed", 20)),
    ("a flipped byte in the secret", "vault_store_corrupt", lambda at: _flip(at / "keystore/one.sealed", 50)),
    ("a flipped byte in the tag", "vault_store_corrupt", lambda at: _flip(at / "keystore/two.sealed", -1)),
    ("an entry cut short", "vault_store_corrupt", lambda at: os.truncate(at / "keystore/one.sealed", 60)),
    ("an empty entry", "vault_store_corrupt", lambda at: os.truncate(at / "keystore/one.sealed", 0)),
    ("a missing entry", "vault_store_corrupt", lambda at: (at / "keystore/two.sealed").unlink()),
    ("two entries swapped", "vault_store_corrupt", _swap),
    ("an entry that is a link", "vault_store_corrupt", lambda at: _relink(at / "keystore/one.sealed")),
    ("no header", "vault_store_corrupt", lambda at: (at / "keystore/header.json").unlink()),
    ("a header of spaces", "vault_store_corrupt", lambda at: (at / "keystore/header.json").write_text(" ")),
    (
        "a header with one more field",
        "vault_store_corrupt",
        lambda at: _edit_header(at, lambda header: header.update(more=1)),
    ),
    (
        "a header of another store",
        "vault_unlock_failed",
        lambda at: _edit_header(at, lambda header: header.update(store="00" * 16)),
    ),
    (
        "a header with another check value",
        "vault_unlock_failed",
        lambda at: _edit_header(at, lambda header: header.update(check="00" * 32)),
    ),
    ("a flipped bit in the master key", "vault_unlock_failed", lambda at: _flip(at / "master.key", 3)),
    ("a short master key", "vault_unlock_failed", lambda at: os.truncate(at / "master.key", 31)),
    ("no master key", "vault_unlock_failed", lambda at: (at / "master.key").unlink()),
    ("a key the group can read", "vault_key_file_exposed", lambda at: (at / "master.key").chmod(0o640)),
    ("a key others can read", "vault_key_file_exposed", lambda at: (at / "master.key").chmod(0o604)),
    ("a key others can write", "vault_key_file_exposed", lambda at: (at / "master.key").chmod(0o602)),
    ("a key that is a link", "vault_key_file_exposed", lambda at: _relink(at / "master.key")),
    (
        "a master key of another store",
        "vault_unlock_failed",
        lambda at: (at / "master.key").write_bytes(bytes(32)),
    ),
    (
        "a wrapped key with a flipped bit",
        "vault_unlock_failed",
        lambda at: _edit_header(at, lambda header: _flip_wrapped(header["unlock"])),
    ),
    (
        "nothing wrapped, as in stores of 0.1.0",
        "vault_unlock_failed",
        lambda at: _edit_header(at, lambda header: header.update(unlock={"kind": "key-file"})),
    ),
    (
        "an unknown custodian",
        "vault_store_corrupt",
        lambda at: _edit_header(at, lambda header: header.update(unlock={"kind": "nobody"})),
    ),
    (
        "a custodian that is no text",
        "vault_store_corrupt",
        lambda at: _edit_header(at, lambda header: header.update(unlock={"kind": ["key-file"]})),
    ),
    ("a folder others can write to", "vault_store_exposed", lambda at: at.chmod(0o722)),
    ("a lock that is a link", "vault_store_exposed", lambda at: _relink(at / "lock")),
]


@pytest.mark.parametrize(("name", "code", "damage"), DAMAGE, ids=[row[0] for row in DAMAGE])
def test_a_damaged_store_does_not_open(
    folder: Path, name: str, code: str, damage: Callable[[Path], object]
) -> None:
    damage(folder)
    damaged = {path: path.read_bytes() for path in (folder / "keystore").glob("*.sealed")}
    assert refusal(folder) == code
    after = {path: path.read_bytes() for path in (folder / "keystore").glob("*.sealed")}
    assert after == damaged, "a vault that does not start must not change what may yet be restored"


@pytest.mark.parametrize(
    "numbers",
    [(1 << 40, 3, 4), (65536, 1 << 30, 4), (65536, 3, 1 << 20), (0, 3, 4), (65536, 0, 4), (65536, -1, 4)],
)
def test_a_header_cannot_make_argon2_spend_without_bounds(
    tmp_path: Path, numbers: tuple[int, int, int]
) -> None:
    folder = tmp_path / "vault"
    open_store(folder, passphrase(b"words")).close()

    def change(header: dict[str, object]) -> None:
        unlock = header["unlock"]
        assert isinstance(unlock, dict)
        unlock.update(zip(("memory_kib", "iterations", "lanes"), numbers, strict=True))

    _edit_header(folder, change)
    assert refusal(folder, passphrase(b"words")) == "vault_store_corrupt"


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("no salt", {"salt": None}),
        ("a salt that is no hex", {"salt": "zz" * 16}),
        ("a short salt", {"salt": "00"}),
        ("true is no number", {"lanes": True}),
        ("a field too many", {"kind": "scrypt"}),
        ("a short wrapped key", {"wrapped": "00" * 95}),
    ],
)
def test_a_header_with_odd_parameters_is_damaged(
    tmp_path: Path, name: str, change: dict[str, object]
) -> None:
    parameters = passphrase(b"words").wrap(memoryview(bytes(32)), bytes(16))
    with pytest.raises(VaultStartError) as reason:
        passphrase(b"words").unwrap({**parameters, **change}, bytes(16), memoryview(bytearray(32)))
    assert reason.value.code == "vault_store_corrupt"


@pytest.mark.parametrize(
    ("given", "expected"),
    [(b"words", b"words"), (b"words\n", b"words"), (b"words\n\n", b"words\n"), (b"x" * 4096, b"x" * 4096)],
)
def test_a_passphrase_is_read_to_the_end_without_its_line_ending(given: bytes, expected: bytes) -> None:
    reading_end, pipe = os.pipe()
    os.write(pipe, given)
    os.close(pipe)
    assert read_passphrase(reading_end).view == expected
    with pytest.raises(OSError):
        os.fstat(reading_end)


@pytest.mark.parametrize("given", [b"", b"\n", b"x" * 4097, b"x" * 9000])
def test_an_empty_or_endless_passphrase_is_refused(given: bytes) -> None:
    reading_end, pipe = os.pipe()
    os.write(pipe, given)
    os.close(pipe)
    with pytest.raises(VaultStartError) as reason:
        read_passphrase(reading_end)
    assert reason.value.code == "vault_unlock_failed"


def test_secrets_do_not_show_in_a_repr(folder: Path) -> None:
    store = open_store(folder)
    key = (folder / "master.key").read_bytes()
    assert key.hex() not in repr(store)
    assert repr(key) not in repr(vars(KeyFile(folder / "master.key")))
    assert "correct horse" not in repr(passphrase(b"correct horse"))
    store.close()
