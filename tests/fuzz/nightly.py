"""The long run: every target under atheris for a while, one after the other, each in a process of its own.

    python -m tests.fuzz.nightly [--seconds N] [--seed N] [--registry MODULE] [--out FOLDER] [TARGET ...]

Prints one line a target. Exit code 1: something was found, and the input's path is printed; 2: atheris is not
installed, or a target is not known.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DEFAULT_SECONDS = 300
# What a process may take to start, to run its corpus once, and to end.
GRACE_SECONDS = 600
_RUNS = re.compile(r"^stat::number_of_executed_units: *(\d+)", re.MULTILINE)
_SHOWN_LINES = 40


@dataclass(frozen=True)
class Night:
    """What came of one target.

    Attributes:
        runs: inputs that were tried; None where the process did not come to say so.
        finding: the input that broke the rule, or the log where there is none.
        report: the end of what the process wrote.
    """

    runs: int | None
    finding: Path | None
    report: str


def spend(registry: str, name: str, folder: Path, seconds: int, seed: int) -> Night:
    """Runs one target and says what came of it."""
    folder.mkdir(parents=True, exist_ok=True)
    before = set(_findings(folder))
    log = folder / "log.txt"
    words = (registry, name, folder, seconds, seed)
    command = [sys.executable, "-m", "tests.fuzz.guided", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "tests")))}
    with log.open("wb") as output:
        try:
            ended = subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=output,
                timeout=seconds + GRACE_SECONDS,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            ended = None
    report = log.read_text(encoding="utf-8", errors="replace")
    new = sorted(set(_findings(folder)) - before)
    finding = new[0] if new else log if ended != 0 else None
    runs = _RUNS.search(report)
    return Night(int(runs[1]) if runs else None, finding, report)


def main(arguments: Sequence[str]) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests.fuzz.nightly", description="Coverage-guided fuzzing.")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="all of them by default")
    parser.add_argument("--seconds", type=int, default=DEFAULT_SECONDS, help="for each target")
    parser.add_argument("--seed", type=int, default=0, help="of the random numbers; 0 for others each time")
    parser.add_argument("--registry", default="tests.fuzz.targets", help="the module with TARGETS")
    parser.add_argument("--out", type=Path, default=ROOT / "out" / "fuzz", help="corpora and findings")
    chosen = parser.parse_args(arguments)
    if find_spec("atheris") is None:
        print(
            "atheris is not installed here (it needs Linux on x86-64 and Python before 3.14)", file=sys.stderr
        )
        return 2
    known = import_module(chosen.registry).TARGETS
    if strangers := sorted(set(chosen.targets) - set(known)):
        print(f"no such target: {', '.join(strangers)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    found = False
    for name in chosen.targets or known:
        night = spend(chosen.registry, name, chosen.out / name, chosen.seconds, chosen.seed)
        found |= night.finding is not None
        _tell(name, night)
    return int(found)


def _tell(name: str, night: Night) -> None:
    runs = "no count" if night.runs is None else f"{night.runs} inputs"
    print(f"{name:<28} {runs:>16}  {'ok' if night.finding is None else night.finding}", flush=True)
    if night.finding is not None:
        print("\n".join(night.report.splitlines()[-_SHOWN_LINES:]), flush=True)


def _findings(folder: Path) -> list[Path]:
    return list((folder / "findings").glob("*"))


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
    sys.exit(main(sys.argv[1:]))
