"""`bauta erase`: make sure that nobody, whoever agrees, ever uncovers this again."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, say
from console.disclosing import UNWITNESSED, ServerOption, TlsOption, TrustOption
from console.paths import data_folder
from console.sending import service
from grpc_api.client.erasures import erase_before, erase_job
from grpc_api.errors import invalid
from provenance.statements import ErasureFacts
from provenance.statements.vocabulary import ERASURE_REASONS
from provenance.trust import Trust


def erase(
    job: Annotated[
        str | None, typer.Argument(metavar="JOB", help="The job's number: 32 hexadecimal digits.")
    ] = None,
    tracks: Annotated[
        list[int] | None,
        typer.Option("--track", help="One person; may be repeated. Without any: everything.", min=0),
    ] = None,
    before: Annotated[
        datetime | None,
        typer.Option(help="Every job kept before this day, UTC; for the operator.", formats=["%Y-%m-%d"]),
    ] = None,
    reason: Annotated[
        str, typer.Option(metavar="REASON", help=f"One of: {', '.join(sorted(ERASURE_REASONS))}.")
    ] = "data_subject_request",
    proofs: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write the proofs into a new folder.")
    ] = None,
    server: ServerOption = None,
    tls: TlsOption = None,
    trust: TrustOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Destroy what could uncover one person, one job, or every job kept before a day; for good, on record.

    For whoever handed the job in, and for the operator. No quorum undoes it.
    """
    if (job is None) == (before is None):
        raise typer.BadParameter("Name a job, or a day by --before.")
    if before is not None and tracks:
        raise typer.BadParameter("--track goes with a job.")
    if proofs is not None and proofs.exists():
        raise typer.BadParameter("The folder of the proofs is there already; name another.")
    with service(data_folder(data), server, tls, trust) as (connection, believed):
        if job is not None:
            found = erase_job(connection, believed, job, sorted(set(tracks or [])), reason)
        else:
            assert before is not None
            found = erase_before(connection, believed, before.replace(tzinfo=UTC), reason)
    tell_unwitnessed(believed)
    if proofs is not None:
        write_proofs(proofs, found)
    document = {"erased": [{"job": one.job_id, **one.predicate()} for one, _ in found]}
    lines = [f"{one.job_id}  {len(one.tracks)} tracks are erased, on record" for one, _ in found]
    output.result(document, "\n".join(lines) or "Nothing was kept before that day.")
    return 0


def write_proofs(folder: Path, found: list[tuple[ErasureFacts, bytes]]) -> None:
    """Writes proof files of erasures into a new folder.

    Raises:
        ServiceError: `output_exists`.
    """
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise invalid("output_exists", "The folder is there already; name another.") from None
    for number, (facts, proof) in enumerate(found, 1):
        (folder / f"erasure-{facts.job_id}-{number}.proof").write_bytes(proof)


def tell_unwitnessed(trust: Trust) -> None:
    """Says what a trust file without witnesses leaves open."""
    if trust.witnesses is None or trust.witnesses.asks_nobody:
        say(UNWITNESSED)
