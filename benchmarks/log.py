"""Times the log: `python -m benchmarks.log [--entries 20000] [--folder DIR] [--json FILE]`.

Durable entries a second, in batches and one by one, against what SQLite alone manages on this disk with the
same durability; the time of a proof; and how proof and tiles grow. The signer is Ed25519 alone, in this
process; `benchmarks.key_release` times the vault. `--entries 10000000` is the large run: some gigabytes and
well over half an hour; it shows whether append and proof behave as the logarithm of the size.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from provenance.checkpoint import CheckpointText, assemble, message_to_sign, signature_line
from provenance.log import TransparencyLog, static_folder
from provenance.note import ed25519_vkey, parse_vkey

ORIGIN = "bauta.test/benchmark"
BATCH = 1000
SINGLES = 200
PROOFS = 200


def signer() -> Callable[[bytes, object], bytes]:
    """Signs with a key of its own."""
    private = Ed25519PrivateKey.generate()
    key = parse_vkey(ed25519_vkey(ORIGIN, private.public_key().public_bytes_raw()))

    def sign(text: bytes, _prove_from: object) -> bytes:
        parsed = CheckpointText.parse(text)
        return assemble(parsed, [signature_line(key, private.sign(message_to_sign(key, parsed, 0)), 0)])

    return sign


def digest(number: int) -> bytes:
    """An envelope's digest, another for each number."""
    return hashlib.sha256(number.to_bytes(8, "big")).digest()


def sqlite_alone(folder: Path, batch: int, batches: int) -> float:
    """Rows a second of a bare table with the log's durability: the ceiling for a log on SQLite."""
    database = sqlite3.connect(folder / "alone.sqlite")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE IF NOT EXISTS rows (digest BLOB)")
    began = time.perf_counter()
    for number in range(batches):
        with database:
            database.executemany("INSERT INTO rows VALUES (?)", [(digest(number),)] * batch)
    taken = time.perf_counter() - began
    database.close()
    return batch * batches / taken


def measure(folder: Path, entries: int) -> list[dict[str, float]]:
    """Grows one log by decades; what it costs at each size."""
    rows = []
    sizes = [size for size in (10**power for power in range(3, 9)) if size < entries] + [entries]
    with TransparencyLog(folder / "log.sqlite", ORIGIN, signer()) as log:
        done = 0
        for size in sizes:
            began, before = time.perf_counter(), done
            while done < size:
                batch = min(BATCH, size - done)
                log.append_all(("job", digest(number)) for number in range(done, done + batch))
                done += batch
            batched = (done - before) / (time.perf_counter() - began)
            began = time.perf_counter()
            for number in range(done, done + SINGLES):
                log.append("job", digest(number))
            done += SINGLES
            single = SINGLES / (time.perf_counter() - began)
            times, proof = [], b""
            for number in range(PROOFS):
                began = time.perf_counter()
                proof = log.proof_for(number * 7919 % done)
                times.append((time.perf_counter() - began) * 1000)
            rows.append(
                {
                    "entries": done,
                    "batched_per_s": batched,
                    "one_by_one_per_s": single,
                    "proof_ms": statistics.median(times),
                    "proof_bytes": len(proof),
                    "static_bytes_per_entry": _bytes_under(static_folder(folder / "log.sqlite")) / done,
                }
            )
    return rows


def _bytes_under(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument(
        "--folder", type=Path, help="on the disk to measure; the system's for temporary files"
    )
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bauta-log-", dir=arguments.folder) as name:
        folder = Path(name)
        alone = {
            "batched_per_s": sqlite_alone(folder, BATCH, 10),
            "one_by_one_per_s": sqlite_alone(folder, 1, 500),
        }
        rows = measure(folder, arguments.entries)
    table = Table(*rows[0])
    for row in rows:
        table.add_row(*(f"{value:,.2f}" if value % 1 else f"{value:,.0f}" for value in row.values()))
    console = Console()
    console.print(table)
    console.print("SQLite alone:", {key: round(value) for key, value in alone.items()})
    if arguments.json:
        arguments.json.write_text(json.dumps({"log": rows, "sqlite_alone": alone}, indent=2) + "\n")


if __name__ == "__main__":
    main()
