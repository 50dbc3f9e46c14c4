"""A custodian that an operator installs as a Python package, found by its entry point.

The package's metadata says, in the group `bauta.custodians`, `NAME = "module:make"`; `make(config)` takes the
path of a configuration file, or None, and gives a `Custodian`. It is imported, made and called in a child
process (`apart`), once for each call; nothing of it is ever loaded into the vault.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any, ClassVar, Final

from keyvault.vault.custody.apart import DEFAULT_TIMEOUT_SECONDS, call_apart
from keyvault.vault.custody.contract import MASTER_KEY_BYTES, Custodian, Parameters
from keyvault.vault.custody.errors import CustodyError
from keyvault.vault.custody.local import damaged, require_fields
from keyvault.vault.memory import Secret

ENTRY_POINT_GROUP: Final = "bauta.custodians"


@dataclass(frozen=True)
class InstalledCustodian(Custodian):
    """Unlocks with what a package of the operator's choice does, such as a call to a cloud KMS.

    Attributes:
        name: of its entry point.
        config: handed to it.
        timeout_seconds: for one call, with all its retries.
    """

    name: str
    config: Path | None = None
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    kind: ClassVar[str] = "installed"

    def wrap(self, master_key: memoryview, store_id: bytes) -> Parameters:
        """See `Custodian`.

        Raises:
            CustodyError: its own, or a vault_custodian_… code.
        """
        with Secret(MASTER_KEY_BYTES, inheritable=True) as handed_over:
            handed_over.view[:] = master_key
            kept = call_apart(
                lambda: self._load().wrap(handed_over.view.toreadonly(), store_id),
                timeout_seconds=self.timeout_seconds,
            )
        return {"kept": kept, "name": self.name}

    def unwrap(self, parameters: Mapping[str, Any], store_id: bytes, into: memoryview) -> None:
        """See `Custodian`.

        Raises:
            CustodyError: its own, or a vault_custodian_… code.
        """
        require_fields(parameters, "kept", "name")
        kept = parameters["kept"]
        if not isinstance(kept, dict):
            raise damaged()
        if parameters["name"] != self.name:
            raise CustodyError("vault_unlock_failed", "this store was locked by another custodian")

        def unwrap_there() -> Parameters:
            self._load().unwrap(kept, store_id, handed_over.view)
            return {}

        with Secret(MASTER_KEY_BYTES, inheritable=True) as handed_over:
            call_apart(unwrap_there, timeout_seconds=self.timeout_seconds)
            into[:] = handed_over.view

    def _load(self) -> Custodian:
        found = metadata.entry_points(group=ENTRY_POINT_GROUP, name=self.name)
        if len(found) != 1:
            raise CustodyError("vault_custodian_unknown")
        custodian = next(iter(found)).load()(self.config)
        if not isinstance(custodian, Custodian):
            raise CustodyError("vault_custodian_failed")
        return custodian
