"""`bauta disclose redeal`: a custodian hands their part of a job's key on, to others or to new shares."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption
from console.custody_policy import read_custody_policy
from console.disclosing import (
    KeysOption,
    ModuleOption,
    ServerOption,
    TlsOption,
    TokenOption,
    TrustOption,
    Where,
    seated,
)
from grpc_api.client.resharing import require_dealer


def redeal(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's number: 32 hexadecimal digits.")],
    to: Annotated[
        Path,
        typer.Option(
            "--to",
            metavar="POLICY.toml",
            help="The custody policy that is to decide, the same text for every dealer; the one in force "
            "gives the same people new shares.",
            exists=True,
            dir_okay=False,
        ),
    ],
    keys: KeysOption,
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Hand your part of a job's recovery key on: to other custodians, or to new shares for the same ones.

    Your share is divided in the process of your keys, and each part sealed to one new custodian. Once enough
    of those who decide so far have done this, the new policy decides and the old shares are refused. The
    job's open requests end with the first. It cannot be taken back.
    """
    policy = read_custody_policy(to)
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        kept = seat.client.custody(job)
        require_dealer(kept.succession, seat.keys.card.key)
        made = seat.keys.redeal(
            kept.policy.text, kept.sharing.to_bytes(), job, kept.sealed_share, policy.text
        )
        recorded, is_in_force = seat.client.redeal(
            job, made.envelope, seat.keys.card.key, made.redealt, policy.text, made.parts
        )
    stands = "it decides from here on" if is_in_force else "more custodians have to deal before it decides"
    document = {
        "job": job,
        "custody_policy": policy.digest.hex(),
        "custodians": [entry.name for entry in policy.custodians.values()],
        "log_index": recorded.log_index,
        "in_force": is_in_force,
    }
    output.result(document, f"dealt to the policy {policy.name}, on record at {recorded.log_index}; {stands}")
    return 0
