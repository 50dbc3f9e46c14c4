"""The contract as it was compiled: `anchors.vy` is the source, `anchors.json` what Vyper made of it.

`python -m grpc_api.anchors.contract.compiling` makes the second from the first; a test compares them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

SOURCE_NAME = "anchors.vy"
ARTIFACT_NAME = "anchors.json"


@dataclass(frozen=True)
class Contract:
    """A compiled contract.

    Attributes:
        compiler: its name and whole version.
        source_sha256: of the source, in hex.
        abi: as web3 takes it.
        creation_code: what a deployment sends.
        runtime_code: what stands on the chain afterwards; readers compare it.
    """

    compiler: str
    source_sha256: str
    abi: list[dict[str, Any]]
    creation_code: bytes
    runtime_code: bytes


@cache
def compiled() -> Contract:
    """Gives the contract that is part of this release."""
    content = json.loads(resources.files(__name__).joinpath(ARTIFACT_NAME).read_text(encoding="utf-8"))
    return Contract(
        compiler=content["compiler"],
        source_sha256=content["source_sha256"],
        abi=content["abi"],
        creation_code=bytes.fromhex(content["creation_code"]),
        runtime_code=bytes.fromhex(content["runtime_code"]),
    )
