"""A passphrase through Argon2id (RFC 9106): for machines where a person starts the service."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keyvault.vault.custody.contract import MASTER_KEY_BYTES, Custodian, Parameters
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.custody.local import damaged, hex_bytes, require_fields, unwrap_under, wrap_under
from keyvault.vault.memory import Secret

MAX_PASSPHRASE_BYTES = 4096
SALT_BYTES = 16

_COST_FIELDS = ("memory_kib", "iterations", "lanes")


@dataclass(frozen=True)
class Argon2Cost:
    """What one guess costs; kept in the store's header, so that it can be raised for new stores.

    Attributes:
        memory_kib: memory of one guess.
        iterations: passes over it.
        lanes: independent lanes.

    Raises:
        CustodyError: vault_store_corrupt, out of all reason.
    """

    memory_kib: int = 64 << 10
    iterations: int = 3
    lanes: int = 4

    def __post_init__(self) -> None:
        # The header is not yet authenticated when this is read: bound what it can make us spend.
        if not (
            8 << 10 <= self.memory_kib <= 1 << 20 and 1 <= self.iterations <= 16 and 1 <= self.lanes <= 16
        ):
            raise CustodyError("vault_store_corrupt", "the store's header asks for an impossible Argon2id")


@dataclass(frozen=True)
class Passphrase(Custodian):
    """Unlocks with a passphrase.

    Attributes:
        secret: its bytes; wiped by `close`.
        cost: for a store that is made now; an existing one keeps its own.
    """

    secret: Secret = field(repr=False)
    cost: Argon2Cost = Argon2Cost()
    kind: ClassVar[str] = "argon2id"

    def wrap(self, master_key: memoryview, store_id: bytes) -> Parameters:
        """See `Custodian`. The header keeps a fresh salt and the cost beside the wrapped key."""
        salt = os.urandom(SALT_BYTES)
        with Secret(MASTER_KEY_BYTES) as wrapping_key:
            self._derive(salt, self.cost, wrapping_key.view)
            wrapped = wrap_under(wrapping_key.view, master_key, store_id)
        numbers = {name: getattr(self.cost, name) for name in _COST_FIELDS}
        return {**numbers, "salt": salt.hex(), "wrapped": wrapped}

    def unwrap(self, parameters: Mapping[str, Any], store_id: bytes, into: memoryview) -> None:
        """See `Custodian`.

        Raises:
            CustodyError: vault_unlock_failed or vault_store_corrupt.
        """
        # Stores of version 0.1.0 have nothing wrapped: what Argon2id gives is the master key itself.
        wrapped = {"wrapped"} & parameters.keys()
        require_fields(parameters, *_COST_FIELDS, "salt", *wrapped)
        numbers = [parameters[name] for name in _COST_FIELDS]
        if any(type(number) is not int for number in numbers):
            raise damaged()
        salt, cost = hex_bytes(parameters["salt"], SALT_BYTES), Argon2Cost(*numbers)
        if not wrapped:
            self._derive(salt, cost, into)
            return
        with Secret(MASTER_KEY_BYTES) as wrapping_key:
            self._derive(salt, cost, wrapping_key.view)
            unwrap_under(
                wrapping_key.view, parameters["wrapped"], store_id, into, broken_code="vault_unlock_failed"
            )

    def close(self) -> None:
        """Wipes the passphrase."""
        self.secret.close()

    def _derive(self, salt: bytes, cost: Argon2Cost, into: memoryview) -> None:
        # It takes any buffer, whatever its stub says; a bytes copy could never be wiped.
        Argon2id(
            salt=salt,
            length=MASTER_KEY_BYTES,
            iterations=cost.iterations,
            lanes=cost.lanes,
            memory_cost=cost.memory_kib,
        ).derive_into(cast(bytes, self.secret.view), into)


def read_passphrase(fd: int, *, inheritable: bool = False) -> Secret:
    """Reads a passphrase, or a PIN, to the end of fd and closes it; one line ending is not part of it.

    Args:
        fd: a pipe or a file.
        inheritable: see `Secret`.

    Raises:
        CustodyError: vault_unlock_failed, it is empty or longer than 4,096 bytes.
    """
    with Secret(MAX_PASSPHRASE_BYTES + 2) as buffer:
        filled = 0
        try:
            while filled < len(buffer) and (count := os.readv(fd, [buffer.view[filled:]])):
                filled += count
        except OSError:
            raise CustodyError(
                "vault_unlock_failed", "the passphrase or PIN cannot be read from its descriptor"
            ) from None
        finally:
            os.close(fd)
        if filled and buffer.view[filled - 1] == ord("\n"):
            filled -= 1
        if not 1 <= filled <= MAX_PASSPHRASE_BYTES:
            raise CustodyError("vault_unlock_failed", "a passphrase or PIN has 1 to 4,096 bytes")
        secret = Secret(filled, inheritable=inheritable)
        secret.view[:] = buffer.view[:filled]
        return secret
