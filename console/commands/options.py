"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.report.verdict import read_trust
from enclave.policy import Policy, parse_policy, shipped
from grpc_api.errors import invalid
from provenance.trust import Trust

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="The data folder.", envvar="BAUTA_DATA", show_default="the user's data folder"
    ),
]
JsonOption = Annotated[bool, output.json_option()]


def find_policy(name_or_file: str) -> Policy:
    """A shipped policy by name, or one of the user's own by path.

    Raises:
        typer.BadParameter: there is no such policy.
        EnclaveError: the file is no valid policy; the message names the key.
    """
    policies = shipped()
    if name_or_file in policies:
        return policies[name_or_file]
    path = Path(name_or_file)
    if path.suffix != ".toml" and not path.is_file():
        names = ", ".join(sorted(policies))
        raise typer.BadParameter(
            f"There is no policy of that name. Shipped are: {names}; or name a TOML file."
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("The policy file cannot be read as UTF-8 text.") from None
    return parse_policy(text)


def load_trust(path: Path) -> Trust:
    """Reads a trust file.

    Raises:
        ServiceError: `trust_missing`.
        ProvenanceError: the file is no trust file.
    """
    return Trust.from_bytes(read_trust_file(path))


def read_trust_file(path: Path) -> bytes:
    """Reads a trust file's bytes, whatever they are.

    Raises:
        ServiceError: `trust_missing`.
    """
    try:
        return read_trust(path)
    except OSError:
        raise invalid(
            "trust_missing",
            "There is no trust file here. The embedded service writes one at its first start; "
            "for another service, ask its operator and name the file with --trust.",
        ) from None


def say(text: str) -> None:
    """A line for people on stderr."""
    if not output.MODE.as_json:
        sys.stderr.write(text + "\n")
