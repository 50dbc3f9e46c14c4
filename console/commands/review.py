"""`bauta review`: look at what a job covered, decide, and have the decisions carried out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption
from console.commands.submit import check_names
from console.paths import data_folder
from console.progress import ProgressDisplay
from console.report.saving import would_overwrite, write_whole
from console.review import voices, words
from console.review.cards import decided_about
from console.review.page import render
from console.sending import read_identity, service, tell
from console.source_options import AdmissionTokenOption, SourceOption, submission_key_for, token_for
from enclave.review.decisions import MAX_DECISIONS_BYTES, Decisions, OnSpeaker, OnTrack, parse_decisions
from enclave.review.package import ReviewPackage
from enclave.review.sheet import Sheet, SheetTrack
from enclave.review.speakers import SheetSpeaker
from grpc_api.client.outputs import review_key_path, review_path
from grpc_api.client.review import open_package, require_allowed
from grpc_api.client.review_key import MAX_KEY_BYTES, ReviewKey, parse_review_key
from grpc_api.client.submission import Review
from grpc_api.client.submission import submit as run_submission
from grpc_api.errors import invalid
from keyvault.age import HybridIdentity


def review(
    package: Annotated[
        Path,
        typer.Argument(
            metavar="PACKAGE", help="What `bauta submit --review` wrote.", exists=True, dir_okay=False
        ),
    ],
    html: Annotated[
        Path | None,
        typer.Option(help="Write the sheet as one page, to look at and to decide on.", dir_okay=False),
    ] = None,
    decide: Annotated[
        Path | None,
        typer.Option(
            metavar="DECISIONS",
            help="Sign the decisions that the page saved, and carry them out; needs --original and --output.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    original: Annotated[
        Path | None,
        typer.Option(help="The original, once more; no service has it.", exists=True, dir_okay=False),
    ] = None,
    target: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Where the new result goes, with its proof and a new package."),
    ] = None,
    key: Annotated[
        Path | None,
        typer.Option(
            help="The submitter's half of the review.",
            show_default="PACKAGE-key",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option(help="The identity that the result was received with, where one was named."),
    ] = None,
    server: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="A remote service, by mutual TLS.")
    ] = None,
    tls: Annotated[
        Path | None,
        typer.Option(
            help="The client bundle that the operator made.", show_default="client/ in the data folder"
        ),
    ] = None,
    trust: Annotated[
        Path | None,
        typer.Option(help="What to verify against.", show_default="that of the bundle or data folder"),
    ] = None,
    secret: SourceOption = None,
    token: AdmissionTokenOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Look through what a job covered, decide what should be otherwise, and have it done.

    The page shows covered pictures only, and sends nothing anywhere. What it saves is signed here, and sealed
    with the original for one more job, which looks for nothing anew.
    """
    key_file = key or package.with_name(package.name + "-key")
    kept = _read_key(key_file)
    receiver = _receiver(kept, identity)
    looked_at = open_package(package, receiver)
    _require_one_review(kept, looked_at.sheet)
    if decide is None:
        if original is not None or target is not None:
            raise typer.BadParameter("--original and --output go with --decide.")
        _show(looked_at.sheet, html, [package, key_file])
        return 0
    if original is None or target is None:
        raise typer.BadParameter("--decide needs --original and --output.")
    if html is not None:
        raise typer.BadParameter("--html shows this package; review the new one after --decide.")
    check_names(original, target)
    renewed = kept.renewed(submission_key_for(secret))
    again = _decided(renewed, looked_at, _read_decisions(decide))
    admission_token = token_for(token)
    with ProgressDisplay() as show:
        show("start", None)
        with service(data_folder(data), server, tls, trust, is_one_of_many=token is not None) as (
            connection,
            believed,
        ):
            done = run_submission(
                connection,
                believed,
                source=original,
                output=target,
                terms=again.key.terms,
                identity=again.key.identity or receiver,
                on_progress=show,
                review=again,
                admission_token=admission_token,
            )
    tell(target, done, {"review": review_path(target), "review_key": review_key_path(target)})
    return 0


def _show(sheet: Sheet, html: Path | None, beside: list[Path]) -> None:
    if html is None:
        output.result(sheet.to_object(), "\n".join(_lines(sheet)))
        return
    if would_overwrite(html, beside):
        raise typer.BadParameter("The page would overwrite the review.")
    write_whole(html, render(sheet).encode("utf-8"))
    found, heard = len(sheet.tracks), len(sheet.speakers)
    said = f"{html}\n{found} on the sheet" + (f", and {heard} heard." if heard else ".")
    output.result({"html": str(html), "job": sheet.job, "tracks": found, "speakers": heard}, said)


def _lines(sheet: Sheet) -> list[str]:
    """The sheet for a terminal: a line for each thing."""
    lines = [_line(sheet, track) for track in sheet.tracks]
    lines += [f"{words.KINDS[kind][1]}: {count:,} more, not listed" for kind, count in sheet.unlisted.items()]
    lines += [_voice(sheet, speaker) for speaker in sheet.speakers]
    others = [each.to_object()["do"] for each in sheet.decisions if not isinstance(each, OnTrack | OnSpeaker)]
    lines += [f"decided: {words.DECISIONS[word].lower()}" for word in others]
    return [*lines, f"may be decided: {', '.join(sheet.may) or 'nothing'}"]


def _line(sheet: Sheet, track: SheetTrack) -> str:
    decided = decided_about(sheet, track)
    return (
        f"{track.track:>5}  {words.KINDS[track.kind][0]:<12}  "
        f"{words.clock(track.first_ms)} to {words.clock(track.last_ms)}  {track.frames:>6} frames  "
        f"{track.width} × {track.height}  {track.effect}{f'  decided: {decided}' if decided else ''}"
    )


def _voice(sheet: Sheet, speaker: SheetSpeaker) -> str:
    decided = voices.decided_about(sheet, speaker.speaker)
    return (
        f"{speaker.speaker:>5}  {voices.title_of(speaker):<12}  {voices.spoken(speaker)}  "
        f"{words.VOICE_EFFECTS[speaker.effect][1]}{f'  decided: {decided}' if decided else ''}"
    )


def _decided(kept: ReviewKey, looked_at: ReviewPackage, decisions: Decisions) -> Review:
    require_allowed(decisions, looked_at)
    instructions = kept.again(kept.sign(decisions), looked_at.record)
    return Review(kept, instructions, looked_at.record)


def _read_key(path: Path) -> ReviewKey:
    try:
        with path.open("rb") as file:
            return parse_review_key(file.read(MAX_KEY_BYTES + 1))
    except FileNotFoundError:
        raise invalid(
            "review_key_missing", "The review key is not beside the package; name it with --key."
        ) from None


def _read_decisions(path: Path) -> Decisions:
    with path.open("rb") as file:
        return parse_decisions(file.read(MAX_DECISIONS_BYTES + 1))


def _receiver(kept: ReviewKey, identity: Path | None) -> HybridIdentity:
    if identity is not None:
        return read_identity(identity)
    if kept.identity is None:
        raise typer.BadParameter("The result went to an identity of your own; name its file with --identity.")
    return kept.identity


def _require_one_review(kept: ReviewKey, sheet: Sheet) -> None:
    """Checks that key and package belong together: a job under other terms would be another job."""
    if (kept.terms.policy.digest.hex(), kept.terms.mode) != (sheet.policy_sha256, sheet.mode):
        raise invalid("review_key_of_other_review", "The review key belongs to another package.")
