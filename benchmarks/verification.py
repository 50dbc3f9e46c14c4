"""Times the check of a full proof: `python -m benchmarks.verification [--rounds 200] [--json FILE]`.

A real service anonymizes one small picture. Its result and proof are then verified again and again, as
`bauta-verify` does once it is running: the trust file read, the proof parsed, every step taken, the file
hashed. Beside it, in the same run, stands the floor: the same signatures, checked alone.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

from rich.console import Console
from rich.table import Table
from skimage import data
from skimage.io import imsave

from console.embedded import embedded_service
from enclave.policy import Terms, shipped
from grpc_api.client.connection import Connection
from grpc_api.client.submission import submit
from keyvault.age import HybridIdentity
from provenance.algorithms.providers import PROVIDERS
from provenance.trust import Trust
from provenance.verifier import verify_result

Check = tuple[str, str, bytes, bytes, bytes]
"""Provider, algorithm, public key, message, signature."""


def made(folder: Path) -> tuple[bytes, bytes, bytes]:
    """Result, proof and trust file of one real job."""
    picture, output = folder / "picture.png", folder / "result.png"
    imsave(picture, data.astronaut()[:128, 128:256], check_contrast=False)
    policy, identity = shipped()["whistleblower"], HybridIdentity.generate()
    terms = Terms(policy=policy, mode=policy.modes[0], recipients=(str(identity.recipient),))
    house = folder / "data"
    house.mkdir(mode=0o700)
    with embedded_service(house) as endpoint, Connection(endpoint.address) as connection:
        trust = (house / "trust.json").read_bytes()
        submitted = submit(
            connection,
            Trust.from_bytes(trust),
            source=picture,
            output=output,
            terms=terms,
            identity=identity,
            on_progress=lambda *_: None,
        )
    return output.read_bytes(), submitted.proof, trust


def checks_in(verify: Callable[[], object]) -> list[Check]:
    """Every signature that a verification checks."""
    seen: list[Check] = []

    def recording(name: str) -> Callable[[str, bytes, bytes, bytes], bool]:
        provider = PROVIDERS[name]

        def record(algorithm: str, key: bytes, message: bytes, signature: bytes) -> bool:
            seen.append((name, algorithm, key, message, signature))
            return provider(algorithm, key, message, signature)

        return record

    with patch.dict(PROVIDERS, {name: recording(name) for name in PROVIDERS}):
        verify()
    return seen


def milliseconds(work: Callable[[], object], rounds: int) -> list[float]:
    """How long it takes, each time."""
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        taken.append((time.perf_counter() - began) * 1000)
    return taken


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bauta-bench-") as name:
        result, proof, trust = made(Path(name))

    def verify() -> None:
        verify_result(io.BytesIO(result), proof, trust)

    def floor() -> None:
        for provider, *check in checks:
            if not PROVIDERS[provider](*check):
                raise ValueError("a signature that held does not hold")

    checks = checks_in(verify)
    timings = {
        "a full proof, all in": milliseconds(verify, arguments.rounds),
        f"its {len(checks)} signatures alone": milliseconds(floor, arguments.rounds),
    }
    table = Table(title=f"{arguments.rounds} rounds; the proof has {len(proof):,} bytes")
    for heading in ("what", "median ms", "95 % below"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    report: dict[str, object] = {"proof_bytes": len(proof), "signatures": [check[1] for check in checks]}
    for what, taken in timings.items():
        median, high = statistics.median(taken), sorted(taken)[int(0.95 * (len(taken) - 1))]
        table.add_row(what, f"{median:.2f}", f"{high:.2f}")
        report[what] = {"median_ms": round(median, 3), "p95_ms": round(high, 3)}
    console = Console()
    console.print(table)
    console.print("signatures:", ", ".join(check[1] for check in checks))
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
