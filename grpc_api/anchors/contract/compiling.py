"""Makes `anchors.json`: `python -m grpc_api.anchors.contract.compiling`. Needs Vyper."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from grpc_api.anchors.contract import ARTIFACT_NAME, SOURCE_NAME

FOLDER = Path(__file__).parent
VYPER = "0.4.3"
"""The newest version whose compiler makes these bytes; the source's pragma names it, too."""

_SECONDS = 60


def artifact() -> str:
    """Compiles the source.

    Returns:
        The artifact, JSON.

    Raises:
        subprocess.CalledProcessError: it does not compile, or not with this version.
    """
    source = FOLDER / SOURCE_NAME
    program = [sys.executable, "-m", "vyper.cli.vyper_compile"]
    version = _run([*program, "--version"]).strip()
    abi, creation, runtime = _run([*program, "-f", "abi,bytecode,bytecode_runtime", str(source)]).splitlines()
    content = {
        "compiler": f"vyper {version}",
        "source_sha256": hashlib.sha256(source.read_bytes()).hexdigest(),
        "abi": json.loads(abi),
        "creation_code": creation.removeprefix("0x"),
        "runtime_code": runtime.removeprefix("0x"),
    }
    return json.dumps(content, indent=1) + "\n"


def _run(command: list[str]) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS).stdout


if __name__ == "__main__":
    (FOLDER / ARTIFACT_NAME).write_text(artifact(), encoding="utf-8")
