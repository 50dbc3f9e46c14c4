"""`bauta witness`: a small server that watches the logs of others, and signs that they keep their past."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from console import output
from console.asking import ask, ask_new_passphrase
from console.commands.options import JsonOption, say
from console.witness_desk import WitnessDesk
from console.witness_folder import WitnessFolder, read_evidence
from console.witness_server import WitnessServer
from grpc_api.errors import invalid, unavailable
from keyvault.signing.witness import WitnessSigner
from keyvault.witness_key import WitnessKey
from provenance.errors import FormatError
from provenance.trust import MAX_TRUST_BYTES
from provenance.witness.known_logs import KnownLogs, parse_known_logs
from provenance.witness.memory import Grievance

app = typer.Typer(no_args_is_help=True)

_FOLDER = typer.Option("--data", help="The witness's own folder; made if it is not there.", file_okay=False)


@app.callback(invoke_without_command=True)
def serve(
    context: typer.Context,
    listen: Annotated[
        str | None, typer.Option(help="HOST:PORT, such as 127.0.0.1:8081; port 0 takes a free one.")
    ] = None,
    data: Annotated[Path | None, _FOLDER] = None,
    log: Annotated[
        list[Path] | None,
        typer.Option(
            help="Whom to watch: a service's trust.json, or a file of verifier keys. May be repeated.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="With the first start: the witness's name, such as witness.example/w1."),
    ] = None,
    url: Annotated[
        str | None, typer.Option(help="The address that logs will use, for the lines that are printed.")
    ] = None,
    ask_passphrase: Annotated[
        bool,
        typer.Option(
            "--ask-passphrase",
            help="With the first start: seal the key file under a passphrase from the terminal or stdin.",
        ),
    ] = False,
    json: JsonOption = False,
) -> int:
    """Watch the logs of others over HTTP (c2sp.org/tlog-witness), and sign that they keep their past."""
    if context.invoked_subcommand is not None:
        return 0
    if listen is None or data is None or not log:
        raise typer.BadParameter("A witness needs --listen, --data and --log.")
    host, _, port = listen.rpartition(":")
    if not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise typer.BadParameter("--listen takes HOST:PORT.")
    logs = _known_logs(log)
    folder = WitnessFolder(data)
    with folder.held():
        signer = _signer(folder, name, ask_passphrase=ask_passphrase)
        desk = WitnessDesk(folder, logs, signer, _name_it)
        try:
            server = WitnessServer((host, int(port)), desk)
        except OSError:
            raise unavailable("address_unavailable", f"The address {listen} cannot be bound.") from None
        signal.signal(signal.SIGTERM, _stop)
        with server:
            address = url or f"http://{host}:{server.server_address[1]}/"
            vkeys = [key.to_text() for key in signer.verifier_keys]
            output.result(
                {"address": address, "vkeys": vkeys, "logs": list(logs)}, _policy_lines(vkeys, address)
            )
            sys.stdout.flush()
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                say("stopped")
    return 0


@app.command()
def evidence(data: Annotated[Path, _FOLDER], json: JsonOption = False) -> int:
    """Show what logs were caught at. Exit code 1 if there is anything."""
    found: list[dict[str, Any]] = []
    for path in WitnessFolder(data).evidence():
        try:
            found.append({"file": str(path), **read_evidence(path)})
        except FormatError:
            raise invalid(
                "evidence_damaged", f"The file {path.name} is no evidence, or was changed."
            ) from None
    text = "\n".join(_told(document) for document in found) or "No log was caught at anything."
    output.result({"evidence": found}, text)
    return 1 if found else 0


def _known_logs(files: list[Path]) -> KnownLogs:
    logs: KnownLogs = {}
    for path in files:
        with path.open("rb") as file:
            for origin, keys in parse_known_logs(file.read(MAX_TRUST_BYTES + 1)).items():
                if logs.setdefault(origin, keys) != keys:
                    raise typer.BadParameter("Two files name one log with different keys.")
    return logs


def _signer(folder: WitnessFolder, name: str | None, *, ask_passphrase: bool) -> WitnessSigner:
    """Reads the key file, and makes it at the first start.

    Raises:
        typer.BadParameter: a new witness without a name, or an old one under a new name.
        WitnessKeyError: the file cannot be used.
    """
    if not folder.key_file.exists():
        if name is None:
            raise typer.BadParameter("A new witness needs a --name, such as witness.example/w1.")
        made = WitnessKey.generate(name)
        made.write(folder.key_file, ask_new_passphrase("witness") if ask_passphrase else None)
        say(f"new keys are in {folder.key_file}; keep a copy of them, and none of the rest of the folder")
        return made.signer
    key = WitnessKey.read(folder.key_file, lambda: ask("Passphrase of the witness: "))
    if name is not None and name != key.name:
        raise typer.BadParameter("The keys in this folder are of another name; a new one needs a new folder.")
    return key.signer


def _policy_lines(vkeys: list[str], address: str) -> str:
    """Our lines of a witness policy, to be pasted."""
    ed25519, mldsa44 = vkeys
    return (
        "# for a witness policy (c2sp.org/tlog-policy); name us as you like\n"
        f"witness W {ed25519} {address}\n"
        f"witness W-pq {mldsa44} {address}\n"
        "group W-both all W W-pq"
    )


def _name_it(found: Grievance, file: str) -> None:
    """Tells whoever looks after the witness, whatever else is printed."""
    sys.stderr.write(
        f"bauta witness: {found.kind} by {found.offered.text.origin} at size {found.offered.text.size}; "
        f"kept as evidence/{file}\n"
    )
    sys.stderr.flush()


def _told(document: dict[str, Any]) -> str:
    says = {
        "fork": "signed two trees of the same size",
        "shrink": "signed a smaller tree after a larger one",
        "rewrite": "came with a larger tree, and without proof that it continues the known one: ask it",
    }
    origin = "".join(sign if sign.isprintable() else "?" for sign in str(document.get("origin"))[:255])
    return f"{origin} {says.get(str(document.get('kind')), 'did something unknown')}: {document['file']}"


def _stop(*_: object) -> None:
    raise KeyboardInterrupt
