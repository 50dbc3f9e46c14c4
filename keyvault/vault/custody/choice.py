"""From the command line's words to one custodian."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from keyvault.vault.custody.contract import Custodian
from keyvault.vault.custody.installed import InstalledCustodian
from keyvault.vault.custody.key_file import KeyFile
from keyvault.vault.custody.passphrase import Passphrase, read_passphrase
from keyvault.vault.custody.token import Token
from keyvault.vault.errors import VaultStartError

KEY_FILE_NAME = "master.key"


@dataclass(frozen=True)
class CustodyChoice:
    """Who keeps the master key; with nothing chosen, a key file in the vault's folder.

    Attributes:
        passphrase_fd: where a passphrase is read from.
        pkcs11_module: a vendor's module, with the two that follow.
        pkcs11_token: the token's label.
        pkcs11_pin_fd: where its user PIN is read from.
        custodian: the name of an installed custodian.
        custodian_config: its configuration file, if it wants one.

    Raises:
        VaultStartError: vault_config_invalid, two of them or half of one.
    """

    passphrase_fd: int | None = None
    pkcs11_module: Path | None = None
    pkcs11_token: str | None = None
    pkcs11_pin_fd: int | None = None
    custodian: str | None = None
    custodian_config: Path | None = None

    def __post_init__(self) -> None:
        token = (self.pkcs11_module, self.pkcs11_token or None, self.pkcs11_pin_fd)
        chosen = [
            self.passphrase_fd is not None,
            any(part is not None for part in token),
            bool(self.custodian),
        ]
        if sum(chosen) > 1:
            raise VaultStartError(
                "vault_config_invalid", "choose one of passphrase, token and custodian for the master key"
            )
        if chosen[1] and None in token:
            raise VaultStartError("vault_config_invalid", "a token takes a module, a label and a PIN")
        if self.custodian_config is not None and not self.custodian:
            raise VaultStartError(
                "vault_config_invalid", "there is a custodian's configuration and no custodian"
            )

    @contextmanager
    def open(self, folder: Path) -> Iterator[Custodian]:
        """The custodian, for as long as the store takes to open; then its PIN or passphrase is wiped.

        Raises:
            VaultStartError: the passphrase or the PIN cannot be read.
        """
        custodian = self._make(folder)
        try:
            yield custodian
        finally:
            custodian.close()

    def _make(self, folder: Path) -> Custodian:
        if self.passphrase_fd is not None:
            return Passphrase(read_passphrase(self.passphrase_fd))
        if self.pkcs11_module is not None and self.pkcs11_token and self.pkcs11_pin_fd is not None:
            pin = read_passphrase(self.pkcs11_pin_fd, inheritable=True)
            return Token(self.pkcs11_module, self.pkcs11_token, pin)
        if self.custodian:
            return InstalledCustodian(self.custodian, self.custodian_config)
        return KeyFile(folder / KEY_FILE_NAME)
