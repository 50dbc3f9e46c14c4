"""`bauta verify`: is this the file that was proven? Offline: no server, and no network but with --rpc."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, read_trust_file
from console.commands.verifying import (
    Witnesses,
    beside_file,
    verify_a_copy,
    verify_a_part,
    with_recording,
    with_untouched,
)
from console.opening import read_opening
from console.paths import data_folder
from console.report.anchored import named_blocks, with_anchor
from console.report.pieces_page import render_pieces
from console.report.saving import save, would_overwrite, write_whole
from console.report.verdict import Released, Verdict, check, read_proof
from grpc_api.anchors.config import AnchorConfigError, node_address
from grpc_api.errors import invalid
from grpc_api.register import read_release
from provenance.anchors.checking import Anchored, BlockSource
from provenance.checklist import Step, VerificationError
from provenance.node_statements import claimed_kind, require_about, verify_node_statement
from provenance.register import verify_release
from provenance.verifier import OPENING_STEPS, verify_opening


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
    record: Annotated[
        list[Path] | None,
        typer.Option(
            help="Also check a receipt of this job, or a record of its policy; may be repeated.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    anchor: Annotated[
        Path | None,
        typer.Option(
            help="Also check an anchor of the proof's record on a chain (`bauta anchors get`).",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    block: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HASH", help="With --anchor: the hash of a block that you believe; may be repeated."
        ),
    ] = None,
    header: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="With --anchor: a saved header of such a block, RLP; may be repeated.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    rpc: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="With --anchor: also believe the chain's node at this address, or at the one that this file "
            "holds.",
        ),
    ] = None,
    untouched: Annotated[
        Path | None,
        typer.Option(
            help="The package that shows which share of a lossless result is the original's.",
            exists=True,
            dir_okay=False,
            show_default="FILE.untouched, where it is",
        ),
    ] = None,
    reveal: Annotated[
        Path | None,
        typer.Option(
            help="FILE is a part of an original (`bauta reveal`): its package.",
            exists=True,
            dir_okay=False,
            show_default="FILE.reveal, where it is",
        ),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(
            help="Who signed the original when it was recorded, besides the proof or, with FILE.untouched or "
            "FILE.reveal, instead of it.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="Also write a report for people: one page, no script.", dir_okay=False),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Verify an anonymized file against its proof, or a part of an original against its package.

    Exit code 1 when any step fails.
    """
    if (original is None) != (opening is None):
        raise typer.BadParameter("--original and --opening go together.")
    if anchor is None and (block or header or rpc):
        raise typer.BadParameter("--block, --header and --rpc go with --anchor.")
    try:
        node = None if rpc is None else node_address(rpc)
    except AnchorConfigError as error:
        raise typer.BadParameter(f"--rpc: {error}.") from None
    proof_file = proof or file.with_name(file.name + ".proof")
    trust_file = trust or data_folder(data) / "trust.json"
    package = beside_file(file, ".reveal", reveal)
    shares = beside_file(file, ".untouched", untouched)
    beside = [
        path
        for path in (
            *(original, opening, release, anchor, shares, package, recording),
            *(header or []),
            *(record or []),
        )
        if path is not None
    ]
    if html is not None and would_overwrite(html, [file, proof_file, trust_file, *beside]):
        raise typer.BadParameter("The report would overwrite what is checked.")
    is_alone = recording is not None and shares is not None and proof is None and not proof_file.exists()
    if package is not None and untouched is not None:
        raise typer.BadParameter("A part has no untouched package: --untouched goes with a whole copy.")
    if package is not None or is_alone:
        if original or release or record or anchor:
            raise typer.BadParameter(
                "With a part, or without a proof, only --recording is looked at besides."
            )
        return _pieces(file, package, shares, Witnesses.beside(file, trust_file, proof, recording), html)
    believed = read_trust_file(trust_file)
    try:
        untrusted_proof = read_proof(proof_file)
    except OSError:
        raise invalid("proof_missing", "There is no proof beside the file; name it with --proof.") from None
    verdict = check(file, untrusted_proof, believed)
    if original is not None and opening is not None:
        verdict = _opened(verdict, original, opening)
    if release is not None and verdict.failure is None:
        verdict = _released(verdict, release)
    for path in record or []:
        verdict = _on_record(verdict, path)
    if anchor is not None:
        named = named_blocks(block or [], header or [])
        verdict = with_anchor(verdict, anchor, _believed(named, node))
    if shares is not None:
        verdict = with_untouched(verdict, file, shares)
    if recording is not None:
        verdict = with_recording(verdict, recording)
    if html is not None:
        save(html, verdict, file)
    output.result(verdict.document(), verdict.lines())
    return 0 if verdict.failure is None else 1


def _pieces(
    file: Path, package: Path | None, shares: Path | None, witnesses: Witnesses, html: Path | None
) -> int:
    """Checks a part of an original, or a copy of which only a recording's signature is there."""
    if package is not None:
        verdict = verify_a_part(file, package, witnesses)
    elif shares is not None:
        verdict = verify_a_copy(file, shares, witnesses)
    else:
        raise AssertionError("one of them is there")
    if html is not None:
        write_whole(html, render_pieces(verdict, datetime.now(UTC)).encode("utf-8"))
    output.result(verdict.document(), verdict.lines())
    return 0 if verdict.failure is None else 1


def _believed(named: set[bytes], rpc: str | None) -> BlockSource:
    return lambda anchored: named if rpc is None else named | _asked(rpc, anchored)


def _asked(rpc: str, anchored: Anchored) -> set[bytes]:
    """The block that a node has where the anchor claims to lie."""
    from grpc_api.anchors.asking import block_hash_at
    from grpc_api.anchors.transport import open_node

    found = block_hash_at(open_node(rpc), anchored.place.chain_id, anchored.anchor.block.number)
    return set() if found is None else {found}


def _opened(verdict: Verdict, original: Path, opening: Path) -> Verdict:
    if verdict.failure is not None or verdict.result is None:
        return verdict
    try:
        with original.open("rb") as media:
            commitment = bytes.fromhex(verdict.result.facts.original_commitment)
            verify_opening(media, read_opening(opening).salt, commitment)
    except VerificationError as error:
        return verdict.with_failure(error)
    return verdict.with_steps(*(Step(step, text, "ok") for step, text in OPENING_STEPS.items()))


def _released(verdict: Verdict, file: Path) -> Verdict:
    """Checks a release that somebody holds beside the proof. That it is in the log, only a client is shown.

    Raises:
        ServiceError: `worker_not_released`, it is of another version.
        ProvenanceError: it is no release, or by nobody whose releases count.
    """
    if verdict.result is None or verdict.trust is None:
        return verdict
    released = verify_release(read_release(file), verdict.trust)
    if released.facts.measurement != verdict.result.facts.measurement:
        raise invalid(
            "worker_not_released", "The proof is sound, but its worker is not of the version of this release."
        )
    step = Step("worker_released", f"The worker's version is released by {released.by}.", "ok")
    told = replace(verdict, released=Released(released.facts.version, released.by))
    return told.with_steps(step)


def _on_record(verdict: Verdict, file: Path) -> Verdict:
    """Checks a receipt or a policy's record that somebody holds beside the proof.

    Raises:
        ProvenanceError: it does not hold, or is about something else (`record_differs`).
    """
    if verdict.failure is not None or verdict.result is None or verdict.trust is None:
        return verdict
    untrusted_record = read_proof(file)
    said = verify_node_statement(untrusted_record, verdict.trust, claimed_kind(untrusted_record))
    return verdict.with_steps(Step("on_record", require_about(said, verdict.result), "ok"))
