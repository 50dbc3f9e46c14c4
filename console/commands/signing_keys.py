"""A signing key of a person's or a device's own: made, kept in a file, its public half shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Protocol

import typer

from console import output
from console.asking import ask_new_passphrase
from provenance.keys import HybridPublicKey
from provenance.trust import format_public_key

PassphraseOption = Annotated[
    bool,
    typer.Option("--ask-passphrase", help="Seal the file under a passphrase from the terminal or stdin."),
]


class SigningKey(Protocol):
    """A private key that can be kept in a file."""

    def write(self, path: Path, passphrase: str | None) -> None:
        """Writes a new file; FileExistsError where there is one."""


def keep_key(made: SigningKey, target: Path, called: str, *, ask_passphrase: bool) -> None:
    """Writes a key that was just made.

    Raises:
        typer.BadParameter: the file exists, or no passphrase was chosen.
    """
    try:
        made.write(target, ask_new_passphrase(called) if ask_passphrase else None)
    except FileExistsError:
        raise typer.BadParameter("The file exists; a key is never overwritten.") from None


def show_public(public: HybridPublicKey) -> None:
    """Puts the public half on stdout, as trust files name it."""
    text = format_public_key(public).decode()
    output.result(json.loads(text), text.rstrip("\n"))
