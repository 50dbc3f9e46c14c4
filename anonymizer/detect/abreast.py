"""Looks at one frame side by side: networks leave the interpreter's lock alone while they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


class Abreast:
    """Does a few tasks at once. Its threads are made behind the wall, at the first use, and end with it."""

    def __init__(self, threads: int) -> None:
        """Takes how many may run at once."""
        self._threads = threads
        self._pool: ThreadPoolExecutor | None = None

    def answers(self, tasks: Sequence[Callable[[], Answer]]) -> list[Answer]:
        """Does all of them; gives their answers in the order of the tasks.

        Raises:
            BaseException: what the first of them that failed raised; the others have ended, too.
        """
        if self._threads == 1 or len(tasks) < 2:
            return [task() for task in tasks]
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._threads)
        # The last ones are begun first: they are the largest, and take as long as all others together.
        begun = [self._pool.submit(task) for task in reversed(tasks)][::-1]
        failures = [failure for each in begun if (failure := each.exception()) is not None]
        if failures:
            raise failures[0]
        return [each.result() for each in begun]
