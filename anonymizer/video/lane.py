"""One thread that does tasks in order, a few behind the thread that gives them.

The detector and the encoder each leave cores idle for part of their time; side by side they do not. The
thread is made and ended within one job.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

Task = Callable[[], None]


class Lane:
    """Takes tasks; blocks while too many wait, so that memory stays bounded."""

    def __init__(self, most_waiting: int) -> None:
        """Starts the thread."""
        self._tasks: queue.Queue[Task | None] = queue.Queue(most_waiting)
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def put(self, task: Task) -> None:
        """Adds a task.

        Raises:
            BaseException: what an earlier task raised; no task after it has run.
        """
        if self._failure is not None:
            raise self._failure
        self._tasks.put(task)

    def close(self) -> None:
        """Waits for all tasks.

        Raises:
            BaseException: what a task raised.
        """
        self._tasks.put(None)
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def abandon(self, reason: BaseException) -> None:
        """Drops the tasks that wait, and ends the thread after the one it is at."""
        self._failure = self._failure or reason
        self._tasks.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (task := self._tasks.get()) is not None:
            if self._failure is None:
                try:
                    task()
                except BaseException as failure:  # handed to the other thread, which raises it
                    self._failure = failure
