"""`bauta statement`: what the service itself signed. A receipt, a failure, a policy, a destroyed key."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, read_trust_file
from console.paths import data_folder
from console.report import words
from console.report.verdict import read_proof
from provenance.checklist import Step, VerificationError
from provenance.node_statements import NodeStatement, claimed_kind, verify_node_statement
from provenance.statements import Facts


def statement(
    proof: Annotated[
        Path,
        typer.Argument(
            metavar="PROOF",
            help="A receipt, or another proof of what the node signed.",
            exists=True,
            dir_okay=False,
        ),
    ],
    upload: Annotated[
        Path | None,
        typer.Option(
            help="Also check that this is the sealed upload of a receipt.", exists=True, dir_okay=False
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="The trust file.", dir_okay=False, show_default="that of the data folder"),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Check what the service itself signed: a receipt, a failure, a policy on record, a destroyed key.

    Offline. Exit code 1 when any step fails.
    """
    believed = read_trust_file(trust or data_folder(data) / "trust.json")
    untrusted_proof = read_proof(proof)
    kind = claimed_kind(untrusted_proof)
    with ExitStack() as stack:
        sealed = None if upload is None else stack.enter_context(upload.open("rb"))
        try:
            said = verify_node_statement(untrusted_proof, believed, kind, sealed)
        except VerificationError as error:
            _refuse(error)
            return 1
    _report(kind, said)
    return 0


def _refuse(error: VerificationError) -> None:
    document = {
        "verified": False,
        "step": error.step,
        "code": error.code,
        "message": str(error),
        "steps": _steps(error.steps),
    }
    output.result(document, f"{_lines(error.steps)}\nNOT VERIFIED: {error} [{error.code}]")


def _report(kind: type[Facts], said: NodeStatement[Facts]) -> None:
    facts = said.facts
    document = {
        "verified": True,
        "kind": kind.kind(),
        "subject": {facts.SUBJECT_NAME: facts.subject_sha256()},
        "says": facts.predicate(),
        "log_index": said.log_index,
        "recorded_before": said.checkpoint.signed_at,
        "steps": _steps(said.steps),
    }
    about = f"VERIFIED: {kind.kind()}, about {facts.SUBJECT_NAME} {facts.subject_sha256()}"
    says = [f"  {name}: {value}" for name, value in facts.predicate().items()]
    output.result(document, "\n".join([_lines(said.steps), about, *says]))


def _steps(steps: tuple[Step, ...]) -> list[dict[str, str]]:
    return [{"step": step.step, "status": step.status} for step in steps]


def _lines(steps: tuple[Step, ...]) -> str:
    return "\n".join(f"{words.MARKS[step.status]} {step.sentence}" for step in steps)
