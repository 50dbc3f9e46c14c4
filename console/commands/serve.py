"""`bauta serve`: the service, until it is told to stop."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from console import output
from console.commands.options import DataOption, JsonOption, load_trust, say
from console.custody import Custody, choose
from console.embedded import publish, try_lock, wait_until_ready
from console.paths import data_folder
from console.supervisor import Orders, Supervisor
from grpc_api.anchors.config import AnchorConfig
from grpc_api.config import load_config
from grpc_api.errors import ServiceError, precondition, unavailable
from grpc_api.outsiders import Outsiders
from grpc_api.register import add_releases
from grpc_api.tls import TlsFiles, create_authority, create_client, create_server
from provenance.errors import ProvenanceError
from provenance.trust import parse_public_key

_RESTARTS = 5
_RESTART_PAUSE_SECONDS = 1.0
_HEALTHY_SECONDS = 60.0


def serve(
    config: Annotated[
        Path | None, typer.Option(help="A TOML file with limits.", exists=True, dir_okay=False)
    ] = None,
    listen: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST:PORT", help="An address for remote clients (mutual TLS). May be repeated."
        ),
    ] = None,
    init: Annotated[
        bool, typer.Option("--init", help="Make keys, certificates and a client bundle, then stop.")
    ] = False,
    name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST", help="With --init: a host name or address clients will use. May be repeated."
        ),
    ] = None,
    client: Annotated[
        Path | None,
        typer.Option(
            help="With --init: where to make this client's bundle; each client gets its own.",
            show_default="client/ in the data folder",
        ),
    ] = None,
    release_key: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="With the first --init: a public release key; only workers that it or another one released "
            "will serve. May be repeated.",
            exists=True,
            dir_okay=False,
            show_default="the service's own key: the operator's word",
        ),
    ] = None,
    release: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE",
            help="A release of the worker that is installed here; copied to releases/ in the data folder. "
            "May be repeated.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    ask_passphrase: Annotated[
        bool,
        typer.Option(
            "--ask-passphrase", help="Unlock the vault with a passphrase from the terminal or stdin."
        ),
    ] = False,
    pkcs11_module: Annotated[
        Path | None,
        typer.Option(
            metavar="PATH",
            help="Unlock the vault with a token: its PKCS#11 library. Asks for the PIN, or reads stdin.",
        ),
    ] = None,
    pkcs11_token: Annotated[str | None, typer.Option(metavar="LABEL", help="The token's label.")] = None,
    custodian: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Unlock the vault with an installed custodian, such as a KMS."),
    ] = None,
    custodian_config: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The custodian's configuration.", exists=True, dir_okay=False),
    ] = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> int:
    """Run the service. It always listens on a Unix socket in the data folder."""
    folder = data_folder(data)
    release_keys = _release_keys(release_key or [], folder, init=init)
    settings = load_config(config)
    run = folder / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    lock = try_lock(run)
    if lock is None:
        raise unavailable("data_folder_busy", "Another service runs on this data folder.")
    add_releases(folder / "releases", release or [])
    socket_path = run / "bauta.sock"
    custody = choose(
        ask_passphrase=ask_passphrase,
        pkcs11_module=pkcs11_module,
        pkcs11_token=pkcs11_token,
        custodian=custodian,
        custodian_config=custodian_config,
    )
    server = _Server(
        folder,
        config,
        (f"unix:{socket_path}", *(listen or ())),
        custody,
        release_keys,
        settings.drain_seconds,
        settings.outsiders,
    )
    if init:
        return _init(folder, server, tuple(name or ()), client or folder / "client")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    return server.run(run)


class _Server:
    """The supervised service, started again when a part of it dies."""

    def __init__(
        self,
        folder: Path,
        config: Path | None,
        listen: tuple[str, ...],
        custody: Custody,
        release_keys: tuple[Path, ...],
        drain_seconds: float,
        outsiders: Outsiders,
    ) -> None:
        self._folder = folder
        self._config = config
        self._listen = listen
        self._custody = custody
        self._release_keys = release_keys
        self._drain_seconds = drain_seconds
        self._outsiders = outsiders
        # A plain flag: an Event cannot be set in a signal handler while its own thread waits for it.
        self._stop_asked = False
        self._supervisor: Supervisor | None = None

    def stopping(self) -> bool:
        """Whether somebody asked it to end."""
        return self._stop_asked

    def stop(self) -> None:
        """Drains and ends. Safe in a signal handler."""
        self._stop_asked = True
        if self._supervisor is not None:
            self._supervisor.stop()

    def run(self, run: Path) -> int:
        """Serves until stopped; gives up when it keeps dying."""
        failures = 0
        while not self.stopping() and failures < _RESTARTS:
            began = time.monotonic()
            try:
                bound = self.start()
            except ServiceError:
                if not self.stopping():
                    raise
                break  # Told to stop before it was ready.
            publish(run, bound[0])
            output.result({"ready": True, "listen": bound}, f"ready: {', '.join(bound)}")
            sys.stdout.flush()
            if self.stopping():
                self.stop()  # The signal came before there was anything to stop.
            code = self.wait()
            if self.stopping() or code == 0:
                say("stopped")
                return 0
            failures = 1 if time.monotonic() - began > _HEALTHY_SECONDS else failures + 1
            say("a part of the service died; starting again")
            self._pause(_RESTART_PAUSE_SECONDS * failures)
        return 0 if self.stopping() else 1

    def _pause(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopping() and time.monotonic() < until:
            time.sleep(0.05)

    def start(self) -> list[str]:
        """Starts the three processes; the addresses that are bound.

        Raises:
            ServiceError: why the front desk did not start.
        """
        Path(self._listen[0].removeprefix("unix:")).unlink(missing_ok=True)
        ready_read, ready_write = os.pipe()
        self._supervisor = Supervisor(
            Orders(
                data=self._folder,
                listen=self._listen,
                config=self._config,
                ready_fd=ready_write,
                vault_options=(
                    *self._custody.vault_options(),
                    *(word for path in self._release_keys for word in ("--release-key", str(path))),
                ),
                witness_policy=self._outsiders.witness_policy,
                anchors=_anchor_orders(self._outsiders.anchors),
                drain_seconds=self._drain_seconds,
            )
        )
        try:
            return wait_until_ready(ready_read)
        except ServiceError:
            self.wait()
            raise
        finally:
            os.close(ready_read)

    def wait(self) -> int:
        """Waits for the end of the three processes."""
        return self._supervisor.wait() if self._supervisor is not None else 1


def _anchor_orders(asked: AnchorConfig | None) -> tuple[int, str, int] | None:
    """What the vault is told of the chain."""
    return None if asked is None else (asked.chain_id, asked.contract.hex(), asked.max_wei)


def _release_keys(paths: list[Path], folder: Path, *, init: bool) -> tuple[Path, ...]:
    """Checks what a vault is to be made with, before it is.

    Raises:
        typer.BadParameter: a file is no public key, or keys are given without --init.
        ServiceError: `release_keys_fixed`, the vault was made with others.
    """
    if paths and not init:
        raise typer.BadParameter("--release-key goes with --init.")
    try:
        keys = {parse_public_key(path.read_bytes()) for path in paths}
    except ProvenanceError:
        raise typer.BadParameter(
            "A release key is not a public key as `bauta release key` prints it."
        ) from None
    trust_file = folder / "trust.json"
    if keys and trust_file.exists() and keys != set(load_trust(trust_file).releases):
        raise precondition(
            "release_keys_fixed",
            "This service was made with other release keys, and they are fixed: its clients hold them in "
            "their trust files. Make a new data folder, and hand out its trust file.",
        )
    return tuple(path.absolute() for path in paths)


def _init(folder: Path, server: _Server, names: tuple[str, ...], bundle: Path) -> int:
    tls = folder / "tls"
    create_authority(tls)
    if names or not TlsFiles(tls, "server").certificate.exists():
        create_server(tls, (*names, "localhost", "127.0.0.1", "::1"))
    create_client(tls, bundle)
    server.start()
    server.stop()
    server.wait()
    (bundle / "trust.json").write_bytes((folder / "trust.json").read_bytes())
    output.result(
        {"data": str(folder), "client_bundle": str(bundle)},
        f"keys and certificates are in {folder}\n"
        f"hand this folder to one client, over a channel you trust: {bundle}",
    )
    return 0
