"""`bauta disclose`: ask to see a covered face again, decide on it with others, and get what was released."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, say
from console.commands.redeal import redeal
from console.disclosing import (
    KeysOption,
    ModuleOption,
    NameArgument,
    ServerOption,
    TlsOption,
    TokenOption,
    TrustOption,
    Where,
    document_of,
    line_of,
    lines_of,
    read_name,
    read_stretches,
    seated,
)
from console.paths import data_folder
from console.report.saving import would_overwrite, write_whole
from console.sending import read_identity, service
from console.sheet_page import render
from grpc_api.client.disclosures import DisclosureClient
from grpc_api.client.notices import read_notices
from grpc_api.errors import invalid, precondition
from keyvault.custody.policy import CustodyPolicy
from keyvault.recovery.sheet import RecoverySheet
from provenance.statements import DisclosureCancellationFacts, DisclosureRequestFacts
from provenance.statements.fields import format_instant
from provenance.statements.vocabulary import DENIAL_REASONS, LEGAL_BASES, PURPOSES

app = typer.Typer(
    no_args_is_help=True, help="Ask to see a covered face again; decide on it; get what was released."
)

app.command()(redeal)


@app.command()
def request(
    job: Annotated[str, typer.Argument(metavar="JOB", help="The job's number: 32 hexadecimal digits.")],
    keys: KeysOption,
    tracks: Annotated[list[int], typer.Option("--track", help="A track to be seen; may be repeated.", min=0)],
    stretches: Annotated[
        list[str],
        typer.Option(
            "--stretch", metavar="SECONDS-SECONDS", help="A stretch of the result; may be repeated."
        ),
    ],
    purpose: Annotated[str, typer.Option(metavar="PURPOSE", help=f"One of: {', '.join(PURPOSES)}.")],
    basis: Annotated[str, typer.Option(metavar="BASIS", help=f"One of: {', '.join(LEGAL_BASES)}.")],
    hours: Annotated[int, typer.Option(help="How long the request stands.", min=1)] = 72,
    recipient: Annotated[
        str | None,
        typer.Option(
            metavar="age1pq1…", help="To whom it is to be sealed.", show_default="your keys' own recipient"
        ),
    ] = None,
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Ask custodians to have some tracks of a job uncovered, for some time, to one recipient.

    The request is put on record before anybody sees it, and again whenever something becomes of it.
    """
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        kept = seat.client.custody(job)
        _require_asker(kept.policy, seat.keys.card.keys)
        now = datetime.now(UTC)
        facts = DisclosureRequestFacts(
            job_id=job,
            job_statement_sha256=kept.statement.digest.hex(),
            custody_policy_sha256=kept.policy.digest.hex(),
            tracks=tuple(sorted(set(tracks))),
            stretches=read_stretches(stretches),
            purpose=purpose,
            legal_basis=basis,
            recipient=recipient or str(seat.keys.card.recipient),
            requester_key_sha256=seat.keys.card.keys,
            requested_at=format_instant(now),
            expires_at=format_instant(now + timedelta(hours=hours)),
        )
        envelope = seat.keys.sign(facts.to_statement())
        disclosure = seat.client.ask(envelope, seat.keys.card.key)
    say("on record; a worker is started, and then custodians can decide")
    output.result(document_of(disclosure), disclosure.request_sha256.hex())
    return 0


@app.command("list")
def list_(
    keys: KeysOption,
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """List the requests that you made or decide on, newest first."""
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        found = seat.client.all()
    lines = "\n".join(map(line_of, found)) or "There is no request for these keys."
    output.result({"disclosures": [document_of(one) for one in found]}, lines)
    return 0


@app.command()
def watch(
    keys: KeysOption,
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Print each of your requests now, and again whenever something becomes of it, until interrupted."""
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        for change in seat.client.watch():
            output.result(document_of(change), line_of(change))
    return 0


@app.command()
def show(
    name: NameArgument,
    keys: KeysOption,
    html: Annotated[
        Path | None,
        typer.Option(help="Write the covered thumbnails of what is asked for as one page.", dir_okay=False),
    ] = None,
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Show a request once everything about it is checked: record, witnesses, signer, policy, worker.

    The page shows covered pictures only; nobody who decides sees what is under a cover.
    """
    if html is not None and would_overwrite(html, [keys]):
        raise typer.BadParameter("The page would overwrite your keys.")
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        asked, kept = seat.show(name)
        if html is not None:
            sheet = RecoverySheet.from_bytes(seat.keys.open(seat.client.sheet(kept)))
            if sheet.job_id != kept.job.job_id:
                raise invalid("custody_differs", "The sheet is of another job.")
            write_whole(html, render(sheet, asked, kept).encode("utf-8"))
    seen_at = f"{asked.recorded.latest:%Y-%m-%d %H:%M:%S}"
    worker = "checked: released version, walls, this very request" if asked.worker else "none that waits"
    lines = [
        *lines_of(asked.disclosure, kept),
        f"on record    entry {asked.recorded.log_index}, seen by witnesses at {seen_at} UTC",
        f"worker       {worker}",
        f"consents     {len(asked.consents)} about these tracks",
    ]
    document = {
        **document_of(asked.disclosure),
        "log_index": asked.recorded.log_index,
        "witnessed_at": asked.recorded.latest.isoformat(),
        "worker_checked": asked.worker is not None,
        "html": None if html is None else str(html),
    }
    output.result(document, "\n".join(lines))
    return 0


@app.command()
def approve(
    name: NameArgument,
    keys: KeysOption,
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Approve a request: your share goes, sealed, to the one worker that waits for it, and to nobody else.

    Before that, everything that `show` checks is checked again. It cannot be taken back.
    """
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        asked, kept = seat.show(name)
        if asked.worker is None:
            raise precondition("worker_not_ready", "The request's worker is still coming up; try again.")
        made = seat.keys.approve(
            kept.policy.text,
            kept.sharing.to_bytes(),
            asked.envelope,
            asked.requester,
            kept.sealed_share,
            asked.worker.worker_hpke,
        )
        after = seat.client.decide(made.envelope, seat.keys.card.key, made.sealed_share)
    output.result(document_of(after), f"approved; the request is {document_of(after)['state']}")
    return 0


@app.command()
def deny(
    name: NameArgument,
    keys: KeysOption,
    reason: Annotated[str, typer.Option(metavar="REASON", help=f"One of: {', '.join(DENIAL_REASONS)}.")],
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Deny a request, for good."""
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        asked, kept = seat.show(name)
        envelope = seat.keys.deny(kept.policy.text, asked.envelope, asked.requester, reason)
        after = seat.client.decide(envelope, seat.keys.card.key)
    output.result(document_of(after), f"denied; the request is {document_of(after)['state']}")
    return 0


@app.command()
def cancel(
    name: NameArgument,
    keys: KeysOption,
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Take a request of your own back; its worker ends, with every share that was sealed to it."""
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        facts = DisclosureCancellationFacts(
            request_sha256=read_name(name).hex(),
            requester_key_sha256=seat.keys.card.keys,
            cancelled_at=format_instant(datetime.now(UTC)),
        )
        after = seat.client.cancel(seat.keys.sign(facts.to_statement()))
    output.result(document_of(after), "cancelled")
    return 0


@app.command()
def release(
    name: NameArgument,
    keys: KeysOption,
    target: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="For who asked: where the sealed disclosure goes, an age file."),
    ] = None,
    unseal: Annotated[
        Path | None,
        typer.Option(
            "--open", help="Also open it into this file, where it is sealed to your keys' own recipient."
        ),
    ] = None,
    pkcs11_module: ModuleOption = None,
    pkcs11_token: TokenOption = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Have a request released once enough custodians agree and the cool-off is over; fetch what it gives.

    The worker checks all of it by itself, out of the witnessed log, and the release is recorded before
    anything can be opened. What was released is fetched again with this, too; it is never released twice.
    """
    if unseal is not None and target is None:
        raise typer.BadParameter("--open needs --output.")
    for path in (target, unseal):
        if path is not None and path.exists():
            raise typer.BadParameter(f"{path.name} is there already; name another.")
    with seated(keys, pkcs11_module, pkcs11_token, Where(server, tls, trust, data)) as seat:
        asked, _ = seat.show(name)
        disclosure = asked.disclosure
        if document_of(disclosure)["state"] != "released":
            disclosure = seat.client.release(read_name(name))
        facts = seat.client.check_release(disclosure, asked.request.facts)
        if target is not None:
            seat.client.fetch(disclosure, target)
        if target is not None and unseal is not None:
            write_whole(unseal, seat.keys.open(target.read_bytes()))
    document = {
        **document_of(disclosure),
        "released_at": facts.released_at,
        "approvals": len(facts.approvals_sha256),
        "output": None if target is None else str(target),
    }
    text = f"released on {len(facts.approvals_sha256)} approvals, recorded and witnessed"
    output.result(document, text + (f"\n{target}" if target is not None else ""))
    return 0


@app.command()
def notices(
    identity: Annotated[
        Path | None, typer.Option("--identity", "-i", help="The identity that results were received with.")
    ] = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Read the sealed notices to whoever handed jobs in: what of them was disclosed, and why."""
    with service(data_folder(data), server, tls, trust) as (connection, believed):
        client = DisclosureClient(connection, believed, None)
        sealed = client.notices()
    if identity is None:
        text = "\n".join(f"{one.job_id}  a sealed notice; open it with --identity" for one in sealed)
        output.result({"notices": [{"job": one.job_id} for one in sealed]}, text or "There are no notices.")
        return 0
    found = read_notices(sealed, read_identity(identity), believed)
    text = "\n".join(
        f"{one['job_id']}  track {', '.join(map(str, one['tracks']))} was disclosed at {one['released_at']}: "
        f"{one['purpose']}, {one['legal_basis']}"
        for one in found
    )
    output.result({"notices": found}, text or "There are no notices.")
    return 0


def _require_asker(policy: CustodyPolicy, keys: str) -> None:
    if keys not in policy.requesters:
        raise precondition("requester_unknown", "The job's custody policy does not let these keys ask.")
