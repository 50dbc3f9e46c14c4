"""Times the log: `python -m benchmarks.log [--entries 20000] [--batch 1000] [--folder DIR] [--json FILE]`.

One log grows by decades, and beside it, in the same run and by the same batches, a bare table that SQLite
alone fills with the same durability: first without, then with the unique index that any log needs that takes
nothing twice. At each size: durable entries a second over the last tenth of the batches; the time of a
single entry, with its own signature and publication; time and size of a proof; how many tiles a stranger
reads for a proof; what index and static files take of the disk. The signer is Ed25519 alone, in this process;
`benchmarks.key_release` times the vault. Last comes the time that a check of the whole log takes.

`--entries 10000000 --batch 10000` is the large run: six gigabytes and about half an hour.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console
from rich.table import Table

from provenance.checkpoint import CheckpointText, assemble, message_to_sign, signature_line
from provenance.log import TransparencyLog, static_folder
from provenance.merkle import inclusion_proof
from provenance.note import ed25519_vkey, parse_vkey
from provenance.tiles.layout import TILE_HEIGHT, TILE_WIDTH

ORIGIN = "bauta.test/benchmark"
SINGLES = 200
PROOFS = 500
# Proofs are asked for in an order that no cache can foresee.
STRIDE = 7_919_777


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


class SqliteAlone:
    """A bare table with the log's durability: the ceiling for a log on SQLite."""

    def __init__(self, path: Path, *, unique: bool) -> None:
        self.name = "unique" if unique else "bare"
        self._database = sqlite3.connect(path)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        self._database.execute(f"CREATE TABLE rows (digest BLOB {'UNIQUE' if unique else ''})")

    def append_all(self, numbers: range) -> None:
        """One durable transaction."""
        with self._database:
            self._database.executemany("INSERT INTO rows VALUES (?)", ((digest(n),) for n in numbers))

    def close(self) -> None:
        """Closes the file."""
        self._database.close()


class Grower:
    """Appends consecutive numbers to a log or a table, and times each batch."""

    def __init__(self, append: Callable[[range], object]) -> None:
        self._append = append
        self.size = 0

    def grow(self, size: int, batch: int) -> list[tuple[int, float]]:
        """Grows to a size; how many entries each batch had, and its seconds."""
        batches = []
        while self.size < size:
            numbers = range(self.size, min(self.size + batch, size))
            began = time.perf_counter()
            self._append(numbers)
            batches.append((len(numbers), time.perf_counter() - began))
            self.size = numbers.stop
        return batches


def last_rate(batches: list[tuple[int, float]]) -> float:
    """Entries a second over the last tenth of the batches."""
    tail = batches[-max(1, len(batches) // 10) :]
    return sum(entries for entries, _ in tail) / sum(seconds for _, seconds in tail)


def usual_ms(batches: list[tuple[int, float]]) -> float:
    """The median; on a disk that others use as well, single commits differ a hundredfold."""
    return statistics.median(seconds for _, seconds in batches) * 1000


def tiles_for_proof(index: int, size: int) -> int:
    """How many tiles a stranger reads for an inclusion proof (and the root) out of static files."""
    tiles = set()

    def read(level: int, position: int) -> bytes:
        row, above = divmod(level, TILE_HEIGHT)
        tiles.add((row, (position << above) // TILE_WIDTH))
        return bytes(32)

    inclusion_proof(index, size, read)
    return len(tiles)


def measure(folder: Path, entries: int, batch: int) -> Iterator[dict[str, float]]:
    """Grows everything by decades; what it costs at each size."""
    path = folder / "log.sqlite"
    tables = [SqliteAlone(folder / f"{unique}.sqlite", unique=unique) for unique in (False, True)]
    with TransparencyLog(path, ORIGIN, signer()) as log:
        growers = {
            "log": Grower(lambda numbers: log.append_all(("job", digest(n)) for n in numbers)),
            **{table.name: Grower(table.append_all) for table in tables},
        }
        for size in [*(10**power for power in range(3, 9) if 10**power < entries), entries]:
            batched = {name: grower.grow(size, batch) for name, grower in growers.items()}
            os.sync()  # What the batches left to write back is not the single entry's to wait for.
            single = {name: grower.grow(size + SINGLES, 1) for name, grower in growers.items()}
            done = growers["log"].size
            times, proof = [], b""
            for number in range(PROOFS):
                began = time.perf_counter()
                proof = log.proof_for(number * STRIDE % done)
                times.append((time.perf_counter() - began) * 1000)
            yield {
                "entries": done,
                **{f"{name}_batched_per_s": last_rate(batches) for name, batches in batched.items()},
                **{f"{name}_single_ms": usual_ms(batches) for name, batches in single.items()},
                "proof_ms": statistics.median(times),
                "proof_bytes": len(proof),
                "tiles_per_proof": max(tiles_for_proof(n * STRIDE % done, done) for n in range(PROOFS)),
                "index_bytes_per_entry": path.stat().st_size / done,
                "static_bytes_per_entry": _bytes_under(static_folder(path)) / done,
                "peak_memory_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        for table in tables:
            table.close()
        began = time.perf_counter()
        log.check()
        yield {"check_s": time.perf_counter() - began}


def _bytes_under(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def main() -> None:
    """Runs the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--entries", type=int, default=20_000)
    parser.add_argument("--batch", type=int, default=1000)
    parser.add_argument(
        "--folder", type=Path, help="on the disk to measure; the system's for temporary files"
    )
    parser.add_argument("--json", type=Path, help="rewritten after each size")
    arguments = parser.parse_args()
    rows: list[dict[str, float]] = []
    with tempfile.TemporaryDirectory(prefix="bauta-log-", dir=arguments.folder) as name:
        for row in measure(Path(name), arguments.entries, arguments.batch):
            rows.append(row)
            if arguments.json:
                arguments.json.write_text(json.dumps(rows, indent=2) + "\n")
    *sizes, checked = rows
    table = Table("", *(f"{row['entries']:,.0f}" for row in sizes))
    for name in list(sizes[0])[1:]:
        table.add_row(name, *(f"{row[name]:,.{2 if row[name] < 1000 else 0}f}" for row in sizes))
    console = Console()
    console.print(table)
    console.print(f"whole log checked in {checked['check_s']:,.1f} s")


if __name__ == "__main__":
    main()
