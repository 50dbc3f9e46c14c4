"""What a submission says of its source, and what lets it in: options of every command that hands a job in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console.asking import ask
from keyvault.submitter.key_files import read_source
from keyvault.submitter.papers import MAX_PAPER_BYTES, token_from_bytes
from keyvault.submitter.pseudonyms import SubmitterSecret
from keyvault.submitter.submission_key import SubmissionKey

SourceOption = Annotated[
    Path | None,
    typer.Option(
        "--source",
        help="Give this submission a key of your own (see `bauta source init`): later you alone can show "
        "that it is yours, if you want to. Asks for the passphrase, or reads stdin.",
        exists=True,
        dir_okay=False,
    ),
]
AdmissionTokenOption = Annotated[
    Path | None,
    typer.Option(
        "--token",
        help="A token of admission (see `bauta token`), for a service that asks for one. It is used up.",
        exists=True,
        dir_okay=False,
    ),
]


def open_source(path: Path) -> SubmitterSecret:
    """Opens a source's secret with the passphrase that its owner gives.

    Raises:
        KeyvaultError: `source_file_invalid`.
        OSError: it cannot be read.
    """
    return read_source(path, lambda: ask("Passphrase of the source's secret: "))


def submission_key_for(source: Path | None) -> SubmissionKey:
    """Draws the key of a new submission; one of nobody's without a source.

    Every submission has one, so that those of people who keep a secret do not stand out.

    Raises:
        KeyvaultError: `source_file_invalid`.
        OSError: the file cannot be read.
    """
    return SubmissionKey.of_nobody() if source is None else SubmissionKey.draw(open_source(source))


def token_for(path: Path | None) -> bytes:
    """Reads a token of admission; nothing without one.

    Raises:
        KeyvaultError: `paper_invalid`.
        OSError: the file cannot be read.
    """
    return b"" if path is None else token_from_bytes(read_paper(path))


def read_paper(path: Path) -> bytes:
    """Reads one of the small files of `keyvault.submitter.papers`, whatever is in it.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        return file.read(MAX_PAPER_BYTES + 2)
