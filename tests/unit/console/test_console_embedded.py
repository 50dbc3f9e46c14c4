"""Which service a command joins, and what a service leaves behind; no process is started here."""

from __future__ import annotations

import fcntl
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from console import embedded
from console.embedded import Endpoint, embedded_service, publish, try_lock

_NEW = Endpoint("unix:a service of its own")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    @contextmanager
    def started(data: Path, run: Path, lock: int) -> Iterator[Endpoint]:
        yield _NEW
        os.close(lock)

    monkeypatch.setattr(embedded, "_started", started)
    (tmp_path / "run").mkdir()
    return tmp_path / "run"


def _joined(run: Path) -> Endpoint:
    with embedded_service(run.parent) as endpoint:
        return endpoint


def test_a_command_joins_the_service_that_listens(run: Path) -> None:
    held = try_lock(run)
    assert held is not None
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(run / "bauta.sock"))
        server.listen()
        publish(run, f"unix:{run / 'bauta.sock'}")
        assert _joined(run) == Endpoint(f"unix:{run / 'bauta.sock'}")
    os.close(held)


def test_an_address_that_nobody_listens_at_is_not_joined(run: Path) -> None:
    """The front desk is gone, its supervisor not yet: the folder is held for a moment, all else is free."""
    held = try_lock(run)
    assert held is not None
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(run / "bauta.sock"))
        gone.listen()
    publish(run, f"unix:{run / 'bauta.sock'}")
    threading.Timer(0.4, os.close, [held]).start()
    assert _joined(run) == _NEW


def test_a_service_that_is_about_to_end_is_not_joined(run: Path) -> None:
    held = try_lock(run)
    assert held is not None
    ending = os.open(run / "users", os.O_RDWR | os.O_CREAT)
    fcntl.flock(ending, fcntl.LOCK_EX)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(run / "bauta.sock"))
        server.listen()
        publish(run, f"unix:{run / 'bauta.sock'}")
        threading.Timer(0.4, os.close, [held]).start()
        assert _joined(run) == _NEW
    os.close(ending)


def test_a_long_path_has_its_socket_elsewhere_and_the_next_service_clears_it(tmp_path: Path) -> None:
    run = tmp_path / ("long" * 30)
    run.mkdir()
    path = embedded._socket_path(run)
    assert path.parent != run
    assert path.parent.stat().st_mode & 0o777 == 0o700
    publish(run, f"unix:{path}")
    embedded._forget_the_last(run)
    assert not path.parent.exists()
    assert not (run / "endpoint.json").exists()


def test_no_folder_but_its_own_is_cleared(run: Path, tmp_path: Path) -> None:
    publish(run, f"unix:{tmp_path / 'kept' / 'bauta.sock'}")
    (tmp_path / "kept").mkdir()
    embedded._forget_the_last(run)
    assert (tmp_path / "kept").exists()
