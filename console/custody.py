"""Who keeps the vault's master key, as `bauta serve` was told; in the vault's own words, for each start."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import typer

from console.asking import ask

_MAX_SECRET_BYTES = 8 << 10


@dataclass(frozen=True)
class Custody:
    """One choice. The secret stays in this process, since a vault that died is started again.

    Attributes:
        words: the vault's options that hold no secret.
        secret_option: the option that takes a descriptor to read the secret from, if there is one.
        secret: a passphrase or a PIN.
    """

    words: tuple[str, ...] = ()
    secret_option: str | None = None
    secret: bytes = field(default=b"", repr=False)

    def vault_options(self) -> tuple[str | int, ...]:
        """The vault's options for one start; whole numbers are descriptors, to be closed by the caller."""
        if self.secret_option is None:
            return self.words
        read_end, write_end = os.pipe()
        try:
            # Less than a pipe holds; a longer one is refused by the vault for its length.
            os.write(write_end, self.secret[:_MAX_SECRET_BYTES])
        finally:
            os.close(write_end)
        return (*self.words, self.secret_option, read_end)


def choose(
    *,
    ask_passphrase: bool,
    pkcs11_module: Path | None,
    pkcs11_token: str | None,
    custodian: str | None,
    custodian_config: Path | None,
) -> Custody:
    """Turns the options of `bauta serve` into a choice, and asks for the passphrase or the PIN.

    Raises:
        typer.BadParameter: they name two custodians or half of one.
    """
    if (pkcs11_module is None) != (pkcs11_token is None):
        raise typer.BadParameter("--pkcs11-module and --pkcs11-token go together.")
    if custodian_config is not None and custodian is None:
        raise typer.BadParameter("--custodian-config goes with --custodian.")
    if sum((ask_passphrase, pkcs11_module is not None, custodian is not None)) > 1:
        raise typer.BadParameter("Choose one: --ask-passphrase, --pkcs11-module, or --custodian.")
    if ask_passphrase:
        return Custody((), "--passphrase-fd", ask("Vault passphrase: ").encode())
    if pkcs11_module is not None and pkcs11_token is not None:
        words = ("--pkcs11-module", str(pkcs11_module), "--pkcs11-token", pkcs11_token)
        return Custody(words, "--pkcs11-pin-fd", ask(f"User PIN of the token {pkcs11_token}: ").encode())
    if custodian is not None:
        config = () if custodian_config is None else ("--custodian-config", str(custodian_config.absolute()))
        return Custody(("--custodian", custodian, *config))
    return Custody()
