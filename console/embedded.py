"""A service for the length of a command: the same code, the same walls, a Unix socket.

A second command on the same data folder joins the service that is there. Every user of a service holds a
shared lock on `run/users`; once the command that started it is gone, the service waits for the exclusive
lock, and ends. A command that comes too late to share waits for the folder and starts a new one.

The front desk's end gives `run/users` free again while its supervisor still holds the folder, and the address
of a service outlives it: so a command joins only where somebody listens.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from grpc_api.errors import ServiceError, unavailable

_READY_SECONDS = 60.0
_END_SECONDS = 3.0
# A Unix socket's path holds 107 bytes.
_MAX_SOCKET_PATH = 100
# For the data folders whose own path is longer.
_FOLDER_PREFIX = "bauta-"
_CAUSE = re.compile(r"bauta (vault|worker host): (?P<code>[a-z_]+): (?P<message>.+)")


@dataclass(frozen=True)
class Endpoint:
    """Where an embedded service listens."""

    address: str


@contextmanager
def embedded_service(data: Path) -> Iterator[Endpoint]:
    """Starts the embedded service, or joins the one that runs on this data folder.

    Raises:
        ServiceError: with the service's own code, or `service_unreachable`.
    """
    run = data / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    deadline = time.monotonic() + _READY_SECONDS
    while True:
        lock = try_lock(run)
        if lock is not None:
            with _started(data, run, lock) as endpoint:
                yield endpoint
            return
        with _using(run) as is_kept:
            published = _published(run) if is_kept else None
            if published is not None and _listens(published):
                yield published
                return
        if time.monotonic() > deadline:
            raise unavailable(
                "service_unreachable", "Another service holds the data folder but does not answer."
            )
        time.sleep(0.1)


def try_lock(run: Path) -> int | None:
    """Takes the data folder for one service; the descriptor that holds the lock, or None."""
    fd = os.open(run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    return fd


def publish(run: Path, address: str) -> None:
    """Tells later commands where the service listens."""
    temporary = run / "endpoint.tmp"
    temporary.write_text(json.dumps({"address": address}), encoding="utf-8")
    temporary.replace(run / "endpoint.json")


def _published(run: Path) -> Endpoint | None:
    try:
        return Endpoint(json.loads((run / "endpoint.json").read_text(encoding="utf-8"))["address"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _listens(endpoint: Endpoint) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as end:
        try:
            end.connect(_path_of(endpoint))
        except OSError:
            return False
    return True


def _path_of(endpoint: Endpoint) -> str:
    return endpoint.address.removeprefix("unix:")


@contextmanager
def _using(run: Path) -> Iterator[bool]:
    """Holds the service that runs, if it is not about to end."""
    fd = os.open(run / "users", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        is_kept = True
    except BlockingIOError:
        is_kept = False
    try:
        yield is_kept
    finally:
        os.close(fd)


@contextmanager
def _started(data: Path, run: Path, lock: int) -> Iterator[Endpoint]:
    _forget_the_last(run)
    path = _socket_path(run)
    address = f"unix:{path}"
    ready_read, ready_write = os.pipe()
    parent_read, parent_write = os.pipe()
    words = ["--data", data, "--listen", address, "--ready-fd", ready_write]
    words += ["--parent-fd", parent_read, "--users-lock", run / "users"]
    with (run / "service.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-I", "-m", "console.supervisor", *map(str, words)],
            # The lock lives as long as the supervisor does, even when this command is killed.
            pass_fds=(ready_write, parent_read, lock),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,
        )
    for fd in (ready_write, parent_read, lock):
        os.close(fd)
    try:
        with _using(run):
            try:
                wait_until_ready(ready_read)
            except ServiceError as error:
                raise _first_cause(run / "service.log") or error from None
            publish(run, address)
            yield Endpoint(address)
    finally:
        os.close(ready_read)
        os.close(parent_write)
        # Others may still use the service: then it lives on without this command.
        with suppress(subprocess.TimeoutExpired):
            process.wait(_END_SECONDS)
            _remove_folder_of(path, run)


def wait_until_ready(ready_fd: int) -> list[str]:
    """Reads the front desk's one line; the addresses that it bound.

    Raises:
        ServiceError: with the code that the front desk gave, or `service_start_failed`.
    """
    line = b""
    deadline = time.monotonic() + _READY_SECONDS
    while not line.endswith(b"\n"):
        readable, _, _ = select.select([ready_fd], [], [], max(0.0, deadline - time.monotonic()))
        part = os.read(ready_fd, 65536) if readable else b""
        if not part:
            raise unavailable(
                "service_start_failed", "The service did not start; `bauta doctor` looks into it."
            )
        line += part
    message = json.loads(line)
    if "error" in message:
        raise unavailable(message["error"]["code"], message["error"]["message"])
    return list(message["listen"])


def _first_cause(log: Path) -> ServiceError | None:
    """Why vault or worker host did not start, in their words: the front desk only sees that they are gone."""
    for line in log.read_text(errors="replace").splitlines():
        cause = _CAUSE.fullmatch(line)
        if cause is not None:
            return unavailable(cause["code"], cause["message"])
    return None


def _socket_path(run: Path) -> Path:
    path = run / "bauta.sock"
    if len(os.fsencode(path)) <= _MAX_SOCKET_PATH:
        path.unlink(missing_ok=True)
        return path
    return Path(tempfile.mkdtemp(prefix=_FOLDER_PREFIX)) / "bauta.sock"


def _forget_the_last(run: Path) -> None:
    """Removes what the service before left: its address and, where it had one elsewhere, its socket's folder.

    Not removed with the command that made it: others may use the service for longer.
    """
    last = _published(run)
    (run / "endpoint.json").unlink(missing_ok=True)
    if last is not None:
        _remove_folder_of(Path(_path_of(last)), run)


def _remove_folder_of(path: Path, run: Path) -> None:
    if path.parent != run and path.parent.name.startswith(_FOLDER_PREFIX):
        shutil.rmtree(path.parent, ignore_errors=True)
