"""The front desk cannot reach into the vault: not into its folder, not into its memory, not even as root."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from service_process import Service

ATTEMPTS = """
import json, os, sys
from pathlib import Path
from enclave.wall import keep_out_of
data, outside = Path(sys.argv[1]), sys.argv[2]
(data / "link").symlink_to(data / "vault")
keep_out_of(data / "vault")
def tried(attempt):
    try:
        attempt()
    except OSError as error:
        return type(error).__name__
    return "done"
print(json.dumps({
    "read a key": tried(lambda: (data / "vault" / "master.key").read_bytes()),
    "read it through a link": tried(lambda: (data / "link" / "master.key").read_bytes()),
    "list the vault": tried(lambda: list((data / "vault").iterdir())),
    "add to the vault": tried(lambda: (data / "vault" / "new").write_bytes(b"x")),
    "remove a key": tried(lambda: (data / "vault" / "master.key").unlink()),
    "move the vault": tried(lambda: (data / "vault").rename(data / "desk" / "vault")),
    "link a key": tried(lambda: os.link(data / "vault" / "master.key", data / "desk" / "key")),
    "read memory": tried(lambda: open(f"/proc/{outside}/mem", "rb").close()),
    "write its own": tried(lambda: (data / "desk" / "file").write_bytes(b"x")),
    "read a neighbour": tried(lambda: (data / "trust.json").read_bytes()),
    "import": tried(lambda: __import__("sqlite_utils")),
}))
"""


def test_what_a_front_desk_can_still_do(tmp_path: Path) -> None:
    for folder in ("vault", "desk"):
        (tmp_path / folder).mkdir()
    (tmp_path / "vault" / "master.key").write_bytes(b"secret")
    (tmp_path / "trust.json").write_bytes(b"{}")
    words = [sys.executable, "-c", ATTEMPTS, str(tmp_path), str(os.getpid())]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=60)
    outcome = json.loads(done.stdout)
    allowed = {"write its own", "read a neighbour", "import"}
    assert {name for name, said in outcome.items() if said == "done"} == allowed, outcome
    assert (tmp_path / "vault" / "master.key").read_bytes() == b"secret"


@pytest.mark.skipif(os.geteuid() != 0, reason="looking at another process's status takes root here")
def test_a_real_front_desk_gave_it_up(tmp_path: Path) -> None:
    with Service(tmp_path) as service:
        status = Path(f"/proc/{service.processes()['desk'].pid}/status").read_text()
        assert "NoNewPrivs:\t1" in status
