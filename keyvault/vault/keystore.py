"""Entries sealed under the master key, in a folder that only one vault opens at a time.

    vault folder/  lock  master.key  keystore/  header.json  <entry>.sealed ...

The keystore appears whole, by one rename, or not at all; so an entry that is missing later was removed.
"""

from __future__ import annotations

import errno
import fcntl
import hmac
import os
import shutil
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from keyvault.vault.custody.contract import MASTER_KEY_BYTES, STORE_ID_BYTES, Custodian
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.durable import (
    FILE_MODE,
    FOLDER_MODE,
    TEMPORARY_SUFFIX,
    discard,
    prepare_folder,
    sync_folder,
    unwritable,
    write_durably,
)
from keyvault.vault.errors import VaultStartError
from keyvault.vault.memory import Buffer, Secret, wipe
from keyvault.vault.sealing import (
    CHECK_BYTES,
    FORMAT,
    SealBrokenError,
    check_value,
    open_entry,
    plaintext_size,
    seal_entry,
)
from provenance import canonical
from provenance.errors import FormatError

MAX_ENTRY_BYTES = 1 << 20

Entries = Mapping[str, bytearray | Secret]


# By the kind that the header names.
_HOW_TO_OPEN = {
    "key-file": "with its master key file: give no passphrase and no token",
    "argon2id": "with a passphrase: start the service with --ask-passphrase",
    "pkcs11": "with a token: start the service with --pkcs11-module and --pkcs11-token",
    "installed": "with an installed custodian: start the service with --custodian",
}


class Keystore:
    """An unlocked store. Holds the folder's lock until it is closed."""

    def __init__(self, folder: Path, header: bytes, master_key: Secret, lock_fd: int) -> None:
        self._folder = folder
        self._header = header
        self._master_key = master_key
        self._lock_fd = lock_fd
        self._use = threading.Lock()

    @classmethod
    def open(cls, folder: Path, custodian: Custodian, first_entries: Callable[[], Entries]) -> Keystore:
        """Opens the store in folder; makes it first, with these entries, where there is none.

        The custodian is asked before any entry is in memory, so that a child of its sees none.

        Raises:
            VaultStartError: vault_store_locked, vault_store_exposed, vault_store_corrupt, or what the
                custodian says.
            OSError: the disk is full or fails.
        """
        prepare_folder(folder)
        lock_fd = _lock(folder)
        try:
            store_folder = folder / "keystore"
            if not store_folder.is_dir():
                _create(folder, store_folder, custodian, first_entries)
            header_bytes = _read(store_folder / "header.json")
            header = _parse_header(header_bytes)
            master_key = _unlock(header, custodian)
            for leftover in store_folder.glob("*" + TEMPORARY_SUFFIX):
                discard(leftover)
            return cls(store_folder, header_bytes, master_key, lock_fd)
        except BaseException:
            os.close(lock_fd)
            raise

    def read(self, entry: str) -> bytearray:
        """Opens an entry into ordinary memory. The caller wipes it.

        Raises:
            VaultStartError: vault_store_corrupt, the entry is missing or is not what was sealed.
        """
        sealed = _read(self._path(entry))
        try:
            plaintext = bytearray(plaintext_size(sealed))
            open_entry(self._master_key.view, self._header, entry, sealed, plaintext)
        except SealBrokenError:
            raise _corrupt() from None
        return plaintext

    def read_secret(self, entry: str) -> Secret:
        """Opens an entry into protected memory. The caller closes it.

        Raises:
            VaultStartError: vault_store_corrupt, the entry is missing or is not what was sealed.
            VaultRequestError: vault_memory_exhausted.
        """
        sealed = _read(self._path(entry))
        try:
            secret = Secret(plaintext_size(sealed))
            open_entry(self._master_key.view, self._header, entry, sealed, secret.view)
        except SealBrokenError:
            raise _corrupt() from None
        return secret

    def write(self, entry: str, plaintext: Buffer, *, overwrite_old: bool = False) -> None:
        """Seals an entry and replaces the old one durably; with overwrite_old the old bytes are overwritten.

        Raises:
            VaultRequestError: vault_store_unwritable; the old entry stands.
        """
        with self._use:
            if self._lock_fd < 0:
                raise unwritable()
            sealed = seal_entry(self._master_key.view, self._header, entry, plaintext)
            try:
                write_durably(self._path(entry), sealed, overwrite_old=overwrite_old)
            except OSError:
                raise unwritable() from None

    def has(self, entry: str) -> bool:
        """Whether there is such an entry."""
        return self._path(entry).is_file()

    def names(self, prefix: str) -> list[str]:
        """The names of the entries that begin so."""
        return sorted(path.stem for path in self._folder.glob(f"{prefix}*.sealed"))

    def remove(self, entry: str) -> None:
        """Overwrites an entry and removes it, if it is there.

        Raises:
            VaultRequestError: vault_store_unwritable.
        """
        with self._use:
            if self._lock_fd < 0:
                raise unwritable()
            try:
                discard(self._path(entry))
            except OSError:
                raise unwritable() from None

    def close(self) -> None:
        """Forgets the master key and lets another vault in."""
        # A thread that is still in a write finishes it first: none may seal under the wiped key.
        with self._use:
            self._master_key.close()
            if self._lock_fd >= 0:
                os.close(self._lock_fd)
                self._lock_fd = -1

    def _path(self, entry: str) -> Path:
        return self._folder / f"{entry}.sealed"


def _create(
    folder: Path, store_folder: Path, custodian: Custodian, first_entries: Callable[[], Entries]
) -> None:
    """Builds the whole store beside its place and renames it there."""
    building = folder / "keystore.new"
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(mode=FOLDER_MODE)
    store_id = os.urandom(STORE_ID_BYTES)
    with Secret.random(MASTER_KEY_BYTES) as master_key:
        parameters = custodian.wrap(master_key.view, store_id)
        header = canonical.dumps(
            {
                "check": check_value(master_key.view, store_id).hex(),
                "format": FORMAT,
                "store": store_id.hex(),
                "unlock": {**parameters, "kind": custodian.kind},
            }
        )
        write_durably(building / "header.json", header)
        entries = first_entries()
        try:
            for entry, secret in entries.items():
                plaintext = secret.view if isinstance(secret, Secret) else secret
                write_durably(
                    building / f"{entry}.sealed", seal_entry(master_key.view, header, entry, plaintext)
                )
        finally:
            for secret in entries.values():
                if isinstance(secret, Secret):
                    secret.close()
                else:
                    wipe(secret)
    building.rename(store_folder)
    sync_folder(folder)


def _unlock(header: dict[str, Any], custodian: Custodian) -> Secret:
    """Asks the custodian for the master key, and checks that it is this store's."""
    parameters = dict(header["unlock"])
    kind = parameters.pop("kind", None)
    if kind != custodian.kind:
        hint = _HOW_TO_OPEN.get(kind) if isinstance(kind, str) else None
        if hint is None:
            raise _corrupt()
        raise CustodyError("vault_unlock_failed", f"this store opens {hint}")
    store_id = bytes.fromhex(header["store"])
    master_key = Secret(MASTER_KEY_BYTES)
    try:
        custodian.unwrap(parameters, store_id, master_key.view)
        check = check_value(master_key.view, store_id)
        if not hmac.compare_digest(check, bytes.fromhex(header["check"])):
            raise CustodyError("vault_unlock_failed")
    except BaseException:
        master_key.close()
        raise
    return master_key


def _lock(folder: Path) -> int:
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    if (folder / "lock").is_symlink():
        raise VaultStartError("vault_store_exposed", "the vault's lock is a link; somebody else made it")
    lock_fd = os.open(folder / "lock", flags, FILE_MODE)
    try:
        fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock_fd)
        raise VaultStartError(
            "vault_store_locked", "another vault has this store open; stop it or use another data folder"
        ) from None
    return lock_fd


def _parse_header(header_bytes: bytes) -> dict[str, Any]:
    try:
        header = canonical.loads(header_bytes)
    except FormatError:
        raise _corrupt() from None
    if not isinstance(header, dict) or header.keys() != {"check", "format", "store", "unlock"}:
        raise _corrupt()
    check, store = header["check"], header["store"]
    if header["format"] != FORMAT or not _is_hex(check, CHECK_BYTES) or not _is_hex(store, STORE_ID_BYTES):
        raise _corrupt()
    if not isinstance(header["unlock"], dict):
        raise _corrupt()
    return header


def _is_hex(value: object, size: int) -> bool:
    return isinstance(value, str) and len(value) == 2 * size and set(value) <= set("0123456789abcdef")


def _read(path: Path) -> bytes:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            content = file.read(MAX_ENTRY_BYTES + 1)
    except OSError as fault:
        if fault.errno in (errno.ENOENT, errno.ELOOP, errno.EISDIR):
            raise _corrupt() from None
        raise VaultStartError(
            "vault_store_unreadable", "the vault's store cannot be read; check its disk and its owner"
        ) from None
    if len(content) > MAX_ENTRY_BYTES:
        raise _corrupt()
    return content


def _corrupt() -> VaultStartError:
    return VaultStartError(
        "vault_store_corrupt",
        "the vault's store is damaged or was changed; restore the whole folder from a backup",
    )
