"""`bauta proof`: what it adds, what it never changes, what it hands out."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import typer

from console import output
from console.commands import proof as proof_command
from console.main import app
from grpc_api.errors import ServiceError
from grpc_api.timestamps import TimeAuthorities
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof
from tests import time_server
from tests.time_authority import time_authority
from tests.time_server import Honest, serving
from tests.unit.provenance.provenance_makers import RESULT, House, make_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = make_house(tmp_path_factory.mktemp("house"))
    yield made
    made.log.close()


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every peer here comes to an end by itself, on a slow machine a little later."""
    monkeypatch.setattr(proof_command, "TimeAuthorities", partial(TimeAuthorities, seconds=120.0))


@pytest.fixture
def proof(house: House, tmp_path: Path) -> Path:
    path = tmp_path / "result.mp4.proof"
    path.write_bytes(house.prove_job())
    path.chmod(0o640)
    return path


def believing(house: House, folder: Path, *names: str) -> Path:
    roots = tuple(time_authority(name).root_der for name in names)
    path = folder / "trust.json"
    path.write_bytes(replace(house.trust, timestamp_roots=roots, required_timestamps=len(roots)).to_bytes())
    return path


def run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *arguments: object
) -> tuple[int, dict[str, Any]]:
    monkeypatch.setattr(output.MODE, "as_json", False)
    code = app([*map(str, arguments), "--json"], standalone_mode=False)
    return code, json.loads(capsys.readouterr().out)


def test_a_proof_without_timestamps_becomes_complete_and_nothing_else_changes(
    proof: Path,
    house: House,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = ProofFile.from_bytes(proof.read_bytes())
    trust = believing(house, tmp_path, "time", "other")
    (tmp_path / "result.mp4").write_bytes(RESULT)
    verifying = ("verify", tmp_path / "result.mp4", "--trust", trust)
    code, told = run(capsys, monkeypatch, *verifying)
    assert (code, told["failed_step"], told["code"]) == (1, "timestamps_believed", "timestamp_missing")
    with serving(Honest()) as one, serving(Honest(time_authority("other"))) as two:
        asking = ("proof", "complete", proof, "--tsa", one.url, "--tsa", two.url, "--trust", trust)
        code, told = run(capsys, monkeypatch, *asking)
        assert (code, told["added"], told["timestamps"]) == (0, 2, 2)
        content = proof.read_bytes()
        code, told = run(capsys, monkeypatch, *asking)
        assert (code, told["added"], told["timestamps"]) == (0, 0, 2)
    assert proof.read_bytes() == content, "twice is once"
    assert replace(ProofFile.from_bytes(content), timestamps=()) == before
    assert stat.S_IMODE(proof.stat().st_mode) == 0o640
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "result.mp4",
        "result.mp4.proof",
        "trust.json",
    ]
    code, told = run(capsys, monkeypatch, *verifying)
    assert (code, told["verified"]) == (0, True)
    assert [stamp["serial"] for stamp in told["timestamps"]] == ["5eed", "5eed"]
    assert len({stamp["root_sha256"] for stamp in told["timestamps"]}) == 2


@pytest.mark.parametrize(
    ("way", "code"),
    [
        (time_server.failing, "timestamp_unavailable"),
        (time_server.stranger, "timestamp_not_believed"),
        (time_server.forged, "timestamp_forged"),
    ],
)
def test_without_a_timestamp_the_file_stays_as_it_is(
    way: time_server.Way,
    code: str,
    proof: Path,
    house: House,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, at = proof.read_bytes(), proof.stat().st_mtime_ns
    trust = believing(house, tmp_path, "time")
    with serving(way) as server:
        done, told = run(
            capsys, monkeypatch, "proof", "complete", proof, "--tsa", server.url, "--trust", trust
        )
    assert done == 1
    assert told == {"added": 0, "timestamps": 0, "answers": [{"url": server.url, "code": code}]}
    assert (proof.read_bytes(), proof.stat().st_mtime_ns) == (before, at)


def test_one_that_is_down_does_not_keep_another_ones_out(
    proof: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(Honest()) as up, serving(time_server.failing) as down:
        code, told = run(capsys, monkeypatch, "proof", "complete", proof, "--tsa", down.url, "--tsa", up.url)
    assert (code, told["added"]) == (1, 1)


def test_the_service_s_configuration_names_whom_to_ask(
    proof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "root.pem").write_bytes(time_authority().root_pem)
    with serving(Honest()) as server:
        (tmp_path / "service.toml").write_text(
            f'[timestamps]\nurls = ["{server.url}"]\nroots = ["root.pem"]\nrequired = 1\n'
        )
        code, told = run(
            capsys, monkeypatch, "proof", "complete", proof, "--config", tmp_path / "service.toml"
        )
    assert (code, told["added"]) == (0, 1)


def test_a_link_stays_a_link(
    proof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path / "link.proof"
    link.symlink_to(proof)
    with serving(Honest()) as server:
        run(capsys, monkeypatch, "proof", "complete", link, "--tsa", server.url)
    assert link.is_symlink()
    assert len(ProofFile.from_bytes(proof.read_bytes()).timestamps) == 1


def test_a_failed_write_leaves_the_old_proof(
    proof: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_fd: int) -> None:
        raise OSError(28, os.strerror(28))

    before = proof.read_bytes()
    monkeypatch.setattr(os, "fsync", full)
    with serving(Honest()) as server, pytest.raises(OSError, match="No space"):
        app(["proof", "complete", str(proof), "--tsa", server.url], standalone_mode=False)
    assert proof.read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == [proof.name]


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--tsa", "ftp://tsa.example/"],
        ["--tsa", "http://someone@tsa.example/"],
        [part for number in range(5) for part in ("--tsa", f"http://tsa{number}.example/")],
    ],
)
def test_whom_to_ask_must_be_named_and_usable(proof: Path, arguments: list[str]) -> None:
    with pytest.raises(typer.BadParameter):
        app(["proof", "complete", str(proof), *arguments], standalone_mode=False)


def test_nobody_is_asked_for_what_is_not_stamped(house: House, tmp_path: Path) -> None:
    (tmp_path / "intake.proof").write_bytes(house.prove_intake())
    (tmp_path / "noise.proof").write_bytes(b"{}\n")
    with serving(Honest()) as server:
        asking = ["--tsa", server.url]
        with pytest.raises(ServiceError, match="Only the proof of a result"):
            app(["proof", "complete", str(tmp_path / "intake.proof"), *asking], standalone_mode=False)
        with pytest.raises(ProvenanceError):
            app(["proof", "complete", str(tmp_path / "noise.proof"), *asking], standalone_mode=False)
        trust = tmp_path / "trust.json"
        trust.write_bytes(house.trust.to_bytes())
        (tmp_path / "job.proof").write_bytes(house.prove_job())
        with pytest.raises(ServiceError, match="names no root"):
            app(
                ["proof", "complete", str(tmp_path / "job.proof"), *asking, "--trust", str(trust)],
                standalone_mode=False,
            )
        assert server.asked == []


def test_show_hands_out_every_part_and_says_what_is_unreadable(
    proof: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    content = ProofFile.from_bytes(proof.read_bytes())
    token = time_authority().stamp(content.statement.digest)
    proof.write_bytes(replace(content, timestamps=(token, b"noise")).to_bytes())
    parts = tmp_path / "parts"
    code, told = run(capsys, monkeypatch, "proof", "show", proof, "--extract", parts)
    assert code == 0
    assert told["statement_sha256"] == content.statement.digest.hex()
    assert told["timestamps"] == [
        {"at": "2026-11-21T10:00:18Z", "serial": "5eed", "imprint_sha256": content.statement.digest.hex()},
        {"code": "timestamp_malformed"},
    ]
    assert stat.S_IMODE(parts.stat().st_mode) == 0o700
    assert Envelope.from_bytes((parts / "statement.dsse.json").read_bytes()) == content.statement
    assert Envelope.from_bytes((parts / "evidence-1.dsse.json").read_bytes()) == content.evidence[0]
    assert TlogProof.parse((parts / "record.tlog-proof").read_bytes()).index == told["log_index"]
    assert (parts / "timestamp-1.tst").read_bytes() == token
    assert (parts / "timestamp-2.tst").read_bytes() == b"noise"
    assert not (parts / "timestamp-2.tsr").exists()
    assert (parts / "timestamp-1.pem").read_bytes().count(b"BEGIN CERTIFICATE") == 2
    with pytest.raises(ServiceError, match="there already"):
        app(["proof", "show", str(proof), "--extract", str(parts)], standalone_mode=False)
