"""`bauta consent`: agree to be seen again, on record; and take it back, which erases."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.erase import tell_unwitnessed
from console.commands.options import DataOption, JsonOption
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
from console.report.saving import write_whole
from console.report.verdict import read_proof
from grpc_api.client.erasures import give_consent, withdraw_consent
from provenance.proof import ProofFile
from provenance.statements import ConsentFacts, ConsentWithdrawalFacts
from provenance.statements.fields import format_instant
from provenance.statements.vocabulary import PURPOSES

app = typer.Typer(no_args_is_help=True, help="Agree to be seen again, on record; and take it back.")


@app.command()
def give(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's number: 32 hexadecimal digits.")],
    keys: KeysOption,
    tracks: Annotated[list[int], typer.Option("--track", help="Your track; may be repeated.", min=0)],
    purposes: Annotated[
        list[str],
        typer.Option("--purpose", metavar="PURPOSE", help=f"One of: {', '.join(PURPOSES)}; may be repeated."),
    ],
    proof: Annotated[
        Path,
        typer.Option("--output", "-o", help="Where the proof goes; you need it to take the consent back."),
    ],
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Record that somebody agrees to be seen again for some purposes; signed with their own keys.

    Over the connection of whoever handed the job in: they alone can vouch for whose track it is.
    """
    if proof.exists():
        raise typer.BadParameter(f"{proof.name} is there already; name another.")
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        facts = ConsentFacts(
            job_id=job,
            tracks=tuple(sorted(set(tracks))),
            purposes=tuple(sorted(set(purposes))),
            giver_key_sha256=seat.keys.card.keys,
            given_at=format_instant(datetime.now(UTC)),
        )
        envelope = seat.keys.sign(facts.to_statement())
        write_whole(proof, give_consent(seat.connection, seat.trust, envelope, seat.keys.card.key))
        tell_unwitnessed(seat.trust)
    output.result({"consent": envelope.digest.hex(), "proof": str(proof), **facts.predicate()}, str(proof))
    return 0


@app.command()
def withdraw(
    consent: Annotated[
        Path, typer.Argument(metavar="PROOF", help="The consent's proof.", exists=True, dir_okay=False)
    ],
    keys: KeysOption,
    proof: Annotated[Path, typer.Option("--output", "-o", help="Where the proof of the withdrawal goes.")],
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Take a consent back: on record, and what could uncover its tracks is destroyed for good."""
    if proof.exists():
        raise typer.BadParameter(f"{proof.name} is there already; name another.")
    given = ProofFile.from_bytes(read_proof(consent)).statement
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        facts = ConsentWithdrawalFacts(
            consent_sha256=given.digest.hex(),
            giver_key_sha256=seat.keys.card.keys,
            withdrawn_at=format_instant(datetime.now(UTC)),
        )
        envelope = seat.keys.sign(facts.to_statement())
        written, erased = withdraw_consent(seat.connection, seat.trust, envelope)
        write_whole(proof, written)
        tell_unwitnessed(seat.trust)
    tracks = sorted(track for one, _ in erased for track in one.tracks)
    document = {"withdrawn": facts.consent_sha256, "proof": str(proof), "tracks_erased": tracks}
    text = f"{proof}\nerased: {', '.join(map(str, tracks)) or 'nothing was left to erase'}"
    output.result(document, text)
    return 0
