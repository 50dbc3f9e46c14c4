"""`bauta log` over a data folder, as a person runs it: in a process of its own, with its exit code."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provenance.entry import Entry
from provenance.log import TransparencyLog
from provenance.merkle import verify_inclusion
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from tests.unit.provenance.provenance_makers import ORIGIN, TestLogKeys, TestSigner, seed

KEYS = TestLogKeys()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    (folder / "desk").mkdir(mode=0o700, parents=True)
    folder.chmod(0o700)
    (folder / "trust.json").write_bytes(Trust(TestSigner("node").public, ORIGIN, KEYS.vkeys).to_bytes())
    with TransparencyLog(folder / "desk" / "log.sqlite", ORIGIN, KEYS.sign_checkpoint) as log:
        log.append_all(("job", seed(str(number))) for number in range(3))
    return folder


def bauta_log(*arguments: str | Path) -> tuple[int, Any]:
    code = "from console.main import run; run()"
    command = [sys.executable, "-c", code, "log", *map(str, arguments), "--json"]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.returncode, json.loads(done.stdout)


def test_a_sound_log_is_told_to_be_sound(data: Path) -> None:
    code, told = bauta_log("fsck", "--data", data)
    assert (code, told["sound"], told["entries"], told["static_entries"]) == (0, True, 3, 3)


def test_a_changed_tile_is_named(data: Path) -> None:
    (data / "desk" / "log" / "tile" / "0" / "000.p" / "3").write_bytes(bytes(96))
    code, told = bauta_log("fsck", "--data", data)
    assert (code, told["sound"], told["code"]) == (1, False, "log_damaged")
    assert "tile/0/000.p/3" in told["message"]


def test_a_log_that_others_signed_is_not_sound(data: Path) -> None:
    stranger = Trust(TestSigner("node").public, ORIGIN, TestLogKeys(name="stranger").vkeys)
    (data / "trust.json").write_bytes(stranger.to_bytes())
    assert bauta_log("fsck", "--data", data)[0] == 1
    assert bauta_log("show", "--data", data)[0] == 1


def test_a_log_in_use_and_none_at_all_are_said_to_be_so(data: Path) -> None:
    path = data / "desk" / "log.sqlite"
    with TransparencyLog(path, ORIGIN, KEYS.sign_checkpoint):
        code, told = bauta_log("fsck", "--data", data)
    assert (code, told["error"]["code"]) == (1, "log_in_use")
    path.unlink()
    code, told = bauta_log("fsck", "--data", data)
    assert (code, told["error"]["code"]) == (1, "log_missing")
    assert not path.exists()


def test_it_shows_and_proves(data: Path, tmp_path: Path) -> None:
    code, shown = bauta_log("show", "--data", data)
    assert (code, shown["origin"], shown["size"]) == (0, ORIGIN, 3)
    out = tmp_path / "one.tlog-proof"
    assert bauta_log("prove", "1", "-o", out, "--data", data)[0] == 0
    proof = TlogProof.parse(out.read_bytes())
    leaf = Entry("job", seed("1")).leaf
    verify_inclusion(leaf, proof.index, 3, proof.hashes, bytes.fromhex(shown["root"]))
    code, told = bauta_log("prove", "1", "-o", out, "--data", data)
    assert (code, told["error"]["code"]) == (1, "output_exists")
    code, told = bauta_log("prove", "3", "-o", tmp_path / "three", "--data", data)
    assert (code, told["error"]["code"]) == (1, "not_published")
    assert not (tmp_path / "three").exists()
