"""`bauta log`: what the log of this data folder holds, whether it is sound, and proofs out of it.

Nothing here can sign. What opens the index needs the service stopped; `serve` reads the static files alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, load_trust
from console.log_server import LogServer
from console.paths import data_folder
from grpc_api.errors import invalid, precondition, unavailable
from provenance.checkpoint import verify_checkpoint
from provenance.errors import LogError
from provenance.log import static_folder
from provenance.log_check import check_log
from provenance.log_storage import LogStorage
from provenance.merkle import inclusion_proof
from provenance.tiles.check import check_files
from provenance.tiles.files import FolderFiles
from provenance.tiles.layout import CHECKPOINT
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust

app = typer.Typer(no_args_is_help=True, help="Check the log of this data folder, and prove what is in it.")


@app.command()
def fsck(data: DataOption = None, json: JsonOption = False) -> int:
    """Compute the whole log again: index, static files, signatures. Exit code 1 if it is not sound."""
    folder = data_folder(data)
    with _index(folder) as (storage, trust):
        try:
            report = check_log(storage, trust.log_keys)
            static = check_files(FolderFiles(static_folder(_file(folder))), storage)
        except LogError as error:
            if error.code != "log_damaged":
                raise
            output.result({"sound": False, "code": error.code, "message": str(error)}, f"NOT SOUND: {error}.")
            return 1
    document = {
        "sound": True,
        "entries": report.entries,
        "staged": report.staged,
        "checkpoints": report.checkpoints,
        "static_entries": static.entries,
        "static_files": static.files,
    }
    output.result(
        document,
        f"SOUND: {report.entries} entries under {report.checkpoints} checkpoints, {report.staged} staged; "
        f"{static.files} static files.",
    )
    return 0


@app.command()
def show(data: DataOption = None, json: JsonOption = False) -> int:
    """Show the newest checkpoint, once its signatures are checked."""
    with _index(data_folder(data)) as (storage, trust):
        _, note = _latest(storage)
        checkpoint = verify_checkpoint(note, trust.log_origin, trust.log_keys)
    document = {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "signed_at": checkpoint.signed_at,
    }
    output.result(document, note.decode().rstrip("\n"))
    return 0


@app.command()
def prove(
    index: Annotated[int, typer.Argument(help="The entry's index in the log.", min=0)],
    out: Annotated[
        Path, typer.Option("--output", "-o", help="Where the .tlog-proof goes; never overwritten.")
    ],
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Write the proof that an entry is in the log, a c2sp.org/tlog-proof file."""
    with _index(data_folder(data)) as (storage, trust):
        size, note = _latest(storage)
        verify_checkpoint(note, trust.log_origin, trust.log_keys)
        if index >= size:
            raise invalid("not_published", f"The log has {size} entries; the first has index 0.")
        hashes = tuple(inclusion_proof(index, size, storage.node))
    try:
        with out.open("xb") as file:
            file.write(TlogProof(index=index, hashes=hashes, checkpoint=note).to_bytes())
    except FileExistsError:
        raise invalid("output_exists", "The output file is there already; name another.") from None
    output.result({"index": index, "size": size}, "")
    return 0


@app.command()
def serve(
    listen: Annotated[str, typer.Option(help="HOST:PORT, such as 127.0.0.1:8080; port 0 takes a free one.")],
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Serve the static files over HTTP until interrupted, read only; anchors too. The service may run."""
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise typer.BadParameter("--listen takes HOST:PORT.")
    folder = data_folder(data)
    files = FolderFiles(static_folder(_file(folder)))
    if files.read(CHECKPOINT) is None:
        raise precondition("log_missing", "There is no published log in this data folder.")
    try:
        server = LogServer((host, int(port)), files, FolderFiles(_file(folder).with_name("anchors")))
    except OSError:
        raise unavailable("address_unavailable", f"The address {listen} cannot be bound.") from None
    with server:
        address = f"http://{host}:{server.server_address[1]}/"
        output.result({"address": address}, f"The log is at {address}")
        sys.stdout.flush()
        server.serve_forever()
    return 0


def _file(folder: Path) -> Path:
    return folder / "desk" / "log.sqlite"


@contextmanager
def _index(folder: Path) -> Iterator[tuple[LogStorage, Trust]]:
    """Opens the index of a log that exists, with the trust file beside it."""
    trust = load_trust(folder / "trust.json")
    if not _file(folder).is_file():
        raise precondition("log_missing", "There is no log in this data folder; name another with --data.")
    storage = LogStorage(_file(folder), trust.log_origin)
    try:
        yield storage, trust
    finally:
        storage.close()


def _latest(storage: LogStorage) -> tuple[int, bytes]:
    latest = storage.latest()
    if latest is None:
        raise LogError("the log has no checkpoint yet; start the service once", "not_published")
    return latest
