"""Times the start of a job: `python -m benchmarks.job_start [--rounds 50] [--json FILE]`.

From the moment the front desk's side sends an order to the first word of the child behind its closed wall, on
the real worker host. In that time the warm parent forks a warden, the warden makes namespaces and forks the
child, and the child drops its rights, sets its limits, locks its memory where the system lets it, and closes
Landlock and the seccomp filter.

Locking is also timed on its own, in forks of a process with the same models: whoever may not lock memory as
the service runs (most containers) learns what it would cost.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import struct
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from anonymizer import load_models
from console.supervisor import lone_worker
from enclave.host import WorkerHost
from enclave.wall import locking
from protos.bauta.internal.v1.worker_pb2 import RunJob

WARM_UP_ROUNDS = 5
AIM_MS = 30.0


def start_ms(host: WorkerHost) -> float:
    """One job's start in milliseconds. Its terms are no terms, so it ends after its first word."""
    order = RunJob(
        job_id=os.urandom(16),
        terms=b"-",
        max_memory_bytes=4 << 30,
        max_result_bytes=1 << 20,
        max_wall_seconds=10,
        max_frame_pixels=1,
        max_frames=1,
        max_review_bytes=1 << 20,
        max_recovery_bytes=1 << 20,
        max_untouched_bytes=1 << 20,
    )
    names = ("upload", "result", "scratch", "review", "package", "sheet", "untouched", "scores")
    files = [os.memfd_create(name) for name in names]
    began = time.perf_counter()
    try:
        running = host.start(order, *files)
    finally:
        for fd in files:
            os.close(fd)
    reports = running.reports()
    first = next(reports)
    taken = time.perf_counter() - began
    if first.WhichOneof("report") != "progress":
        raise RuntimeError(f"the job did not start: {first.failure.code}")
    for _report in reports:
        pass
    running.wait_until_gone()
    running.close()
    return taken * 1000


def lock_ms() -> float | None:
    """Milliseconds that a fork of this process needs to lock its memory; None when it may not."""
    answer, answer_end = os.pipe()
    child = os.fork()
    if child == 0:
        taken = -1.0
        try:
            began = time.perf_counter()
            locking.lock_memory()
            taken = (time.perf_counter() - began) * 1000
        except OSError:
            pass
        finally:
            os.write(answer_end, struct.pack("d", taken))
            os._exit(0)
    os.close(answer_end)
    os.waitpid(child, 0)
    (taken,) = struct.unpack("d", os.read(answer, 8))
    os.close(answer)
    return None if taken < 0 else float(taken)


def summary(times: list[float]) -> dict[str, float]:
    """Median, 95th percentile and worst, in milliseconds."""
    return {
        "median_ms": round(statistics.median(times), 2),
        "p95_ms": round(statistics.quantiles(times, n=20)[-1], 2),
        "worst_ms": round(max(times), 2),
    }


def measure(rounds: int) -> dict[str, object]:
    """Times both."""
    with lone_worker() as channel:
        host = WorkerHost(channel)
        walls = list(host.hello().walls)
        started = [start_ms(host) for _ in range(WARM_UP_ROUNDS + rounds)][WARM_UP_ROUNDS:]
    load_models("cpu")
    locking.allow_locking()
    # Root may lock past the limit, in this process's own user namespace; the kernel has the last word.
    locking._limit_has_room = lambda: True
    locked = [taken for _ in range(rounds) if (taken := lock_ms()) is not None]
    return {
        "rounds": rounds,
        "walls": walls,
        "memory_locked_in_start": "locked_memory" in walls,
        "start": summary(started),
        "lock_alone": summary(locked) if len(locked) > 1 else None,
    }


def main() -> None:
    """Runs from the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--json", type=Path, help="write the figures here")
    arguments = parser.parse_args()
    figures = measure(arguments.rounds)
    table = Table("ms", "median", "p95", "worst", title=f"Start of a job, {arguments.rounds} rounds")
    locked = "with" if figures["memory_locked_in_start"] else "without"
    rows = {f"order to first word, {locked} locked memory": "start", "locking alone": "lock_alone"}
    for name, row in rows.items():
        times = figures[row]
        table.add_row(name, *(map(str, times.values()) if isinstance(times, dict) else ("not allowed",) * 3))
    Console().print(table)
    Console().print(f"aim: within {AIM_MS:.0f} ms")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
