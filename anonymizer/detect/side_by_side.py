"""Lets networks be compiled side by side: each in a thread of its own, on a processor of its own.

Compiling takes one thread four seconds, and a worker host compiles twenty networks before it serves anybody.
No thread is left when it is done, so that the process may fork. What comes of it is the same as in one
thread: each task sees one processor (compiled_engine.one_processor), only not all of them the same.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final, TypeVar

from anonymizer.errors import AnonymizerError

Result = TypeVar("Result")

# Beyond this the longest task alone takes as long as all others.
MOST_AT_ONCE: Final = 4
MOST_SECONDS_TO_END: Final = 60.0


class SideBySide:
    """Takes tasks."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        """Takes the threads (see side_by_side)."""
        self._threads = threads

    def start(self, task: Callable[[], Result]) -> Callable[[], Result]:
        """Begins a task as soon as a thread is free, the ones begun first first.

        Returns:
            What waits for its result, and raises what it raised.
        """
        return self._threads.submit(task).result


@contextmanager
def side_by_side() -> Iterator[SideBySide]:
    """Opens threads, and waits at the end until all that they do is done and they are gone.

    Raises:
        AnonymizerError: detector_failed, where a thread does not end.
    """
    allowed = sorted(os.sched_getaffinity(0))
    # Hosts that start side by side begin with different ones.
    at_once = min(len(allowed), MOST_AT_ONCE)
    turn = itertools.count(os.getpid())
    begun: list[int] = []

    def begin() -> None:
        begun.append(threading.get_native_id())
        os.sched_setaffinity(0, {allowed[next(turn) % len(allowed)]})

    try:
        with ThreadPoolExecutor(at_once, initializer=begin) as executor:
            yield SideBySide(executor)
    finally:
        _wait_for_the_end_of(begun)


def _wait_for_the_end_of(threads: Sequence[int]) -> None:
    """Waits until the system has forgotten threads, which is a moment after Python has joined them."""
    until = monotonic() + MOST_SECONDS_TO_END
    while any(Path(f"/proc/self/task/{thread}").exists() for thread in threads):
        if monotonic() > until:
            raise AnonymizerError("detector_failed", "A thread that compiled a network has not ended.")
        sleep(0.001)
