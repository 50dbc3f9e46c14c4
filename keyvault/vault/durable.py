"""Small files that survive a crash at any moment: old or new, never half.

Write a temporary, fsync it, rename it, fsync the folder (STYLE, habit 11). One writer at a time: the
store's lock sees to that.
"""

from __future__ import annotations

import os
from pathlib import Path

from keyvault.vault.errors import VaultRequestError, VaultStartError

FILE_MODE = 0o600
FOLDER_MODE = 0o700
TEMPORARY_SUFFIX = ".tmp"


def write_durably(path: Path, data: bytes | bytearray | memoryview, *, overwrite_old: bool = False) -> None:
    """Puts data at path, readable by the owner alone.

    With overwrite_old the bytes of the file that was there are overwritten in place once the new one is
    durable. On a disk that writes elsewhere (flash, copy-on-write, snapshots) remains can survive that.

    Raises:
        OSError: the disk is full or fails; the old file is untouched.
    """
    temporary = path.with_name(path.name + TEMPORARY_SUFFIX)
    old_fd = _open_existing(path) if overwrite_old else None
    try:
        try:
            _write_new(temporary, data)
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)
        if old_fd is not None:
            _overwrite(old_fd)
    finally:
        if old_fd is not None:
            os.close(old_fd)


def discard(path: Path) -> None:
    """Overwrites and removes a file that a crash left behind, if it is there.

    Raises:
        OSError: the disk fails.
    """
    fd = _open_existing(path)
    if fd is None:
        return
    try:
        _overwrite(fd)
    finally:
        os.close(fd)
    path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes renames and removals in a folder durable.

    Raises:
        OSError: the disk fails.
    """
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def prepare_folder(folder: Path) -> None:
    """Makes the vault's own folder, or takes one that only its owner can write to.

    Raises:
        VaultStartError: it is a link or not a folder, another user's, or open to others for writing.
        OSError: it cannot be made.
    """
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    facts = folder.lstat()
    is_own_folder = folder.is_dir() and not folder.is_symlink() and facts.st_uid == os.geteuid()
    if not is_own_folder or facts.st_mode & 0o022:
        raise VaultStartError(
            "vault_store_exposed",
            "the vault's folder must be a folder of the vault's own user that nobody else can write to",
        )
    folder.chmod(FOLDER_MODE)


def unwritable() -> VaultRequestError:
    """The refusal for a disk that takes no more."""
    return VaultRequestError("vault_store_unwritable", "the vault's store cannot be written; check its disk")


def _write_new(path: Path, data: bytes | bytearray | memoryview) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(path, flags, FILE_MODE)
    try:
        os.fchmod(fd, FILE_MODE)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def _open_existing(path: Path) -> int | None:
    try:
        return os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None


def _overwrite(fd: int) -> None:
    size = os.fstat(fd).st_size
    os.pwrite(fd, bytes(size), 0)
    os.fsync(fd)
