"""Whole jobs of a service that has its results stamped: by a clock that answers, and by ones that do not."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import media_factory
import pytest
from service_process import Service, bauta_program, clean_environment

from provenance.proof import ProofFile
from tests import time_server
from tests.time_authority import time_authority
from tests.time_server import Honest, TimeServer, serving


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_factory.face_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


@pytest.fixture(scope="module")
def clocks() -> Iterator[dict[str, TimeServer]]:
    ways = {"honest": Honest(), "slow": time_server.dripping_body, "lying": time_server.other_data}
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(way)) for name, way in ways.items()}


def service(data: Path, clocks: dict[str, TimeServer], *names: str) -> Service:
    """A service that demands one timestamp and asks these authorities."""
    data.mkdir(mode=0o700)
    (data / "root.pem").write_bytes(time_authority().root_pem)
    urls = ", ".join(f'"{clocks[name].url}"' for name in names)
    # Long enough for whoever answers at once, far shorter than the slow one goes on.
    asked = f'timestamp_seconds = 10\n[timestamps]\nurls = [{urls}]\nroots = ["root.pem"]\nrequired = 1\n'
    return Service(data, config=asked)


def bauta(*words: object) -> tuple[int, dict[str, Any]]:
    """Runs a command; its exit code and what it said."""
    done = subprocess.run(
        [bauta_program(), *map(str, words), "--json"],
        capture_output=True,
        text=True,
        timeout=240,
        env=clean_environment(),
    )
    return done.returncode, json.loads(done.stdout)


def test_a_result_is_stamped_by_the_authority_that_answers(
    clip: Path, clocks: dict[str, TimeServer], tmp_path: Path
) -> None:
    asked_before = len(clocks["honest"].asked)
    with service(tmp_path / "data", clocks, "slow", "honest", "lying") as running:
        result = tmp_path / "out.mp4"
        code, told = bauta("submit", clip, "-o", result, "--data", running.data)
        assert (code, told["timestamps_missing"]) == (0, 0)
        trust = running.data / "trust.json"
        code, told = bauta("verify", result, "--trust", trust)
    assert code == 0
    (stamp,) = told["timestamps"]
    assert stamp["root_sha256"] is not None
    assert told["remarks"] == []
    assert {step["status"] for step in told["steps"] if step["step"].startswith("timestamps")} == {"ok"}
    proof = ProofFile.from_bytes(Path(f"{result}.proof").read_bytes())
    assert [asked.digest for asked in clocks["honest"].asked[asked_before:]] == [proof.statement.digest]


def test_no_clock_stops_a_job_and_the_proof_can_be_completed(
    clip: Path, clocks: dict[str, TimeServer], tmp_path: Path
) -> None:
    with service(tmp_path / "data", clocks, "slow", "lying") as running:
        result = tmp_path / "out.mp4"
        code, told = bauta("submit", clip, "-o", result, "--data", running.data)
        assert (code, told["timestamps_missing"]) == (0, 1)
        trust = running.data / "trust.json"
        code, told = bauta("verify", result, "--trust", trust)
        assert (code, told["failed_step"], told["code"]) == (1, "timestamps_believed", "timestamp_missing")
        logged = running.log.read_text()
        assert "timestamp_unavailable" in logged
        assert "timestamp_of_another" in logged
    before = ProofFile.from_bytes(Path(f"{result}.proof").read_bytes())
    code, told = bauta(
        *("proof", "complete", f"{result}.proof", "--tsa", clocks["honest"].url, "--trust", trust)
    )
    assert (code, told["added"]) == (0, 1)
    after = ProofFile.from_bytes(Path(f"{result}.proof").read_bytes())
    assert (after.statement, after.evidence, after.log) == (before.statement, before.evidence, before.log)
    code, told = bauta("verify", result, "--trust", trust)
    assert (code, told["verified"]) == (0, True)
