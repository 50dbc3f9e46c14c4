"""`bauta verify`: is this the file that was proven? Offline; no server, no network."""

from __future__ import annotations

import base64
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, load_trust
from console.paths import data_folder
from grpc_api.errors import invalid
from grpc_api.register import read_release
from provenance.canonical import loads
from provenance.checklist import Step, VerificationError
from provenance.errors import ProvenanceError
from provenance.register import SignedRelease, verify_release
from provenance.trust import Trust
from provenance.verifier import OPENING_STEPS, VerifiedResult, verify_opening, verify_result

_MARKS = {"ok": "✓", "failed": "✗", "not reached": "·"}


def verify(
    file: Annotated[Path, typer.Argument(help="The anonymized file.", exists=True, dir_okay=False)],
    proof: Annotated[
        Path | None, typer.Option(help="Its proof.", dir_okay=False, show_default="FILE.proof")
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="The trust file.", dir_okay=False, show_default="that of the data folder"),
    ] = None,
    original: Annotated[
        Path | None, typer.Option(help="Also check that this is the original; needs --opening.", exists=True)
    ] = None,
    opening: Annotated[
        Path | None, typer.Option(help="The secret that `bauta submit --opening` kept.", exists=True)
    ] = None,
    release: Annotated[
        Path | None,
        typer.Option(
            help="Also check that the worker was of the version that this release names.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Verify an anonymized file against its proof. Exit code 1 when any step fails."""
    if (original is None) != (opening is None):
        raise typer.BadParameter("--original and --opening go together.")
    believed = load_trust(trust or data_folder(data) / "trust.json")
    try:
        proof_bytes = (proof or file.with_name(file.name + ".proof")).read_bytes()
    except OSError:
        raise invalid("proof_missing", "There is no proof beside the file; name it with --proof.") from None
    steps: tuple[Step, ...] = ()
    try:
        with file.open("rb") as result:
            verified = verify_result(result, proof_bytes, believed)
        steps = verified.steps
        if original is not None and opening is not None:
            with original.open("rb") as media:
                verify_opening(media, _salt(opening), bytes.fromhex(verified.facts.original_commitment))
            steps += tuple(Step(step, text, "ok") for step, text in OPENING_STEPS.items())
        released = None if release is None else _released(release, verified, believed)
        if released is not None:
            steps += (Step("worker_released", f"The worker's version is released by {released.by}.", "ok"),)
    except VerificationError as error:
        verdict = {"verified": False, "failed_step": error.step, "code": error.code}
        _print(steps + error.steps, verdict, f"NOT VERIFIED at {error.step} ({error.code}): {error}.")
        return 1
    facts = verified.facts
    _print(
        steps,
        {
            "verified": True,
            "log_index": verified.log_index,
            "statement": asdict(facts),
            **({} if released is None else _released_object(released)),
        },
        f"VERIFIED: {facts.frames} frames, {facts.frames_with_faces} with faces covered by {facts.effect}, "
        f"audio {facts.audio}; tier {facts.tier}, made {facts.finished_at}.",
    )
    return 0


def _released(file: Path, verified: VerifiedResult, trust: Trust) -> SignedRelease:
    """Checks a release that somebody holds beside the proof. That it is in the log, only a client is shown.

    Raises:
        ServiceError: `worker_not_released`, it is of another version.
        ProvenanceError: it is no release, or by nobody whose releases count.
    """
    released = verify_release(read_release(file), trust)
    if released.facts.measurement != verified.facts.measurement:
        raise invalid(
            "worker_not_released", "The proof is sound, but its worker is not of the version of this release."
        )
    return released


def _released_object(released: SignedRelease) -> dict[str, object]:
    return {"worker_version": released.facts.version, "worker_released_by": released.by}


def _print(steps: tuple[Step, ...], verdict: dict[str, object], last_line: str) -> None:
    lines = [f"{_MARKS[step.status]} {step.sentence}" for step in steps]
    output.result({**verdict, "steps": [asdict(step) for step in steps]}, "\n".join([*lines, last_line]))


def _salt(opening: Path) -> bytes:
    try:
        document = loads(opening.read_bytes().removesuffix(b"\n"))
        if document["format"] != "bauta.opening/v1":
            raise KeyError
        return base64.b64decode(document["salt"], validate=True)
    except (KeyError, TypeError, ValueError, ProvenanceError):
        raise invalid("opening_invalid", "The opening file is not one that `bauta submit` wrote.") from None
