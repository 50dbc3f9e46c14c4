"""The npm side of the age tests: `cctv-age` (the vectors) and `age-encryption` (another implementation).

Both are pinned with their digests in package-lock.json and installed once, on first use.
"""

from __future__ import annotations

import base64
import fcntl
import json
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
OLDEST_NODE = (20, 19)
"""What the pinned packages ask for."""


@dataclass(frozen=True)
class PeerJob:
    """One file for `age-encryption` to make or to open.

    Attributes:
        operation: "seal", "open", "generate" or "recipient".
        key: a recipient, an identity, or "x25519" or "hybrid" to generate.
        kind: "key", or "passphrase" when `key` is one.
        content: what to seal or open.
        armor: whether the sealed side is armored.
    """

    operation: str
    key: str
    content: bytes = b""
    kind: str = "key"
    armor: bool = False


def run_peer(jobs: list[PeerJob]) -> list[bytes]:
    """Runs jobs in one node process, in order; a job that fails fails the test with its message."""
    asked = [
        {
            "operation": job.operation,
            "key": job.key,
            "kind": job.kind,
            "content": base64.b64encode(job.content).decode(),
            "armor": job.armor,
        }
        for job in jobs
    ]
    return [base64.b64decode(answer) for answer in _run_script("age_peer.mjs", json.dumps(asked))]


@cache
def cctv_vectors() -> dict[str, bytes]:
    """Every vector file of the corpus by name."""
    corpus: dict[str, str] = _run_script("age_vectors.mjs", "")
    return {name: base64.b64decode(text) for name, text in corpus.items()}


def _run_script(script: str, text: str) -> Any:
    require_packages()
    ran = subprocess.run(
        ["node", script], cwd=HERE, input=text, capture_output=True, text=True, timeout=120, check=False
    )
    assert ran.returncode == 0, f"{script} failed: {ran.stderr[-2000:]}"
    return json.loads(ran.stdout)


@cache
def require_packages() -> None:
    """Skips the test where there is no usable Node; installs the pinned packages where they are missing."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("Node and npm are not installed: the npm peers of the age format are not checked")
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if tuple(int(part) for part in version.removeprefix("v").split(".")[:2]) < OLDEST_NODE:
        pytest.skip(f"Node {version} is older than the npm peers of the age format ask for")
    lock_file = HERE / "package-lock.json"
    # Several test processes may come here at once: one installs, the others wait and find it done.
    with lock_file.open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _is_installed(json.loads(lock_file.read_text())):
            ran = subprocess.run(
                ["npm", "ci", "--ignore-scripts"],
                cwd=HERE,
                capture_output=True,
                text=True,
                timeout=240,
                check=False,
            )
            assert ran.returncode == 0, f"npm ci failed: {ran.stderr[-2000:]}"


def _is_installed(lock: dict[str, Any]) -> bool:
    for place, package in lock["packages"].items():
        if place:
            manifest = HERE / place / "package.json"
            if not manifest.is_file() or json.loads(manifest.read_text())["version"] != package["version"]:
                return False
    return True
