"""What every command that hands a job in shares: the way to a service, and the words about what came back."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import typer

from console import output
from console.commands.options import load_trust
from console.embedded import embedded_service
from console.report.leaks import attacked_in_a_line
from console.report.verdict import besides_faces, decided, heard, is_sound_alone
from grpc_api.client.connection import Connection
from grpc_api.client.outputs import proof_path
from grpc_api.client.submission import Submitted
from grpc_api.errors import invalid
from grpc_api.identity import JOB_KEY_BYTES
from grpc_api.tls import TlsFiles
from keyvault.age import HybridIdentity, parse_identity_file
from provenance.statements import JobFacts
from provenance.trust import Trust

_EMBEDDED_TRIES, _REMOTE_TRIES = 3, 8


@contextmanager
def service(
    folder: Path, server: str | None, tls: Path | None, trust: Path | None, *, is_one_of_many: bool = False
) -> Iterator[tuple[Connection, Trust]]:
    """Connects to a service, and says what of it is believed.

    Args:
        folder: the data folder; its embedded service is started where no other is named.
        server: HOST:PORT of another one.
        tls: the client bundle for that.
        trust: the trust file, where it is not that of the bundle or the data folder.
        is_one_of_many: others may have the same bundle: what is created over this connection is found again
            by a key that is drawn now, and forgotten with it.

    Raises:
        ServiceError: it does not start or answer, or there is no trust file.
        ProvenanceError: the file is no trust file.
    """
    if server is not None:
        bundle = tls or folder / "client"
        key = os.urandom(JOB_KEY_BYTES) if is_one_of_many else b""
        files = TlsFiles(bundle, "client")
        with Connection(server, files, tries=_REMOTE_TRIES, job_key=key) as connection:
            yield connection, load_trust(trust or bundle / "trust.json")
        return
    with (
        embedded_service(folder) as endpoint,
        Connection(endpoint.address, None, tries=_EMBEDDED_TRIES) as connection,
    ):
        yield connection, load_trust(trust or folder / "trust.json")


def read_identity(path: Path) -> HybridIdentity:
    """Reads the first post-quantum identity of an identity file.

    Raises:
        typer.BadParameter: the file cannot be read.
        ServiceError: `identity_classic`.
        KeyvaultError: a line is no identity.
    """
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise typer.BadParameter("The identity file cannot be read.") from None
    for found in parse_identity_file(text):
        if isinstance(found, HybridIdentity):
            return found
    raise invalid(
        "identity_classic",
        "The file holds no post-quantum identity (AGE-SECRET-KEY-PQ-1...); `bauta keygen` makes one.",
    )


def tell(target: Path, done: Submitted, beside: Mapping[str, Path]) -> None:
    """Prints what a submission gave.

    Args:
        target: the result.
        done: of the client.
        beside: what else was written, by name.
    """
    facts = done.facts
    document = {
        "output": str(target),
        "proof": str(proof_path(target)),
        "job": facts.job_id,
        "media_type": facts.media_type,
        "mode": facts.mode,
        "effect": facts.effect,
        "audio": facts.audio,
        "voices": facts.voices,
        "sound_seconds": dict(facts.sound_seconds),
        "words_bleeped": facts.words_bleeped,
        "frames": facts.frames,
        "frames_with_faces": facts.frames_with_faces,
        "tracks": facts.tracks,
        "also_covered": dict(facts.also_covered),
        "frames_also_covered": dict(facts.frames_also_covered),
        "decided": dict(facts.decided),
        "recognized": dict(facts.recognized),
        "matched": dict(facts.matched),
        "leaks": dict(facts.leaks),
        "leaks_look": facts.leaks_look,
        "attackers": sorted(facts.attackers),
        "independent": list(facts.independent),
        "recovery": dict(facts.recovery),
        "tier": facts.tier,
        "walls": list(facts.walls),
        "device": facts.device,
        "engine": facts.engine,
        "result_sha256": facts.result_sha256,
        "worker_version": done.release.facts.version,
        "worker_released_by": done.release.by,
        "timestamps_missing": done.timestamps_missing,
        **{name: str(path) for name, path in beside.items()},
    }
    output.result(
        document,
        f"{target}\n{proof_path(target)}\n"
        f"{_seen(facts)}{decided(facts)}; audio {facts.audio}{heard(facts)}; "
        f"tier {facts.tier}, {len(facts.walls)} walls; verified.\n"
        f"{attacked_in_a_line(facts)}\n"
        f"worker version {done.release.facts.version}, released by {done.release.by}.{_missing(done)}"
        f"{_kept(facts)}",
    )


def _seen(facts: JobFacts) -> str:
    if is_sound_alone(facts):
        return "sound alone"
    return (
        f"{facts.frames} frames, {facts.frames_with_faces} with faces ({facts.tracks} tracks) covered by "
        f"{facts.effect}{besides_faces(facts)}"
    )


def _kept(facts: JobFacts) -> str:
    if not facts.recovery:
        return ""
    return (
        "\nThe service keeps what was covered, encrypted: the custodians of the custody policy can have it "
        f"uncovered. Job {facts.job_id}."
    )


def _missing(done: Submitted) -> str:
    if not done.timestamps_missing:
        return ""
    return (
        f"\nThe proof lacks {done.timestamps_missing} of the timestamps that the trust file demands, and "
        "does not verify until `bauta proof complete` has added them."
    )
