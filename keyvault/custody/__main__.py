"""`python -m keyvault.custody`: a custodian's private keys, in a process of their own.

The console starts it, since nothing that speaks to a service may load private keys. It prints one JSON
object: the card, or a code and a sentence. Passphrase and PIN come on a descriptor. As `act` it goes on: each
further line on its standard input is a task (`acting`), each further line that it prints the answer.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keyvault.custody.acting import MAX_TASK_BYTES, act
from keyvault.custody.errors import CustodianError
from keyvault.custody.identity import CustodianIdentity, make_custodian, open_custodian
from keyvault.custody.identity_file import CustodianFile
from keyvault.errors import KeyvaultError
from keyvault.key_file import write_key_file
from keyvault.vault.custody.choice import CustodyChoice
from keyvault.vault.hardening import harden_process
from provenance import canonical
from provenance.errors import ProvenanceError


def main(arguments: list[str] | None = None) -> int:
    """Makes a custodian's file, or opens one to show that it can be; 1 when it cannot."""
    given = _parser().parse_args(arguments)
    try:
        harden_process()
        choice = CustodyChoice(
            passphrase_fd=given.passphrase_fd,
            pkcs11_module=given.pkcs11_module,
            pkcs11_token=given.pkcs11_token,
            pkcs11_pin_fd=given.pkcs11_pin_fd,
        )
        if choice == CustodyChoice():
            raise CustodianError("custodian_unprotected", "a custodian's keys take a passphrase or a token")
        if given.action == "init":
            card = _init(given.file, choice)
        else:
            keys = _unlock(given.file, choice)
            card = keys.card.to_object()
    except KeyvaultError as reason:
        return _refuse(reason.code, str(reason))
    except FileExistsError:
        return _refuse("custodian_file_exists", "the file exists; keys are never overwritten")
    except OSError:
        return _refuse("custodian_file_unusable", "the file cannot be read or written")
    _say({"card": card})
    if given.action == "act":
        _act(keys)
    return 0


def _init(path: Path, choice: CustodyChoice) -> dict[str, str]:
    with choice.open(path.parent) as protection:
        made = make_custodian(protection)
    write_key_file(path, made.to_bytes(), None)
    return made.card.to_object()


def _unlock(path: Path, choice: CustodyChoice) -> CustodianIdentity:
    file = CustodianFile.read(path)
    with choice.open(path.parent) as protection:
        return open_custodian(file, protection)


def _act(keys: CustodianIdentity) -> None:
    """Does task after task, until there is no more."""
    while line := sys.stdin.buffer.readline(MAX_TASK_BYTES + 1):
        try:
            _say(act(keys, line.removesuffix(b"\n"), datetime.now(UTC)))
        except (KeyvaultError, ProvenanceError) as reason:
            _refuse(reason.code, str(reason))


def _refuse(code: str, message: str) -> int:
    _say({"code": code, "message": message})
    return 1


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(canonical.dumps(answer).decode() + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m keyvault.custody", allow_abbrev=False)
    parser.add_argument("action", choices=("init", "unlock", "act"))
    parser.add_argument("file", type=Path)
    parser.add_argument("--passphrase-fd", type=int, metavar="FD")
    parser.add_argument("--pkcs11-module", type=Path, metavar="FILE")
    parser.add_argument("--pkcs11-token", metavar="LABEL")
    parser.add_argument("--pkcs11-pin-fd", type=int, metavar="FD")
    return parser


if __name__ == "__main__":
    sys.exit(main())
