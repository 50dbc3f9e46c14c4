"""Starts vault, worker host and front desk side by side, each with exactly the descriptors it may have.

    front desk <-> vault         describe, intake, checkpoints
    front desk <-> worker host   orders with descriptors; reports come back on a pipe for each job
    worker host <-> vault        file keys: the front desk holds no end of this one

One of the three gone means none can be trusted to be whole: all are ended. `python -m console.supervisor`
runs it as a process of its own for the embedded service, without the command line's imports.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_GRACE_SECONDS = 10.0
# How often the three are looked at. A sleep this short also bounds how late a signal is noticed.
_LOOK_SECONDS = 0.05
# What a child needs to find its libraries and speak UTF-8; nothing else of the user's environment.
_KEPT_VARIABLES = ("PATH", "LANG", "LC_ALL", "TZ", "HOME", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")
# Where a token's PKCS#11 module finds its configuration; for the vault alone.
_TOKEN_VARIABLES = ("SOFTHSM2_CONF", "YUBIHSM_PKCS11_CONF", "P11NETHSM_CONFIG_FILE")


@dataclass(frozen=True)
class Orders:
    """What to serve.

    Attributes:
        data: the data folder.
        listen: addresses, `unix:PATH` or `HOST:PORT`.
        config: the service's TOML file, if any.
        ready_fd: gets one JSON line from the front desk.
        parent_fd: embedded: the service ends once this pipe is closed and nobody holds users_lock.
        users_lock: embedded: the file that users of the service hold a shared lock on.
        vault_options: who keeps the master key, in the vault's words; whole numbers are descriptors. Without
            any, the vault uses its key file.
        witness_policy: a c2sp.org/tlog-policy text that the vault holds releases to; "" for none. The front
            desk reads its own from the configuration, and is not the one to tell the vault.
        drain_seconds: how long the front desk may take to stop.
        anchors: chain, contract (hexadecimal) and most wei of one anchor, which the vault holds transactions
            to; None for no chain.
    """

    data: Path
    listen: tuple[str, ...]
    config: Path | None
    ready_fd: int
    parent_fd: int | None = None
    users_lock: Path | None = None
    vault_options: tuple[str | int, ...] = ()
    witness_policy: str = ""
    drain_seconds: float = 30.0
    anchors: tuple[int, str, int] | None = None


class Supervisor:
    """The three processes of one service."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        vault_front, front_vault = socket.socketpair()
        worker_front, front_worker = socket.socketpair()
        vault_worker, worker_vault = socket.socketpair()
        life_read, self._life_write = os.pipe()
        vault: list[object] = [
            "--front-fd",
            vault_front,
            "--worker-fd",
            vault_worker,
            "--store",
            orders.data / "vault",
            *orders.vault_options,
        ]
        policy_fd = _readable(orders.witness_policy) if orders.witness_policy else None
        if policy_fd is not None:
            vault += ["--witness-policy-fd", policy_fd]
        if orders.anchors is not None:
            # Text: a whole number among these words is a descriptor.
            chain_id, contract, max_wei = orders.anchors
            vault += ["--anchor-chain-id", str(chain_id), "--anchor-contract", contract]
            vault += ["--anchor-max-wei", str(max_wei)]
        desk: list[object] = ["--data", orders.data, "--vault-fd", front_vault, "--worker-fd", front_worker]
        desk += ["--ready-fd", orders.ready_fd, "--life-fd", life_read]
        for address in orders.listen:
            desk += ["--listen", address]
        if orders.config is not None:
            desk += ["--config", orders.config]
        if orders.parent_fd is not None and orders.users_lock is not None:
            desk += ["--parent-fd", orders.parent_fd, "--users-lock", orders.users_lock]
        worker: list[object] = ["--front-fd", worker_front, "--vault-fd", worker_vault]
        # The worker host takes longest to get warm, so it starts first.
        self._worker = _start("enclave.nursery", worker)
        self._vault = _start("keyvault.vault", vault, _TOKEN_VARIABLES)
        self._desk = _start("grpc_api", desk)
        self._processes = (self._desk, self._vault, self._worker)
        self._kill_at: float | None = None
        for pair_end in (vault_front, front_vault, worker_front, front_worker, vault_worker, worker_vault):
            pair_end.close()
        secrets = (part for part in orders.vault_options if isinstance(part, int))
        for fd in (life_read, orders.ready_fd, orders.parent_fd, policy_fd, *secrets):
            if fd is not None:
                os.close(fd)

    def stop(self) -> None:
        """Asks the front desk to drain and stop. Safe in a signal handler."""
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._orders.drain_seconds + _GRACE_SECONDS
        if self._desk.poll() is None:
            self._desk.terminate()

    def wait(self) -> int:
        """Waits until the front desk ends, or until another process dies and takes all with it.

        Returns:
            0 after an orderly end, 1 otherwise.
        """
        while all(process.poll() is None for process in self._processes) and not self._is_overdue():
            time.sleep(_LOOK_SECONDS)
        orderly = self._wait_for_desk(1.0)
        code = self._desk.returncode if orderly else 1
        self._end_all()
        return 0 if code == 0 else 1

    def _is_overdue(self) -> bool:
        return self._kill_at is not None and time.monotonic() > self._kill_at

    def _wait_for_desk(self, seconds: float) -> bool:
        try:
            self._desk.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _end_all(self) -> None:
        os.close(self._life_write)
        self.stop()
        if not self._wait_for_desk(max(0.0, (self._kill_at or 0.0) - time.monotonic())):
            self._desk.kill()
            self._desk.wait()
        # Both end by themselves when the front desk's end of their channel closes.
        for process in (self._worker, self._vault):
            _end(process)


@contextmanager
def lone_worker() -> Iterator[socket.socket]:
    """A worker host by itself, to ask what it is; the front desk's end of its channel."""
    with ExitStack() as stack:
        front, worker_front, vault, worker_vault = (
            stack.enter_context(end) for pair in (socket.socketpair(), socket.socketpair()) for end in pair
        )
        process = _start("enclave.nursery", ["--front-fd", worker_front, "--vault-fd", worker_vault])
        worker_front.close()
        worker_vault.close()
        try:
            yield front
        finally:
            front.close()
            vault.close()
            _end(process)


def _readable(text: str) -> int:
    """A descriptor that gives this text to whoever inherits it."""
    fd = os.memfd_create("witness_policy")
    with os.fdopen(fd, "wb", closefd=False) as file:
        file.write(text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _end(process: subprocess.Popen[bytes]) -> None:
    """Waits for a process that ends by itself once its channels are closed, but not for ever."""
    try:
        process.wait(_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _start(
    module: str, arguments: Sequence[object], more_variables: Sequence[str] = ()
) -> subprocess.Popen[bytes]:
    descriptors = [part.fileno() for part in arguments if isinstance(part, socket.socket)]
    descriptors += [part for part in arguments if isinstance(part, int)]
    words = [str(part.fileno() if isinstance(part, socket.socket) else part) for part in arguments]
    return subprocess.Popen(
        # -I: neither the current folder nor the user's environment can put code into these processes.
        [sys.executable, "-I", "-m", module, *words],
        pass_fds=descriptors,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        env={name: os.environ[name] for name in (*_KEPT_VARIABLES, *more_variables) if name in os.environ},
        # Ctrl-C in a terminal reaches the supervisor alone, which then stops things in order.
        start_new_session=True,
        umask=0o077,
    )


def main() -> int:
    """The embedded service's supervisor: `--ready-fd` and `--parent-fd` come from the command line."""
    parser = argparse.ArgumentParser(prog="python -m console.supervisor")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--config", type=Path)
    parser.add_argument("--listen", action="append", required=True)
    parser.add_argument("--ready-fd", type=int, required=True)
    parser.add_argument("--parent-fd", type=int)
    parser.add_argument("--users-lock", type=Path)
    arguments = parser.parse_args()
    supervisor = Supervisor(
        Orders(
            data=arguments.data,
            listen=tuple(arguments.listen),
            config=arguments.config,
            ready_fd=arguments.ready_fd,
            parent_fd=arguments.parent_fd,
            users_lock=arguments.users_lock,
        )
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: supervisor.stop())
    return supervisor.wait()


if __name__ == "__main__":
    raise SystemExit(main())
