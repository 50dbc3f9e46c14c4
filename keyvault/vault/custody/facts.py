"""What protects a store, said without opening it: for `bauta doctor`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from keyvault.vault.custody.installed import InstalledCustodian
from keyvault.vault.custody.key_file import KeyFile
from keyvault.vault.custody.passphrase import Passphrase
from keyvault.vault.custody.token import Token
from keyvault.vault.hardening import harden_process
from keyvault.vault.memory import memory_protection
from provenance import canonical
from provenance.errors import ProvenanceError

_KINDS = (KeyFile.kind, Passphrase.kind, Token.kind, InstalledCustodian.kind)
_MAX_HEADER_BYTES = 64 << 10


@dataclass(frozen=True)
class StoreFacts:
    """What `bauta doctor` tells.

    Attributes:
        custody: "key-file", "argon2id" (a passphrase), "pkcs11", "installed", "none" for no store yet, or
            "unreadable". What the header says; it is authenticated only when the store opens.
        custodian: the name of an installed custodian, else "".
        vault_memory: "secretmem", "locked" or "best_effort": for what is kept in `keyvault.vault.memory`.
        is_all_memory_locked: whether the rest of the vault cannot be swapped either (needs CAP_IPC_LOCK or
            an unlimited RLIMIT_MEMLOCK).
    """

    custody: str
    custodian: str
    vault_memory: str
    is_all_memory_locked: bool


def store_facts(folder: Path) -> StoreFacts:
    """Reads the header of the vault's folder, and tries the memory protections of this process.

    It hardens the process that it runs in, which is not undone: see `__main__`.

    Raises:
        VaultStartError: vault_hardening_failed.
    """
    is_all_memory_locked = harden_process()
    custody, custodian = _custody_of(folder / "keystore" / "header.json")
    return StoreFacts(custody, custodian, str(memory_protection()), is_all_memory_locked)


def _custody_of(header: Path) -> tuple[str, str]:
    try:
        with header.open("rb") as file:
            unlock = canonical.loads(file.read(_MAX_HEADER_BYTES))["unlock"]
        kind, name = unlock["kind"], unlock.get("name", "")
    except FileNotFoundError:
        return "none", ""
    except (OSError, ProvenanceError, KeyError, TypeError, AttributeError):
        return "unreadable", ""
    if kind not in _KINDS or not isinstance(name, str):
        return "unreadable", ""
    return kind, name
