"""`bauta recording`: what a camera or a recording app does, so that its word stands without the worker's.

It draws the secret of the pieces, commits to what was recorded, and signs that with a key of its own. Handed
in with `bauta submit --recording`, the worker commits with the same secret, so that what it leaves untouched
can be checked against the device's signature.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.asking import ask
from console.commands.options import DataOption, JsonOption, load_trust, say
from console.commands.signing_keys import PassphraseOption, keep_key, show_public
from console.commands.verifying import read_recording
from console.opening import Opening
from console.paths import data_folder
from grpc_api.errors import invalid
from keyvault.recorder_key import RecorderKey
from provenance.committed import verify_recording
from provenance.pieces.recording import Recording, sign_recording
from provenance.pieces.seeds import SEED_BYTES
from provenance.register import fingerprint

app = typer.Typer(no_args_is_help=True, help="Sign what a device records, and show who signed.")

ENDING = ".recording"
OPENING_ENDING = ".opening"


@app.command("init")
def init(
    target: Annotated[Path, typer.Option("--output", "-o", help="The private key file to make.")],
    passphrase: PassphraseOption = False,
    json: JsonOption = False,
) -> int:
    """Make a device's recording key. Its public part goes to stdout, for `recorders` in a trust file."""
    made = RecorderKey.generate()
    keep_key(made, target, "recording key", ask_passphrase=passphrase)
    public = made.signer.public
    say(f"recorder {fingerprint(public)}; whoever has {target} can sign as this device")
    show_public(public)
    return 0


@app.command("sign")
def sign(
    file: Annotated[Path, typer.Argument(help="What was recorded.", exists=True, dir_okay=False)],
    key_file: Annotated[
        Path, typer.Option("--key", help="The private key file.", exists=True, dir_okay=False)
    ],
    json: JsonOption = False,
) -> int:
    """Commit to a recording and sign it. Writes FILE.recording, and FILE.opening: keep that to yourself."""
    signature, opening = (file.with_name(file.name + ending) for ending in (ENDING, OPENING_ENDING))
    if signature.exists() or opening.exists():
        raise typer.BadParameter("It was signed before: the old secret would be lost.")
    signer = RecorderKey.read(key_file, lambda: ask("Passphrase of the recording key: ")).signer
    # Only here: no other command needs the reader's room.
    from evaluation.errors import EvaluationError
    from evaluation.pieces.original import commit_to

    secret = os.urandom(SEED_BYTES)
    try:
        committed = commit_to(file, secret, tiles=True)
    except EvaluationError as error:
        raise invalid(error.code, str(error)) from None
    recorded = sign_recording(committed.commitment.root, signer)
    Opening(secret=secret).write(opening)
    signature.write_bytes(recorded.to_bytes() + b"\n")
    sizes = {kind: tree.size for kind, tree in committed.commitment.descriptions.items()}
    output.result(
        {
            "recording": str(signature),
            "opening": str(opening),
            "commitment": recorded.root.hex(),
            "recorder": fingerprint(signer.public),
            "pieces": sizes,
        },
        f"{signature}\n{opening}\n{sizes['frames']:,} frames and {sizes['audio']:,} blocks of sound, "
        f"signed by recorder {fingerprint(signer.public)}",
    )
    return 0


@app.command("show")
def show(
    file: Annotated[Path, typer.Argument(help="A recording's signature.", exists=True, dir_okay=False)],
    trust: Annotated[
        Path | None,
        typer.Option(help="The trust file.", dir_okay=False, show_default="that of the data folder"),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Check who signed a recording. Exit code 1 when no recorder of the trust file did."""
    untrusted = read_recording(file)
    believed = load_trust(trust or data_folder(data) / "trust.json")
    root, recorder = verify_recording(untrusted, believed)
    keys = [item.key_id for item in Recording.from_bytes(untrusted).signatures]
    output.result(
        {"verified": True, "commitment": root.hex(), "recorder": recorder, "signatures": keys},
        f"signed by recorder {recorder}\ncommitment {root.hex()}",
    )
    return 0
