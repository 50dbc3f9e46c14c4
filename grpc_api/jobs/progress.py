"""Progress of running jobs: in memory only, gone with the process."""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(frozen=True)
class JobProgress:
    """Counts of one running job.

    Attributes:
        stage: open, anonymize, seal or prove.
        frames_done, frames_total: frames; the total is an estimate, 0 when not known.
        frames_per_second: since the first frame.
    """

    stage: str
    frames_done: int = 0
    frames_total: int = 0
    frames_per_second: float = 0.0


class ProgressBoard:
    """The newest progress of each running job. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._progress: dict[str, JobProgress] = {}

    def post(self, job_id: str, progress: JobProgress) -> None:
        """Replaces a job's progress."""
        with self._lock:
            self._progress[job_id] = progress

    def get(self, job_id: str) -> JobProgress | None:
        """A job's progress, if it runs."""
        with self._lock:
            return self._progress.get(job_id)

    def clear(self, job_id: str) -> None:
        """Forgets a job's progress."""
        with self._lock:
            self._progress.pop(job_id, None)
