"""`bauta custodian`: the keys of somebody who decides, with others, whether a covered face is seen again."""

from __future__ import annotations

import json as json_format
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.asking import ask, ask_new_passphrase
from console.commands.options import JsonOption, say
from console.custody import Custody
from grpc_api.errors import invalid, unavailable
from keyvault.custody.card import CustodianCard
from keyvault.custody.identity_file import CustodianFile

app = typer.Typer(no_args_is_help=True, help="Make and show the keys of a custodian.")

_MODULE = typer.Option(help="A token's PKCS#11 module, to protect the keys by a token.", dir_okay=False)
_TOKEN = typer.Option(help="The token's label.")


@app.command("init")
def init(
    target: Annotated[Path, typer.Option("--output", "-o", help="The custodian's file to make.")],
    pkcs11_module: Annotated[Path | None, _MODULE] = None,
    pkcs11_token: Annotated[str | None, _TOKEN] = None,
    json: JsonOption = False,
) -> int:
    """Make a custodian's keys, under a passphrase from the terminal or stdin, or a token's PIN likewise.

    What a custody policy needs of them goes to stdout.
    """
    if target.exists():
        raise typer.BadParameter("The file exists; keys are never overwritten.")
    card = _in_own_process("init", target, protection_of(pkcs11_module, pkcs11_token, new=True))
    say(f"the keys are in {target}; without that file and what protects it, your share is of no use")
    _show(card)
    return 0


@app.command("show")
def show(
    file: Annotated[Path, typer.Argument(help="A custodian's file.", exists=True, dir_okay=False)],
    unlock: Annotated[
        bool, typer.Option("--unlock", help="Also open the private part, to see that it can be opened.")
    ] = False,
    pkcs11_module: Annotated[Path | None, _MODULE] = None,
    pkcs11_token: Annotated[str | None, _TOKEN] = None,
    json: JsonOption = False,
) -> int:
    """Show the public part of a custodian's keys, as it stands in a custody policy."""
    card = CustodianFile.read(file).card
    if unlock:
        opened = _in_own_process("unlock", file, protection_of(pkcs11_module, pkcs11_token))
        if opened != card:
            raise invalid("custodian_file_invalid", "The file was changed while it was read.")
        say("the private part opens")
    _show(card)
    return 0


def protection_of(module: Path | None, token: str | None, *, new: bool = False) -> Custody:
    """Turns a command's two options into what opens a custodian's keys, and asks for passphrase or PIN.

    Raises:
        typer.BadParameter: one of the two is missing.
    """
    if (module is None) != (token is None):
        raise typer.BadParameter("--pkcs11-module and --pkcs11-token go together.")
    if module is not None and token is not None:
        words = ("--pkcs11-module", str(module.absolute()), "--pkcs11-token", token)
        return Custody(words, "--pkcs11-pin-fd", ask(f"User PIN of the token {token}: ").encode())
    chosen = ask_new_passphrase("custodian's keys") if new else ask("Passphrase of the custodian's keys: ")
    return Custody((), "--passphrase-fd", chosen.encode())


def _in_own_process(action: str, file: Path, protection: Custody) -> CustodianCard:
    """Has the private part made or opened where nothing else is loaded.

    Raises:
        ServiceError: with the code of that process.
    """
    options = protection.vault_options()
    descriptors = [option for option in options if isinstance(option, int)]
    words = [sys.executable, "-I", "-m", "keyvault.custody", action, str(file.absolute()), *map(str, options)]
    try:
        answer = subprocess.run(words, pass_fds=descriptors, capture_output=True, check=False)
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    try:
        said = json_format.loads(answer.stdout)
    except ValueError:
        raise unavailable(
            "custodian_process_failed", "The process of the private keys did not answer."
        ) from None
    if "card" not in said:
        raise invalid(str(said.get("code")), str(said.get("message")))
    return CustodianCard.from_object(said["card"])


def _show(card: CustodianCard) -> None:
    output.result({**card.to_object(), "keys": card.keys}, card.policy_lines())
