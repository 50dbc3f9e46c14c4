"""Looks at one frame side by side: networks leave the interpreter's lock alone while they run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Answer = TypeVar("Answer")


class Abreast:
    """Does a few tasks at once, in threads that end with them: what is forked later has none to miss."""

    def __init__(self, threads: int) -> None:
        """Takes how many may run at once."""
        self._threads = threads

    def answers(self, tasks: Sequence[Callable[[], Answer]]) -> list[Answer]:
        """Does all of them; gives their answers in the order of the tasks.

        Raises:
            BaseException: what the first of them that failed raised; the others have ended, too.
        """
        if self._threads == 1 or len(tasks) < 2:
            return [task() for task in tasks]
        with ThreadPoolExecutor(min(self._threads, len(tasks))) as pool:
            # The last ones are begun first: they are the largest, and take as long as all others together.
            begun = [pool.submit(task) for task in reversed(tasks)][::-1]
        return [each.result() for each in begun]
