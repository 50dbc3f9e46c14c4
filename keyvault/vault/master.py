"""The master key: 32 bytes out of a key file, or out of a passphrase through Argon2id (RFC 9106)."""

from __future__ import annotations

import errno
import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keyvault.vault.durable import FILE_MODE, write_durably
from keyvault.vault.errors import VaultStartError
from keyvault.vault.memory import random_secret, wipe

MASTER_KEY_BYTES = 32
MAX_PASSPHRASE_BYTES = 4096
SALT_BYTES = 16

_BY_KEY_FILE = "key-file"
_BY_ARGON2ID = "argon2id"


@dataclass(frozen=True)
class Argon2Cost:
    """What one guess costs; kept in the store's header, so that it can be raised for new stores.

    Attributes:
        memory_kib: memory of one guess.
        iterations: passes over it.
        lanes: independent lanes.
    """

    memory_kib: int = 64 << 10
    iterations: int = 3
    lanes: int = 4

    def __post_init__(self) -> None:
        # The header is not yet authenticated when this is read: bound what it can make us spend.
        if not (
            8 << 10 <= self.memory_kib <= 1 << 20 and 1 <= self.iterations <= 16 and 1 <= self.lanes <= 16
        ):
            raise VaultStartError("vault_store_corrupt", "the store's header asks for an impossible Argon2id")


@dataclass(frozen=True)
class KeyFile:
    """Unlocks with a file of 32 random bytes that is made on the first start."""

    path: Path

    def new_parameters(self) -> dict[str, Any]:
        """Makes the key file, unless one is there, and gives what the header keeps about it."""
        if not os.path.lexists(self.path):
            key = random_secret(MASTER_KEY_BYTES)
            write_durably(self.path, key)
            wipe(key)
        return {"kind": _BY_KEY_FILE}

    def master_key(self, parameters: dict[str, Any]) -> bytearray:
        """Reads the key. The caller wipes it.

        Raises:
            VaultStartError: the file is missing, not 32 bytes, a link, or open to anybody else.
            OSError: the disk fails.
        """
        if parameters != {"kind": _BY_KEY_FILE}:
            raise _failed("this store opens with a passphrase: give it with --passphrase-fd")
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise _failed("the master key file is gone; put it back, a store does not open without") from None
        except OSError as fault:
            if fault.errno in (errno.ELOOP, errno.EACCES):
                raise _exposed() from None
            raise
        try:
            facts = os.fstat(fd)
            if (
                not stat.S_ISREG(facts.st_mode)
                or stat.S_IMODE(facts.st_mode) & ~FILE_MODE
                or facts.st_uid != os.geteuid()
            ):
                raise _exposed()
            key = bytearray(MASTER_KEY_BYTES)
            if facts.st_size != MASTER_KEY_BYTES or os.readv(fd, [key]) != MASTER_KEY_BYTES:
                raise _failed("the master key file does not hold 32 bytes")
        finally:
            os.close(fd)
        return key


@dataclass(frozen=True)
class Passphrase:
    """Unlocks with a passphrase.

    Attributes:
        secret: its bytes; wiped by whoever made this object, once the store is open.
        cost: for a store that is made now; an existing one keeps its own.
    """

    secret: bytearray = field(repr=False)
    cost: Argon2Cost = Argon2Cost()

    def new_parameters(self) -> dict[str, Any]:
        """Gives what the header keeps: a fresh salt and the cost."""
        return {
            "iterations": self.cost.iterations,
            "kind": _BY_ARGON2ID,
            "lanes": self.cost.lanes,
            "memory_kib": self.cost.memory_kib,
            "salt": os.urandom(SALT_BYTES).hex(),
        }

    def master_key(self, parameters: dict[str, Any]) -> bytearray:
        """Derives the key. The caller wipes it.

        Raises:
            VaultStartError: the store opens with a key file, or its header is damaged.
        """
        if parameters == {"kind": _BY_KEY_FILE}:
            raise _failed("this store opens with its master key file, not with a passphrase")
        try:
            kind = parameters["kind"]
            salt = bytes.fromhex(parameters["salt"])
            numbers = [parameters[name] for name in ("memory_kib", "iterations", "lanes")]
        except (KeyError, TypeError, ValueError):
            raise _damaged() from None
        if (
            kind != _BY_ARGON2ID
            or len(parameters) != 5
            or len(salt) != SALT_BYTES
            or any(type(number) is not int for number in numbers)
        ):
            raise _damaged()
        cost = Argon2Cost(*numbers)
        key = bytearray(MASTER_KEY_BYTES)
        # It takes any buffer, whatever its stub says; a bytes copy could never be wiped.
        Argon2id(
            salt=salt,
            length=MASTER_KEY_BYTES,
            iterations=cost.iterations,
            lanes=cost.lanes,
            memory_cost=cost.memory_kib,
        ).derive_into(cast(bytes, self.secret), key)
        return key


Unlock = KeyFile | Passphrase


def read_passphrase(fd: int) -> bytearray:
    """Reads a passphrase to the end of fd and closes it; one line ending is not part of it.

    Raises:
        VaultStartError: it is empty or longer than 4,096 bytes.
    """
    buffer = bytearray(MAX_PASSPHRASE_BYTES + 2)
    filled = 0
    try:
        with memoryview(buffer) as view:
            while filled < len(buffer) and (count := os.readv(fd, [view[filled:]])):
                filled += count
    except OSError:
        raise _failed("the passphrase cannot be read from its descriptor") from None
    finally:
        os.close(fd)
    secret = buffer[:filled]
    wipe(buffer)
    if secret.endswith(b"\n"):
        del secret[-1:]
    if not 1 <= len(secret) <= MAX_PASSPHRASE_BYTES:
        wipe(secret)
        raise _failed("a passphrase has 1 to 4,096 bytes")
    return secret


def _failed(message: str) -> VaultStartError:
    return VaultStartError("vault_unlock_failed", message)


def _exposed() -> VaultStartError:
    return VaultStartError(
        "vault_key_file_exposed",
        "the master key must be a plain file of the vault's own user with mode 0600; if anybody else could "
        "read it, treat every key in the store as known",
    )


def _damaged() -> VaultStartError:
    return VaultStartError("vault_store_corrupt", "the store's header is damaged; restore it from a backup")
