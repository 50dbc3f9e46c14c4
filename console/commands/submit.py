"""`bauta submit`: a media file in, an anonymized file and its proof out."""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from console.commands.options import DataOption, JsonOption, find_policy
from console.custody_policy import CustodyOption, custody_for
from console.enrolment import EnrolledOption, EnrolOption, enrolment_for
from console.matching import MatchOption, TemplateOption, matching_for
from console.opening import Opening, Recorded
from console.paths import data_folder
from console.progress import ProgressDisplay
from console.pseudonym import AskPseudonymOption, PseudonymFileOption, instructions_for
from console.sending import read_identity, service, tell
from console.source_options import AdmissionTokenOption, SourceOption, submission_key_for, token_for
from enclave.policy import Instructions, Policy, Terms
from enclave.policy.instructions import NO_SOUND
from grpc_api.client.outputs import review_key_path, review_path, scores_path, untouched_path
from grpc_api.client.review_key import ReviewKey
from grpc_api.client.submission import Review
from grpc_api.client.submission import submit as run_submission
from keyvault.age import HybridIdentity

IMAGE_SUFFIXES = {
    ".jpg": {".jpg", ".jpeg"},
    ".jpeg": {".jpg", ".jpeg"},
    ".png": {".png"},
    ".webp": {".webp"},
}
VIDEO_SUFFIXES = {".mp4", ".m4v"}
SOUND_RESULTS = {".m4a"}
SOUND_SUFFIXES = {".aac", ".flac", ".m4a", ".mp3", ".oga", ".ogg", ".opus", ".wav"}
# Containers of pictures, of sound alone, or of both: only the worker sees which.
EITHER_SUFFIXES = {".mp4", ".mka", ".mkv", ".mov", ".webm"}


class Mode(StrEnum):
    """How much care is taken, from most to least."""

    ORIGINAL = "original"
    QUALITY = "quality"
    BALANCED = "balanced"
    FAST = "fast"


def submit(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="MP4, MOV, MKV, AVI, WEBM, GIF, JPEG, PNG or WebP; sound alone as WAV, FLAC, MP3, AAC, M4A, "
            "OGG or WEBM.",
            exists=True,
            dir_okay=False,
        ),
    ],
    target: Annotated[
        Path, typer.Option("--output", "-o", help="Where the result goes; its proof lies beside it.")
    ],
    policy: Annotated[
        str, typer.Option(help="A shipped policy (see `bauta policy list`) or a TOML file.")
    ] = "whistleblower",
    mode: Annotated[
        Mode | None,
        typer.Option(
            help="Trade speed for certainty, where the policy leaves the choice.",
            show_default="the policy's first",
        ),
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
    identity: Annotated[
        Path | None,
        typer.Option(
            help="Receive the result with this identity (see `bauta keygen`).", show_default="a fresh one"
        ),
    ] = None,
    opening: Annotated[
        Path | None,
        typer.Option(
            help="Also keep the secret that later shows which original this was, or parts of it (`bauta "
            "reveal`). It is kept nowhere else; whoever finds it can tie you to the original."
        ),
    ] = None,
    recording: Annotated[
        Path | None,
        typer.Option(
            help="The signature of the device that recorded INPUT (`bauta recording sign`), with its opening "
            "beside it: the worker commits to the same pieces. Every job of one recording then names one "
            "commitment, by which they can be told to be of it.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(help="Also keep the service's signed receipt for the sealed upload.", dir_okay=False),
    ] = None,
    review: Annotated[
        bool,
        typer.Option(
            "--review",
            help="Also write OUTPUT.review, covered pictures to look through (see `bauta review`), and "
            "OUTPUT.review-key, which opens them and signs decisions; keep it to yourself.",
        ),
    ] = False,
    pseudonym_file: PseudonymFileOption = None,
    ask_pseudonym: AskPseudonymOption = False,
    custody: CustodyOption = None,
    no_sound: Annotated[
        bool,
        typer.Option("--no-sound", help="Remove all sound, whatever the policy leaves of it."),
    ] = False,
    enrol: EnrolOption = None,
    enrolled: EnrolledOption = None,
    match: MatchOption = None,
    template: TemplateOption = None,
    secret: SourceOption = None,
    token: AdmissionTokenOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Anonymize a file and prove it. Writes OUTPUT and OUTPUT.proof."""
    chosen = find_policy(policy)
    check_names(source, target)
    named = instructions_for(pseudonym_file, ask_pseudonym)
    if named and not chosen.takes_pseudonym:
        raise typer.BadParameter(
            "Under this policy a pseudonym changes nothing: no effect of it makes faces or voices."
        )
    if no_sound:
        named = replace(named or Instructions(), sound=NO_SOUND)
    if opening is not None and not opening.absolute().parent.is_dir():
        raise typer.BadParameter("The folder of the opening does not exist.")
    if opening is not None and opening.exists():
        raise typer.BadParameter("The opening exists: what it opens could not be opened any more.")
    recorded = None if recording is None else Recorded.read(recording)
    if recorded is not None:
        named = replace(named or Instructions(), pieces_secret=recorded.secret)
    enrolment = enrolment_for(enrol, enrolled, chosen)
    matching = matching_for(match, template, chosen)
    receiver = HybridIdentity.generate() if identity is None else read_identity(identity)
    terms = Terms(
        policy=chosen,
        mode=_mode(chosen, mode),
        recipients=(str(receiver.recipient),),
        custody=custody_for(custody, chosen),
        submitter=submission_key_for(secret),
    )
    admission_token = token_for(token)
    beside = {name: path for name, path in (("opening", opening), ("receipt", receipt)) if path is not None}
    if chosen.evidence:
        beside["untouched"] = untouched_path(target)
    asked: Review | None = None
    if review:
        kept = ReviewKey.new(terms, receiver if identity is None else None, named)
        asked = Review(kept, kept.first())
        beside |= {"review": review_path(target), "review_key": review_key_path(target)}
    with ExitStack() as stack:
        show = stack.enter_context(ProgressDisplay())
        show("start", None)
        connection, believed = stack.enter_context(
            service(data_folder(data), server, tls, trust, is_one_of_many=token is not None)
        )
        done = run_submission(
            connection,
            believed,
            source=source,
            output=target,
            terms=terms,
            identity=receiver,
            on_progress=show,
            on_receipt=None if receipt is None else partial(_write_receipt, receipt),
            instructions=named,
            review=asked,
            enrolment=enrolment,
            matching=matching,
            admission_token=admission_token,
        )
        if opening is not None:
            drawn = b"" if recorded is None else recorded.secret
            Opening(done.salt, drawn, done.facts.job_id, believed.log_origin).write(opening)
        if recorded is not None:
            recorded.require_same(done.facts)
    if done.facts.scores_sha256 is not None:
        beside["scores"] = scores_path(target)
    tell(target, done, beside)
    return 0


def check_names(source: Path, target: Path) -> None:
    """Refuses an output that does not fit its input, or would overwrite it.

    Raises:
        typer.BadParameter: it does.
    """
    suffix = source.suffix.lower()
    allowed = IMAGE_SUFFIXES.get(suffix, VIDEO_SUFFIXES)
    if suffix in SOUND_SUFFIXES:
        allowed = SOUND_RESULTS
    elif suffix in EITHER_SUFFIXES:
        allowed = VIDEO_SUFFIXES | SOUND_RESULTS
    if target.suffix.lower() not in allowed:
        kinds = " or ".join(sorted(allowed))
        raise typer.BadParameter(f"The result of this input is {kinds}; give the output that ending.")
    if not target.absolute().parent.is_dir():
        raise typer.BadParameter("The folder of the output does not exist.")
    if target.exists() and target.samefile(source):
        raise typer.BadParameter("The output would overwrite the input.")


def _mode(policy: Policy, mode: Mode | None) -> str:
    if mode is not None and mode not in policy.allowed_modes:
        raise typer.BadParameter(f"This policy allows only: {', '.join(policy.allowed_modes)}.")
    return mode or policy.allowed_modes[0]


def _write_receipt(path: Path, receipt: bytes) -> None:
    # As private as the opening: whoever has it can show that this job was handed in.
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(receipt)
