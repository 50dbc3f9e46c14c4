"""Puts an attempt, or a job that lies or was spoiled, into the children of the real worker host.

A job is taken over when its terms say `attempt: NAME`, or when its turn in `--take-over NAME,NAME,...` has
come; every other job is real.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Callable, Iterator, Set

import attempts
import lies
import sabotage
from attempt import Attempt

from enclave.nursery import parent
from enclave.nursery.__main__ import main as real_main
from enclave.nursery.warden import ChildPlan, Task, start_child
from enclave.order import JobOrder
from enclave.worker.handed_over import REPORTS_FD
from enclave.worker.job import Warmth, run_job
from enclave.worker.reporting import Reporter

MARK = b"attempt: "
TAKE_OVER = "--take-over"


def run_attempt(attempt: Attempt) -> None:
    """Tries it; if the child is still alive then, says how far it came."""
    try:
        attempt.payload()
        said = "got_through"
    except OSError as refused:
        said = f"refused_{errno.errorcode[refused.errno or 0].lower()}"
    except MemoryError:
        said = "refused_enomem"
    except EOFError:
        said = "refused_nowhere"
    except RuntimeError:
        # What Python makes of a thread that the kernel does not give.
        said = "refused_thread"
    Reporter(REPORTS_FD).failure(said)


def take_over_by_terms() -> None:
    """Jobs whose terms name an attempt are that attempt."""

    def run(order: JobOrder, warmth: Warmth, standing: Set[str]) -> None:
        if order.terms.startswith(MARK):
            run_attempt(attempts.BY_NAME[order.terms.removeprefix(MARK).decode()])
        else:
            run_job(order, warmth, standing)

    vars(parent)["run_job"] = run


def take_over_in_turn(names: list[str]) -> None:
    """The first jobs are these: attempts; lies, which get the real job and spoil its end; sabotage of one."""
    turns: Iterator[str] = iter(names)

    def start(plan: ChildPlan, task: Task) -> int:
        name = next(turns, "")
        if name in lies.ALL:
            return start_child(plan, lies.told(lies.ALL[name], task))
        if name in sabotage.ALL:
            return start_child(plan, sabotage.done(sabotage.ALL[name], task))
        if name:
            return start_child(plan, attempted(attempts.BY_NAME[name]))
        return start_child(plan, task)

    vars(parent)["start_child"] = start


def attempted(attempt: Attempt) -> Callable[[Set[str]], None]:
    """An attempt as a task."""
    return lambda _standing: run_attempt(attempt)


def main() -> int:
    """The real command, with other tasks."""
    take_over_by_terms()
    if TAKE_OVER in sys.argv:
        at = sys.argv.index(TAKE_OVER)
        take_over_in_turn(sys.argv[at + 1].split(","))
        del sys.argv[at : at + 2]
    return real_main()
