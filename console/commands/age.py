"""`bauta keygen`, `seal` and `open`: the service's own age code, so that nobody depends on the service."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from console import output
from console.commands.options import JsonOption, say
from keyvault.age import (
    HybridIdentity,
    open_sealed,
    parse_identity_file,
    parse_recipient,
    write_identity_file,
)
from keyvault.age import seal as seal_stream


def keygen(
    target: Annotated[Path, typer.Option("--output", "-o", help="The identity file to make.")],
    json: JsonOption = False,
) -> int:
    """Make a post-quantum age identity (AGE-SECRET-KEY-PQ-1...), mode 0600."""
    identity = HybridIdentity.generate()
    try:
        write_identity_file(target, identity)
    except FileExistsError:
        raise typer.BadParameter("The file exists; an identity is never overwritten.") from None
    recipient = str(identity.recipient)
    output.result({"identity": str(target), "recipient": recipient}, f"Public key: {recipient}")
    return 0


def seal(
    source: Annotated[Path, typer.Argument(metavar="IN", exists=True, dir_okay=False)],
    target: Annotated[Path, typer.Argument(metavar="OUT")],
    recipient: Annotated[
        list[str], typer.Option("--recipient", "-r", help="age1pq1... or age1...; may be repeated.")
    ],
    armor: Annotated[bool, typer.Option("--armor", "-a", help="Write text instead of bytes.")] = False,
    json: JsonOption = False,
) -> int:
    """Seal a file to recipients; any current `age` can open it."""
    recipients = [parse_recipient(text) for text in recipient]
    _write_whole(source, target, lambda plain, sealed: seal_stream(plain, sealed, recipients, armor=armor))
    output.result({"sealed": str(target)}, "")
    return 0


def open_(
    source: Annotated[Path, typer.Argument(metavar="IN", exists=True, dir_okay=False)],
    identity: Annotated[Path, typer.Option("--identity", "-i", help="An identity file.", exists=True)],
    target: Annotated[Path, typer.Option("--output", "-o", help="Where the plaintext goes.")],
    json: JsonOption = False,
) -> int:
    """Open a sealed file. The output appears only once the whole file has proven to be sound."""
    try:
        text = identity.read_text(encoding="ascii")
    except UnicodeDecodeError:
        raise typer.BadParameter("The identity file is not ASCII text.") from None
    if identity.stat().st_mode & 0o077:
        say("warning: others can read this identity file; `chmod 600` it")
    identities = parse_identity_file(text)
    _write_whole(source, target, lambda sealed, plain: open_sealed(sealed, plain, identities))
    output.result({"opened": str(target)}, "")
    return 0


def _write_whole(source: Path, target: Path, work: Callable[[BinaryIO, BinaryIO], object]) -> None:
    """Lets `target` appear only when the work is done."""
    if target.exists() and target.samefile(source):
        raise typer.BadParameter("The output would overwrite the input.")
    with tempfile.NamedTemporaryFile(dir=target.absolute().parent, prefix=".bauta-", delete=False) as sink:
        temporary = Path(sink.name)
        try:
            with source.open("rb") as stream:
                work(stream, sink)  # type: ignore[arg-type]  # a temporary file is a BinaryIO in all but name
            sink.flush()
            os.fsync(sink.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
