"""A pseudonym and its scope, read from a file or asked for: names that never stand on a command line."""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Annotated

import typer

from console.asking import ask
from enclave.errors import PreambleError
from enclave.policy import Instructions

# Two names of 64 characters, four bytes each, and their line ends.
_MAX_FILE_BYTES = 1 << 10

PseudonymFileOption = Annotated[
    Path | None,
    typer.Option(
        "--pseudonym-file",
        metavar="FILE",
        help="Two lines, a pseudonym and a scope: the same persona in every video under both.",
        exists=True,
        dir_okay=False,
    ),
]
AskPseudonymOption = Annotated[
    bool, typer.Option("--ask-pseudonym", help="Ask for both on the terminal, or read them from stdin.")
]


def instructions_for(pseudonym_file: Path | None, ask_pseudonym: bool) -> Instructions:
    """Gives what the worker is told of a pseudonym; nothing without one.

    Raises:
        typer.BadParameter: both ways were chosen, or what came is not two names.
    """
    if pseudonym_file is not None and ask_pseudonym:
        raise typer.BadParameter("Choose one: --pseudonym-file or --ask-pseudonym.")
    if ask_pseudonym:
        return _instructions(ask("Pseudonym: "), ask("Scope: "))
    if pseudonym_file is None:
        return Instructions()
    try:
        with pseudonym_file.open("rb") as file:
            text = file.read(_MAX_FILE_BYTES).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("The pseudonym file cannot be read as UTF-8 text.") from None
    lines = text.splitlines()
    if len(lines) != 2:
        raise typer.BadParameter("The pseudonym file must hold two lines: the pseudonym and its scope.")
    return _instructions(*lines)


def _instructions(pseudonym: str, scope: str) -> Instructions:
    # However a keyboard spells an accent, and whatever blanks surround it: one name, one persona.
    pseudonym, scope = (unicodedata.normalize("NFC", name.strip()) for name in (pseudonym, scope))
    try:
        instructions = Instructions(pseudonym, scope)
    except PreambleError as error:
        raise typer.BadParameter(f"{str(error)[0].upper()}{str(error)[1:]}.") from None
    if not instructions:
        raise typer.BadParameter("The pseudonym and its scope are empty.")
    return instructions
