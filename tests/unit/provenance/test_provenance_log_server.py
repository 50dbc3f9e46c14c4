"""The log over HTTP: the specification's paths with its headers, and nothing else, whatever is asked for."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from console.bounded_server import Silent
from console.log_server import MAX_CONNECTIONS, LogServer
from provenance.log import TransparencyLog
from provenance.tiles.files import FolderFiles
from tests.unit.provenance.provenance_makers import ORIGIN, TestLogKeys, seed

KEYS = TestLogKeys()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "desk").mkdir()
    tmp_path.chmod(0o700)
    with TransparencyLog(tmp_path / "desk" / "log.sqlite", ORIGIN, KEYS.sign_checkpoint) as log:
        log.append_all(("job", seed(str(number))) for number in range(300))
    return tmp_path


@pytest.fixture
def port(data: Path) -> Iterator[int]:
    with LogServer(("127.0.0.1", 0), FolderFiles(data / "desk" / "log")) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def ask(port: int, path: str, method: str = "GET") -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.putrequest(method, path, skip_accept_encoding=True)
    connection.endheaders()
    answer = connection.getresponse()
    return answer, answer.read()


ANCHORS = "0123456789abcdef" * 2


@pytest.fixture
def anchored_port(data: Path) -> Iterator[int]:
    """A server of a log with one anchor; as files, they need not hold one."""
    folder = data / "desk" / "anchors" / ANCHORS
    folder.mkdir(parents=True)
    (folder / "12").write_bytes(b"an anchor")
    (folder / "sizes").write_bytes(b"12\n")
    (folder / ".new").write_bytes(b"unfinished")
    files, anchors = FolderFiles(data / "desk" / "log"), FolderFiles(data / "desk" / "anchors")
    with LogServer(("127.0.0.1", 0), files, anchors) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def test_it_gives_anchors_and_their_list_and_nothing_around_them(anchored_port: int) -> None:
    for name, kind, content in (
        ("12", "application/json", b"an anchor"),
        ("sizes", "text/plain; charset=utf-8", b"12\n"),
    ):
        answer, found = ask(anchored_port, f"/anchors/{ANCHORS}/{name}")
        assert (answer.status, answer.headers["Content-Type"], found) == (200, kind, content)
        assert answer.headers["Cache-Control"] == "no-cache"
    for name in (
        "",
        "13",
        "012",
        ".new",
        "../12",
        "12/",
        "%31%32",
        "../../log.sqlite",
        "../../log/checkpoint",
    ):
        assert ask(anchored_port, f"/anchors/{ANCHORS}/{name}")[0].status == 404
    for path in ("/anchors/", "/anchors/../log.sqlite", f"/anchors//{ANCHORS}/12", f"/{ANCHORS}/12"):
        assert ask(anchored_port, path)[0].status == 404
    assert ask(anchored_port, "/checkpoint")[0].status == 200


def test_a_server_without_anchors_has_none(port: int) -> None:
    assert ask(port, f"/anchors/{ANCHORS}/sizes")[0].status == 404


@pytest.mark.parametrize(
    ("path", "kind", "caching"),
    [
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("tile/0/000", "application/octet-stream", "immutable"),
        ("tile/0/001.p/44", "application/octet-stream", "immutable"),
        ("tile/1/000.p/1", "application/octet-stream", "immutable"),
        ("tile/entries/000", "application/octet-stream", "immutable"),
        ("tile/entries/001.p/44", "application/octet-stream", "immutable"),
    ],
)
def test_it_gives_the_files_with_the_headers_of_the_specification(
    data: Path, port: int, path: str, kind: str, caching: str
) -> None:
    answer, content = ask(port, "/" + path)
    assert content == (data / "desk" / "log" / path).read_bytes()
    assert (answer.status, answer.headers["Content-Type"]) == (200, kind)
    assert caching in answer.headers["Cache-Control"]
    head, nothing = ask(port, "/" + path, "HEAD")
    assert (head.status, nothing) == (200, b"")
    assert head.headers["Content-Length"] == str(len(content))


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/log.sqlite",
        "/../log.sqlite",
        "/tile/0/../../../log.sqlite",
        "/tile/%2e%2e/%2e%2e/log.sqlite",
        "/checkpoint?x=1",
        "/tile/0",
        "/tile/0/.new",
        "/tile/0/000/",
        "/tile/0/001",
        "/tile/0/001.p/45",
        "/tile/0/x000/000",
    ],
)
def test_nothing_else_is_there(data: Path, port: int, path: str) -> None:
    (data / "desk" / "log" / "tile" / "0" / ".new").write_bytes(b"unfinished")
    assert ask(port, path)[0].status == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_nothing_can_be_changed(port: int, method: str) -> None:
    assert ask(port, "/checkpoint", method)[0].status == 501


def test_a_crowd_is_turned_away_and_the_next_one_served(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    # The crowd stands and says nothing until the last one was turned away, however long that takes here.
    monkeypatch.setattr(Silent, "timeout", 120.0)
    crowd = [socket.create_connection(("127.0.0.1", port), timeout=120) for _ in range(MAX_CONNECTIONS)]
    with socket.create_connection(("127.0.0.1", port), timeout=120) as late:
        assert late.recv(1) == b""
    for waiting in crowd:
        waiting.sendall(b"GET /checkpoint HTTP/1.0\r\n\r\n")
    for waiting in crowd:
        assert waiting.recv(12) == b"HTTP/1.0 200"
        waiting.close()


def test_the_command_says_where_it_listens(data: Path) -> None:
    code = "from console.main import run; run()"
    command = [sys.executable, "-c", code, "log", "serve", "--listen", "127.0.0.1:0", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address = process.stdout.readline().rsplit("/", 2)[1]
        answer, content = ask(int(address.rpartition(":")[2]), "/checkpoint")
        process.terminate()
    assert (answer.status, content) == (200, (data / "desk" / "log" / "checkpoint").read_bytes())


def test_wrong_addresses_and_an_empty_folder_are_said_to_be_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    code = "from console.main import run; run()"
    for listen, exit_code, told in (("8080", 2, "usage"), ("127.0.0.1:0", 1, "log_missing")):
        command = [sys.executable, "-c", code, "log", "serve", "--listen", listen, "--data", str(tmp_path)]
        done = subprocess.run([*command, "--json"], capture_output=True, text=True)
        assert (done.returncode, json.loads(done.stdout)["error"]["code"]) == (exit_code, told)
