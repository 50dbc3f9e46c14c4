"""`bauta audit`: who saw what, when, why, on whose approval; and whether anything is missing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.audit.outcome import Outcome
from console.audit.page import render
from console.audit.reading import lines_of
from console.commands.erase import tell_unwitnessed
from console.commands.options import DataOption, JsonOption, load_trust
from console.disclosing import ModuleOption, ServerOption, TlsOption, TokenOption, TrustOption, Where, seated
from console.paths import data_folder
from console.report.saving import would_overwrite, write_whole
from console.sending import service
from grpc_api.client.disclosures import DisclosureClient
from grpc_api.errors import invalid
from keyvault.custody.auditing import check_whole, prove
from keyvault.custody.record import Record, read_record
from keyvault.custody.stories import tell
from provenance.dsse import Envelope
from provenance.statements import DisclosureReleaseFacts
from provenance.trust import Trust

_PIECE_BYTES = 1 << 20


def audit(
    record: Annotated[
        Path | None,
        typer.Argument(
            metavar="RECORD",
            help="A record that --save has kept; without one, the service is asked.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    save: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also keep the record, to be audited again offline.")
    ] = None,
    html: Annotated[
        Path | None, typer.Option(help="Also write a report for people: one page, no script.", dir_okay=False)
    ] = None,
    proofs: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write a proof file for every statement, into a new folder."),
    ] = None,
    keys: Annotated[
        Path | None,
        typer.Option(
            help="A custodian's keys; the operator, on the service's own machine, needs none.",
            exists=True,
            dir_okay=False,
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
    """Answer from the log alone who saw what, when, why, on whose approval. Exit code 1 if anything is amiss.

    Every entry is hashed again to a signed and witnessed end, so that none can be left out; every statement
    of custody in it must be shown, and hold.
    """
    beside = [path for path in (record, keys) if path is not None]
    for target in (html, save):
        if target is not None and would_overwrite(target, beside):
            raise typer.BadParameter("That would overwrite what is checked.")
    if proofs is not None and proofs.exists():
        raise typer.BadParameter("The folder of the proofs is there already; name another.")
    if record is not None:
        believed = load_trust(trust or data_folder(data) / "trust.json")
        shown = read_record(lines_of(_pieces(record)))
    else:
        where = Where(server, tls, trust, data)
        shown, believed = _asked(where, keys, pkcs11_module, pkcs11_token, save)
    whole = check_whole(shown, believed)
    outcome = Outcome(whole, tell(shown, whole.placed, believed.node), datetime.now(UTC))
    if proofs is not None:
        _write_proofs(proofs, shown, outcome)
    if html is not None:
        write_whole(html, render(outcome).encode("utf-8"))
    tell_unwitnessed(believed)
    output.result(outcome.document(), outcome.lines())
    return 0 if outcome.is_clean else 1


def _asked(
    where: Where, keys: Path | None, module: Path | None, token: str | None, save: Path | None
) -> tuple[Record, Trust]:
    """Has the service show its record, and keeps it beside where that is wanted."""
    if keys is None:
        with service(data_folder(where.data), where.server, where.tls, where.trust) as (connection, trust):
            return _read(DisclosureClient(connection, trust, None), save), trust
    with seated(keys, module, token, where) as seat:
        return _read(seat.client, save), seat.trust


def _read(client: DisclosureClient, save: Path | None) -> Record:
    with tempfile.TemporaryFile() as kept:

        def pieces() -> Iterator[bytes]:
            for piece in client.record():
                kept.write(piece)
                yield piece

        shown = read_record(lines_of(pieces()))
        if save is not None:
            kept.seek(0)
            write_whole(save, kept.read())
    return shown


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_PIECE_BYTES):
            yield piece


def _write_proofs(folder: Path, shown: Record, outcome: Outcome) -> None:
    if outcome.whole.findings:
        raise invalid("record_not_whole", "A record with gaps proves nothing; audit it without --proofs.")
    folder.mkdir(mode=0o700)
    for placed in outcome.whole.placed:
        proof = prove(shown, placed.log_index, *_evidence_for(placed.log_index, shown, outcome))
        (folder / f"{placed.log_index}-{placed.kind}.proof").write_bytes(proof)


def _evidence_for(log_index: int, shown: Record, outcome: Outcome) -> tuple[Envelope, ...]:
    """A release's proof carries the evidence of its worker; others carry none."""
    for story in outcome.told.stories.values():
        released = any(
            event.log_index == log_index and event.kind == DisclosureReleaseFacts.kind()
            for event in story.events
        )
        if released and story.worker is not None:
            return (shown.statements[shown.entries[story.worker].envelope_sha256].envelope,)
    return ()
