"""Times a release: `python -m benchmarks.disclosing [--rounds 10] [--json FILE]`.

What a disclosure worker does once enough custodians agree, for 3 of 5 and 20 of 30: everything it checks,
with a log that has grown by a thousand and by a hundred thousand entries since the job; and, on the real
worker host behind the real wall, all the way from what it is shown to the header that opens the disclosure:
two seconds of one person in a clip of 448 x 240, restored, coded without loss and sealed.
`benchmarks.custody` has the steps before that.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from enclave.disclosure.checking import check
from enclave.host import Materials
from keyvault.release import OneJobKey
from provenance.dsse import Envelope
from provenance.entry import Entry
from tests.disclosure_world import LATER, Asked, Counter, World, as_read, order_of, policy_of
from tests.integration.disclosure_harness import Door
from tests.unit.keyvault.custody.custody_makers import ASKED_AT, person
from tests.unit.provenance.provenance_makers import seed

GROUPS = ((3, 5), (20, 30))
GROWN_BY = (1_000, 100_000)


class Case:
    """A job whose covers are kept by so many custodians."""

    def __init__(self, folder: Path, need: int, of: int) -> None:
        self.names = [f"custodian-{number}" for number in range(of)]
        self.need = need
        self.world = World.make(folder, policy_of(tuple(self.names), need))

    def grow(self, entries: int) -> None:
        """The log gets others' entries."""
        have = len(self.world.log.entries)
        added = [Entry("intake", seed(f"entry {number}")) for number in range(have, have + entries)]
        self.world.log.log.append_all((entry.kind, entry.envelope_sha256) for entry in added)
        self.world.log.entries += added

    def materials(self, asked: Asked) -> Materials:
        """With everybody's keys."""
        return asked.materials(keys=tuple(person(name).signer.public for name in ("desk", *self.names)))

    def check_ms(self, rounds: int) -> list[float]:
        """Everything that is checked, share by share, in a process that has nothing else to do."""
        key = OneJobKey.generate()
        self.world.log.now = ASKED_AT
        asked = Asked.begin(self.world, key.public_key)
        asked.approve(*self.names[: self.need])
        self.world.log.now = LATER
        counting = Counter(order_of(self.world, asked.request), key).count(self.world.log)
        shown = as_read(self.materials(asked))
        return [_ms(lambda: check(counting, shown)) for _ in range(rounds)]

    def release_ms(self, folder: Path, rounds: int) -> list[float]:
        """From what is shown to the header, behind the wall; a request and a worker for each round."""
        taken = []
        with Door(folder, self.world) as door:
            for _ in range(rounds):
                self.world.log.now = ASKED_AT
                request = self.world.request()
                proof = self.world.log.prove(request, "disclosure-request")
                with door.start(request) as started:
                    asked = Asked(self.world, request, proof, started.admit().worker_hpke)
                    asked.approve(*self.names[: self.need])
                    self.world.log.now = LATER
                    started.count()
                    shown = self.materials(asked)
                    began = time.perf_counter()
                    disclosed = started.running.proceed(shown)
                    done = time.perf_counter() - began
                    release = Envelope.from_bytes(disclosed.statement)
                    recorded = self.world.log.prove(release, "disclosure-release")
                    began = time.perf_counter()
                    started.running.hand_out(recorded)
                    taken.append(1000 * (done + time.perf_counter() - began))
        return taken


def measure(rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each step, by what it is."""
    taken: dict[str, list[float]] = {}
    for need, of in GROUPS:
        with tempfile.TemporaryDirectory(prefix="bauta-bench-") as folder:
            case = Case(Path(folder), need, of)
            taken[f"{need} of {of}: release, behind the wall"] = case.release_ms(Path(folder), rounds)
            grown = 0
            for entries in GROWN_BY:
                case.grow(entries - grown)
                grown = entries
                what = f"{need} of {of}: check, {entries:,} entries after the job"
                taken[what] = case.check_ms(rounds)
    return taken


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    table = Table(title=f"{arguments.rounds} rounds")
    for heading in ("what", "median ms", "95 % below"):
        table.add_column(heading, justify="left" if heading == "what" else "right")
    report: dict[str, object] = {}
    for what, taken in measure(arguments.rounds).items():
        median, high = statistics.median(taken), sorted(taken)[int(0.95 * (len(taken) - 1))]
        table.add_row(what, f"{median:.1f}", f"{high:.1f}")
        report[what] = {"median_ms": round(median, 2), "p95_ms": round(high, 2), "rounds": len(taken)}
    Console().print(table)
    if arguments.json:
        arguments.json.write_text(json.dumps(report, indent=2) + "\n")


def _ms(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
