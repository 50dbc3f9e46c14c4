"""`bauta submit`: a media file in, an anonymized file and its proof out."""

from __future__ import annotations

import base64
import os
from contextlib import ExitStack
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, find_policy, load_trust
from console.embedded import embedded_service
from console.paths import data_folder
from console.progress import ProgressDisplay
from console.report.verdict import besides_faces
from enclave.policy import Policy, Terms
from grpc_api.client.connection import Connection
from grpc_api.client.outputs import proof_path
from grpc_api.client.submission import Submitted
from grpc_api.client.submission import submit as run_submission
from grpc_api.errors import invalid
from grpc_api.tls import TlsFiles
from keyvault.age import HybridIdentity, parse_identity_file
from provenance.canonical import dumps

IMAGE_SUFFIXES = {
    ".jpg": {".jpg", ".jpeg"},
    ".jpeg": {".jpg", ".jpeg"},
    ".png": {".png"},
    ".webp": {".webp"},
}
_EMBEDDED_TRIES, _REMOTE_TRIES = 3, 8
VIDEO_SUFFIXES = {".mp4", ".m4v"}


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
            help="MP4, MOV, MKV, AVI, WEBM, GIF, JPEG, PNG or WebP.",
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
            help="Also keep the secret that later proves which original this was. It links you to it."
        ),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(help="Also keep the service's signed receipt for the sealed upload.", dir_okay=False),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Anonymize a file and prove it. Writes OUTPUT and OUTPUT.proof."""
    chosen = find_policy(policy)
    _check_names(source, target)
    receiver = _receiver(identity)
    terms = Terms(policy=chosen, mode=_mode(chosen, mode), recipients=(str(receiver.recipient),))
    folder = data_folder(data)
    with ExitStack() as stack:
        show = stack.enter_context(ProgressDisplay())
        show("start", None)
        if server is None:
            address, tls_files = stack.enter_context(embedded_service(folder)).address, None
            trust_file = trust or folder / "trust.json"
        else:
            bundle = tls or folder / "client"
            address, tls_files = server, TlsFiles(bundle, "client")
            trust_file = trust or bundle / "trust.json"
        connection = stack.enter_context(
            Connection(address, tls_files, tries=_EMBEDDED_TRIES if server is None else _REMOTE_TRIES)
        )
        done = run_submission(
            connection,
            load_trust(trust_file),
            source=source,
            output=target,
            terms=terms,
            identity=receiver,
            on_progress=show,
            on_receipt=None if receipt is None else partial(_write_receipt, receipt),
        )
        if opening is not None:
            _write_opening(opening, done)
    _report(target, done, opening, receipt)
    return 0


def _check_names(source: Path, target: Path) -> None:
    allowed = IMAGE_SUFFIXES.get(source.suffix.lower(), VIDEO_SUFFIXES)
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


def _receiver(identity: Path | None) -> HybridIdentity:
    if identity is None:
        return HybridIdentity.generate()
    try:
        text = identity.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("The identity file cannot be read.") from None
    for found in parse_identity_file(text):
        if isinstance(found, HybridIdentity):
            return found
    raise invalid(
        "identity_classic",
        "The file holds no post-quantum identity (AGE-SECRET-KEY-PQ-1...); `bauta keygen` makes one.",
    )


def _write_opening(path: Path, done: Submitted) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(
            dumps({"format": "bauta.opening/v1", "salt": base64.b64encode(done.salt).decode()}) + b"\n"
        )


def _write_receipt(path: Path, receipt: bytes) -> None:
    # As private as the opening: whoever has it can show that this job was handed in.
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(receipt)


def _report(target: Path, done: Submitted, opening: Path | None, receipt: Path | None) -> None:
    facts = done.facts
    document = {
        "output": str(target),
        "proof": str(proof_path(target)),
        "job": facts.job_id,
        "media_type": facts.media_type,
        "mode": facts.mode,
        "effect": facts.effect,
        "audio": facts.audio,
        "frames": facts.frames,
        "frames_with_faces": facts.frames_with_faces,
        "tracks": facts.tracks,
        "also_covered": dict(facts.also_covered),
        "frames_also_covered": dict(facts.frames_also_covered),
        "tier": facts.tier,
        "walls": list(facts.walls),
        "device": facts.device,
        "engine": facts.engine,
        "result_sha256": facts.result_sha256,
        "worker_version": done.release.facts.version,
        "worker_released_by": done.release.by,
        "timestamps_missing": done.timestamps_missing,
    }
    if opening is not None:
        document["opening"] = str(opening)
    if receipt is not None:
        document["receipt"] = str(receipt)
    output.result(
        document,
        f"{target}\n{proof_path(target)}\n"
        f"{facts.frames} frames, {facts.frames_with_faces} with faces ({facts.tracks} tracks) covered by "
        f"{facts.effect}{besides_faces(facts)}; audio {facts.audio}; "
        f"tier {facts.tier}, {len(facts.walls)} walls; verified.\n"
        f"worker version {done.release.facts.version}, released by {done.release.by}.{_missing(done)}",
    )


def _missing(done: Submitted) -> str:
    if not done.timestamps_missing:
        return ""
    return (
        f"\nThe proof lacks {done.timestamps_missing} of the timestamps that the trust file demands, and "
        "does not verify until `bauta proof complete` has added them."
    )
