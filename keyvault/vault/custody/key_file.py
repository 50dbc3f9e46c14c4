"""A file of 32 random bytes beside the store: for machines that must start by themselves.

It keeps a stolen store shut only while the file is not stolen with it.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from keyvault.vault.custody.contract import MASTER_KEY_BYTES, Custodian, Parameters
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.custody.local import require_fields, unwrap_under, wrap_under
from keyvault.vault.durable import FILE_MODE, write_durably
from keyvault.vault.memory import Secret


@dataclass(frozen=True)
class KeyFile(Custodian):
    """Unlocks with a key file that is made on the first start.

    Attributes:
        path: where it lies. A file that is there already is used, never replaced: it may be the key of a
            store that is about to be restored.
    """

    path: Path
    kind: ClassVar[str] = "key-file"

    def wrap(self, master_key: memoryview, store_id: bytes) -> Parameters:
        """See `Custodian`.

        Raises:
            CustodyError: vault_unlock_failed or vault_key_file_exposed.
            OSError: the disk fails.
        """
        if not os.path.lexists(self.path):
            with Secret.random(MASTER_KEY_BYTES) as fresh:
                write_durably(self.path, fresh.view)
        with Secret(MASTER_KEY_BYTES) as wrapping_key:
            self._read(wrapping_key.view)
            return {"wrapped": wrap_under(wrapping_key.view, master_key, store_id)}

    def unwrap(self, parameters: Mapping[str, Any], store_id: bytes, into: memoryview) -> None:
        """See `Custodian`.

        Raises:
            CustodyError: vault_unlock_failed: the file is missing, another one or not 32 bytes;
                vault_key_file_exposed: a link, or open to anybody else.
            OSError: the disk fails.
        """
        if not parameters:
            # Stores of version 0.1.0: the file is the master key itself.
            self._read(into)
            return
        require_fields(parameters, "wrapped")
        with Secret(MASTER_KEY_BYTES) as wrapping_key:
            self._read(wrapping_key.view)
            unwrap_under(
                wrapping_key.view, parameters["wrapped"], store_id, into, broken_code="vault_unlock_failed"
            )

    def _read(self, into: memoryview) -> None:
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise CustodyError(
                "vault_unlock_failed",
                "the master key file is gone; put it back, a store does not open without",
            ) from None
        except OSError as fault:
            if fault.errno in (errno.ELOOP, errno.EACCES):
                raise CustodyError("vault_key_file_exposed") from None
            raise
        try:
            facts = os.fstat(fd)
            if (
                not stat.S_ISREG(facts.st_mode)
                or stat.S_IMODE(facts.st_mode) & ~FILE_MODE
                or facts.st_uid != os.geteuid()
            ):
                raise CustodyError("vault_key_file_exposed")
            if facts.st_size != MASTER_KEY_BYTES or os.readv(fd, [into]) != MASTER_KEY_BYTES:
                raise CustodyError("vault_unlock_failed", "the master key file does not hold 32 bytes")
        finally:
            os.close(fd)
