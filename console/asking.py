"""Asking a person for a secret: not echoed, not on a command line; a program gives it on standard input."""

from __future__ import annotations

import getpass
import sys

import typer


def ask(prompt: str) -> str:
    """Asks for a secret on the terminal, or reads one line where there is none."""
    if sys.stdin.isatty():
        return getpass.getpass(prompt)
    return sys.stdin.readline().rstrip("\n")


def ask_new_passphrase(of_what: str) -> str:
    """Asks for a passphrase that somebody chooses; on a terminal twice.

    Raises:
        typer.BadParameter: it is empty, or the two differ.
    """
    chosen = ask(f"Passphrase for the {of_what}: ")
    if not chosen:
        raise typer.BadParameter("The passphrase is empty.")
    if sys.stdin.isatty() and ask("The same again: ") != chosen:
        raise typer.BadParameter("The two passphrases differ.")
    return chosen
