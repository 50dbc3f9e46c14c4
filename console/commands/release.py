"""`bauta release`: keys that release versions of the worker, and what they sign (docs/releases.md)."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.asking import ask
from console.commands.options import DataOption, JsonOption, load_trust, say
from console.commands.signing_keys import PassphraseOption, keep_key, show_public
from console.paths import data_folder
from console.supervisor import lone_worker
from enclave.dependencies import check_lock
from enclave.host import WorkerHost
from enclave.measurement import lock_text
from grpc_api.errors import precondition
from grpc_api.register import read_release, write_release
from keyvault.release_key import ReleaseKey
from protos.bauta.internal.v1.worker_pb2 import WorkerHello
from provenance.dsse import sign_envelope
from provenance.register import fingerprint, verify_release
from provenance.statements import WorkerReleaseFacts
from provenance.statements.fields import format_instant

app = typer.Typer(no_args_is_help=True, help="Release versions of the worker, and check releases.")

FileArgument = Annotated[Path, typer.Argument(help="A release.", exists=True, dir_okay=False)]


@app.command("key")
def key(
    target: Annotated[Path, typer.Option("--output", "-o", help="The private key file to make.")],
    passphrase: PassphraseOption = False,
    json: JsonOption = False,
) -> int:
    """Make a release key. Its public part goes to stdout, for `bauta serve --init --release-key`."""
    made = ReleaseKey.generate()
    keep_key(made, target, "release key", ask_passphrase=passphrase)
    public = made.signer.public
    say(f"release key {fingerprint(public)}; keep {target} away from any machine that runs the service")
    show_public(public)
    return 0


@app.command("make")
def make(
    key_file: Annotated[
        Path, typer.Option("--key", help="The private key file.", exists=True, dir_okay=False)
    ],
    target: Annotated[Path, typer.Option("--output", "-o", help="Where the release goes.")],
    json: JsonOption = False,
) -> int:
    """Release the version of the worker that is installed here, once all of it is what its lock names."""
    signer = ReleaseKey.read(key_file, lambda: ask("Passphrase of the release key: ")).signer
    facts = _facts(_installed())
    release = sign_envelope(facts.to_statement(), signer, signer.public.algorithms)
    write_release(target, release)
    output.result(
        {"release": str(target), "key": fingerprint(signer.public), **asdict(facts)},
        f"{target}\nversion {facts.version}, measurement {facts.measurement}, "
        f"released by key {fingerprint(signer.public)}",
    )
    return 0


@app.command("show")
def show(file: FileArgument, json: JsonOption = False) -> int:
    """Say what a release claims. Nothing is verified."""
    envelope = read_release(file)
    facts = WorkerReleaseFacts.from_statement(envelope.payload)
    output.result(
        {"verified": False, "signatures": [item.key_id for item in envelope.signatures], **asdict(facts)},
        _text(facts, "not verified: `bauta release verify` does that"),
    )
    return 0


@app.command("verify")
def verify(
    file: FileArgument,
    trust: Annotated[
        Path | None,
        typer.Option(help="The trust file.", dir_okay=False, show_default="that of the data folder"),
    ] = None,
    installation: Annotated[
        bool,
        typer.Option("--installation", help="Also check that this very version is installed here."),
    ] = False,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Check who signed a release, and whether it is of what is installed here. Exit code 1 when not."""
    release = verify_release(read_release(file), load_trust(trust or data_folder(data) / "trust.json"))
    if installation and _installed().measurement.hex() != release.facts.measurement:
        raise precondition(
            "installation_differs",
            "The release is sound, but what is installed here is another version, or was changed.",
        )
    output.result(
        {
            "verified": True,
            "released_by": release.by,
            "key": fingerprint(release.key),
            "installation": installation,
            **asdict(release.facts),
        },
        _text(release.facts, f"released by {release.by}")
        + (
            "\nthis version is installed here, and every dependency as its lock names it"
            if installation
            else ""
        ),
    )
    return 0


def _installed() -> WorkerHello:
    """What a worker host says of itself, once every file of its dependencies was read.

    Raises:
        ServiceError: `lock_missing`.
        EnclaveError: a dependency is not what the lock names, or the worker does not come up.
    """
    lock = lock_text()
    if lock is None:
        raise precondition(
            "lock_missing", "There is no lock file beside the packages; releases are made of a git checkout."
        )
    say("comparing every installed file with what its RECORD and the lock say")
    check_lock(lock)
    with lone_worker() as channel:
        return WorkerHost(channel).hello()


def _facts(hello: WorkerHello) -> WorkerReleaseFacts:
    return WorkerReleaseFacts(
        measurement=hello.measurement.hex(),
        version=hello.version.version,
        models={model.name: model.sha256.hex() for model in hello.models},
        policies={policy.name: policy.sha256.hex() for policy in hello.version.policies},
        lock_sha256=hello.version.lock_sha256.hex(),
        released_at=format_instant(datetime.now(UTC)),
    )


def _text(facts: WorkerReleaseFacts, verdict: str) -> str:
    lines = [
        f"version      {facts.version}",
        f"measurement  {facts.measurement}",
        f"lock         {facts.lock_sha256}",
        *(f"model        {name} {digest}" for name, digest in facts.models.items()),
        *(f"policy       {name} {digest}" for name, digest in facts.policies.items()),
        f"released at  {facts.released_at}",
        verdict,
    ]
    return "\n".join(lines)
