"""The custody policy that goes with a job: who together can have what was covered uncovered."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enclave.policy import Policy
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy

CustodyOption = Annotated[
    Path | None,
    typer.Option(
        help="A custody policy, TOML: under a policy that keeps what it covers, who together can have it "
        "uncovered.",
        dir_okay=False,
    ),
]


def custody_for(file: Path | None, policy: Policy) -> CustodyPolicy | None:
    """Reads the custody policy where the policy wants one.

    Raises:
        typer.BadParameter: it wants one and there is none, or the other way round; the file cannot be read.
        CustodianError: custody_policy_invalid; the message names the key.
    """
    if policy.recovery.keeps and file is None:
        raise typer.BadParameter(
            f"The policy {policy.name} keeps what it covers for custodians: say by --custody who they are."
        )
    if file is None:
        return None
    if not policy.recovery.keeps:
        raise typer.BadParameter(
            f"The policy {policy.name} keeps nothing: custodians have nothing to decide."
        )
    return read_custody_policy(file)


def read_custody_policy(file: Path) -> CustodyPolicy:
    """Reads a custody policy.

    Raises:
        typer.BadParameter: the file cannot be read.
        CustodianError: custody_policy_invalid; the message names the key.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("The custody policy cannot be read as UTF-8 text.") from None
    return parse_custody_policy(text)
