"""Times the release of a file key: `python -m benchmarks.key_release [--rounds 30] [--json FILE]`.

A real service anonymizes one small picture again and again. The worker says how long it waited between its
challenge and its key: two hybrid signatures, one record in the log, one signed checkpoint, each made durable
before the next step, and the key sealed to the worker. Beside it, in the same run, stands the floor: the same
cryptography alone, and the same number of durable writes alone.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table
from skimage import data
from skimage.io import imsave

from console.embedded import embedded_service
from enclave.policy import Terms, shipped
from grpc_api.client.connection import Connection
from grpc_api.client.submission import submit
from keyvault.age import HybridIdentity
from keyvault.release import OneJobKey, seal_file_key
from keyvault.signing.hybrid import HybridSigner
from provenance.trust import Trust

_STAGE = re.compile(r"\brelease (\d+\.\d+)")
# The log's stage and publish, and the vault's ratchet (a file and its folder, the old one overwritten).
DURABLE_WRITES = 5


def releases_ms(rounds: int, folder: Path) -> list[float]:
    """Milliseconds of each release of a running service."""
    picture = folder / "picture.png"
    imsave(picture, data.astronaut()[:128, 128:256], check_contrast=False)
    policy = shipped()["whistleblower"]
    house = folder / "data"
    house.mkdir(mode=0o700)
    with embedded_service(house) as endpoint, Connection(endpoint.address) as connection:
        trust = Trust.from_bytes((house / "trust.json").read_bytes())
        for number in range(rounds):
            identity = HybridIdentity.generate()
            terms = Terms(policy=policy, mode=policy.modes[0], recipients=(str(identity.recipient),))
            submit(
                connection,
                trust,
                source=picture,
                output=folder / f"{number}.png",
                terms=terms,
                identity=identity,
                on_progress=lambda *_: None,
            )
    log = (house / "run" / "service.log").read_text()
    return [float(seconds) * 1000 for seconds in _STAGE.findall(log)]


def cryptography_ms() -> float:
    """Milliseconds of what the release computes: keys, evidence, a checkpoint's two signatures, the seal."""
    node, began = HybridSigner.generate(), time.perf_counter()
    worker, _worker_signer = OneJobKey.generate(), HybridSigner.generate()
    node.sign(b"evidence")
    node.sign(b"checkpoint")
    job_id = os.urandom(16)
    worker.open_file_key(seal_file_key(bytes(16), worker.public_key, job_id, b""), job_id, b"")
    return (time.perf_counter() - began) * 1000


def durable_ms(folder: Path) -> float:
    """Milliseconds of as many durable writes of 4 KiB as a release makes."""
    began = time.perf_counter()
    for number in range(DURABLE_WRITES):
        fd = os.open(folder / f"durable-{number}", os.O_WRONLY | os.O_CREAT, 0o600)
        os.write(fd, bytes(4096))
        os.fsync(fd)
        os.close(fd)
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bauta-bench-") as name:
        folder = Path(name)
        floors: dict[str, Callable[[], float]] = {
            "its cryptography alone": cryptography_ms,
            "its durable writes alone": lambda: durable_ms(folder),
        }
        timings = {"release of a file key, all in": releases_ms(arguments.rounds, folder)}
        timings |= {what: [measure() for _ in range(arguments.rounds)] for what, measure in floors.items()}
    table = Table(title=f"{arguments.rounds} rounds")
    for heading in ("what", "median ms", "95 % below"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    report = {}
    for what, taken in timings.items():
        median, high = statistics.median(taken), sorted(taken)[int(0.95 * (len(taken) - 1))]
        table.add_row(what, f"{median:.2f}", f"{high:.2f}")
        report[what] = {"median_ms": round(median, 3), "p95_ms": round(high, 3), "rounds": len(taken)}
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
