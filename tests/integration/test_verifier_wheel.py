"""The verifier as a stranger installs it: an empty environment, `pip install ./verifier`, one program."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.provenance.credential_makers import make_job
from tests.unit.provenance.provenance_makers import RESULT, make_house

pytestmark = pytest.mark.slow

NEEDED = {"bauta-verifier", "cryptography", "pqcrypto", "pycryptodome", "rfc3161-client"}
ALLOWED = {*NEEDED, "cffi", "pycparser", "pip", "setuptools", "wheel"}


@pytest.fixture(scope="module")
def environment(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the verifier in it."""
    sources = tmp_path_factory.mktemp("sources")
    for part in ("verifier", "provenance", "console/report"):
        ignored = shutil.ignore_patterns("__pycache__", "build", "*.egg-info")
        shutil.copytree(repository / part, sources / part, ignore=ignored)
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=240)
    asked = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    asked += ["-c", str(repository / "constraints.txt"), str(sources / "verifier")]
    done = subprocess.run([folder / "bin" / "python", *asked], capture_output=True, text=True, timeout=240)
    if "No matching distribution found" in done.stderr or "Connection" in done.stderr:
        pytest.skip("pip reaches no index from here")
    assert done.returncode == 0, done.stderr
    return folder


def test_it_brings_four_libraries_and_no_more(environment: Path) -> None:
    asked = [environment / "bin" / "python", "-m", "pip", "list", "--format", "json"]
    done = subprocess.run(asked, capture_output=True, text=True, check=True, timeout=240)
    installed = {row["name"].lower() for row in json.loads(done.stdout)}
    assert NEEDED <= installed <= ALLOWED


def test_it_verifies_and_refuses(environment: Path, tmp_path: Path) -> None:
    house = make_house(tmp_path)
    file = tmp_path / "result.mp4"
    file.write_bytes(RESULT)
    (tmp_path / "result.mp4.proof").write_bytes(house.prove_job(third=True))
    (tmp_path / "trust.json").write_bytes(house.trust.to_bytes())
    house.log.close()
    asked = [environment / "bin" / "bauta-verify", file, "--trust", tmp_path / "trust.json"]
    asked += ["--json", "--html", tmp_path / "report.html"]
    sound = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert sound.returncode == 0, sound.stderr
    assert json.loads(sound.stdout)["verified"]
    assert "Verified: every check held." in (tmp_path / "report.html").read_text()
    file.write_bytes(RESULT + b"\0")
    refused = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["code"] == "result_wrong_size"
    assert "Not verified" in (tmp_path / "report.html").read_text()


def test_what_it_cannot_read_it_names(environment: Path, tmp_path: Path) -> None:
    """Content credentials take one library more; without it the rest is verified, and that step is not."""
    job = make_job(tmp_path)
    file = tmp_path / "result.png"
    file.write_bytes(job.result)
    (tmp_path / "result.png.proof").write_bytes(job.proof)
    (tmp_path / "trust.json").write_bytes(job.trust.to_bytes())
    job.house.log.close()
    asked = [environment / "bin" / "bauta-verify", file, "--trust", tmp_path / "trust.json", "--json"]
    told = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path, timeout=240)
    assert told.returncode == 0, told.stderr
    verdict = json.loads(told.stdout)
    steps = {step["step"]: step["status"] for step in verdict["steps"]}
    assert (steps["result_matches"], steps["credentials_trusted"]) == ("ok", "not checked")
    assert "credentials_unchecked" in {remark["code"] for remark in verdict["remarks"]}
