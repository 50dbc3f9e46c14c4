"""The front desk's process: `python -m grpc_api`, started by the supervisor with its descriptors.

It prints one JSON line to `--ready-fd` when it answers, or when it cannot: `{"listen": [...]}` or
`{"error": {"code", "message"}}`.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import logging
import os
import resource
import signal
import socket
import threading
from pathlib import Path

from enclave.errors import EnclaveError
from enclave.host import WorkerHost
from grpc_api.config import load_config
from grpc_api.errors import ServiceError
from grpc_api.founding import establish
from grpc_api.premises import Premises
from grpc_api.server import FrontDesk
from keyvault.client import VaultClient
from keyvault.errors import KeyvaultError
from protos.framing import write_all
from provenance.errors import ProvenanceError

_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT}


def main() -> int:
    """Serves until SIGTERM, or, embedded, until nobody needs it."""
    arguments = _parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(0o077)
    # Blocked before the first thread starts, so that none of them inherits a way to lose one: a handler
    # that runs while the main thread goes to sleep would be noticed only when something else wakes it.
    signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)
    vault = VaultClient(arguments.vault_fd)
    worker = WorkerHost(socket.socket(fileno=arguments.worker_fd))
    try:
        premises = Premises(arguments.data)
        config = load_config(arguments.config)
        description = establish(premises, vault, config.outsiders)
        desk = FrontDesk(
            premises,
            config,
            vault,
            worker,
            description=description,
            embedded=arguments.parent_fd is not None,
        )
        bound = [desk.listen(address) for address in arguments.listen]
        desk.start()
    except (ServiceError, EnclaveError, KeyvaultError, ProvenanceError) as error:
        _say(arguments.ready_fd, {"error": {"code": error.code, "message": str(error)}})
        return 1
    _say(arguments.ready_fd, {"listen": bound})
    threading.Thread(target=_await_supervisor, args=(arguments.life_fd,), daemon=True).start()
    if arguments.parent_fd is not None:
        threading.Thread(
            target=_await_parent, args=(arguments.parent_fd, arguments.users_lock), daemon=True
        ).start()
    signal.sigwait(_STOP_SIGNALS)
    desk.stop()
    desk.close()
    logging.shutdown()
    # Everything is durable and closed. An interpreter that winds down waits for every call's thread, and
    # one that hangs would hold up the whole service.
    os._exit(0)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m grpc_api")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--listen", action="append", required=True)
    parser.add_argument("--vault-fd", type=int, required=True)
    parser.add_argument("--worker-fd", type=int, required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    parser.add_argument("--life-fd", type=int, required=True, help="end at once when this pipe closes")
    parser.add_argument("--parent-fd", type=int, help="embedded: end once this pipe closes...")
    parser.add_argument("--users-lock", type=Path, help="...and nobody shares this lock")
    return parser.parse_args()


def _await_supervisor(life_fd: int) -> None:
    while os.read(life_fd, 1):
        pass
    os.kill(os.getpid(), signal.SIGTERM)


def _await_parent(parent_fd: int, users_lock: Path) -> None:
    while os.read(parent_fd, 1):
        pass
    # Granted once no command shares it; held to the end, so that none can join a service that stops.
    fd = os.open(users_lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    os.kill(os.getpid(), signal.SIGTERM)


def _say(fd: int, message: dict[str, object]) -> None:
    write_all(fd, json.dumps(message).encode() + b"\n")
    os.close(fd)


if __name__ == "__main__":
    raise SystemExit(main())
