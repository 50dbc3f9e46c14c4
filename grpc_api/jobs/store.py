"""The job store: one SQLite table, every change one durable transaction, every change announced."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import Any

from grpc_api.durable import open_database
from grpc_api.errors import not_found
from grpc_api.jobs.states import FINAL, JobRecord, State

_COLUMNS: dict[str, type] = {
    **dict.fromkeys([field.name for field in fields(JobRecord)], str),
    "terms": bytes,
    "proof": bytes,
    "receipt": bytes,
    "committed_bytes": int,
    "attempts": int,
    "result_bytes": int,
    "review_bytes": int,
    "untouched_bytes": int,
    "scores_bytes": int,
    "created_at": float,
    "updated_at": float,
}


class JobStore:
    """Jobs by id, with a change counter that watchers wait on. Safe for threads."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._version = 0
        self._clock = clock
        self._db = open_database(path)
        self._jobs = self._db.table("jobs")
        self._jobs.create(_COLUMNS, pk="job_id", if_not_exists=True)
        for name in _COLUMNS.keys() - {column.name for column in self._jobs.columns}:
            # A store of an older version: its jobs have nothing of the kind.
            self._jobs.add_column(name, _COLUMNS[name], not_null_default=_COLUMNS[name]())
        self._jobs.create_index(["owner", "client_token"], unique=True, if_not_exists=True)

    def close(self) -> None:
        """Closes the database."""
        with self._lock:
            self._db.conn.close()

    def find(self, owner: str, client_token: str) -> JobRecord | None:
        """The job that an owner made with a token, if there is one."""
        with self._lock:
            for row in self._jobs.rows_where("owner = ? and client_token = ?", [owner, client_token]):
                return _record(row)
            return None

    def create(self, job: JobRecord) -> JobRecord:
        """Adds a job, or returns the one that the same owner made with the same token."""
        with self._changed:
            for row in self._jobs.rows_where("owner = ? and client_token = ?", [job.owner, job.client_token]):
                return _record(row)
            self._jobs.insert(_row(job))
            self._announce()
            return job

    def get(self, job_id: str, owner: str | None = None) -> JobRecord:
        """One job; with an owner, only theirs.

        Raises:
            ServiceError: `job_not_found`, the same for an unknown job and for someone else's.
        """
        with self._lock:
            return self._get(job_id, owner)

    def change(self, job_id: str, transition: Callable[[JobRecord], JobRecord]) -> JobRecord:
        """Applies a transition of `states` to the newest record, in one transaction."""
        with self._changed:
            before = self._get(job_id, None)
            after = transition(before)
            if after != before:
                after = replace(after, updated_at=self._clock())
                self._jobs.upsert(_row(after), pk="job_id")
                self._announce()
            return after

    def delete(self, job_id: str) -> None:
        """Forgets a job."""
        with self._changed:
            self._jobs.delete_where("job_id = ?", [job_id])
            self._announce()

    def in_state(self, *states: State) -> list[JobRecord]:
        """Jobs in these states, oldest first."""
        marks = ",".join("?" * len(states))
        with self._lock:
            rows = self._jobs.rows_where(
                f"state in ({marks})", [state.value for state in states], order_by="created_at"
            )
            return [_record(row) for row in rows]

    def owned_by(self, owner: str, limit: int = 1000) -> list[JobRecord]:
        """One identity's jobs, newest first."""
        with self._lock:
            rows = self._jobs.rows_where("owner = ?", [owner], order_by="created_at desc", limit=limit)
            return [_record(row) for row in rows]

    def count_open(self, certified: str) -> int:
        """How many jobs have not ended that came with one certificate, whatever keys came beside it."""
        marks = ",".join("?" * len(FINAL))
        mine = "(owner = ? or substr(owner, 1, ?) = ?)"
        final = [state.value for state in FINAL]
        with self._lock:
            return int(
                self._jobs.count_where(
                    f"{mine} and state not in ({marks})",
                    [certified, len(certified) + 1, f"{certified}/", *final],
                )
            )

    @property
    def version(self) -> int:
        """Grows with every change."""
        with self._lock:
            return self._version

    def wait_for_change(self, seen_version: int, timeout_seconds: float) -> int:
        """Waits until something changed after `seen_version`; returns the newest version."""
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen_version, timeout_seconds)
            return self._version

    def announce(self) -> None:
        """Wakes watchers for a change that the store does not keep (progress)."""
        with self._changed:
            self._announce()

    def _announce(self) -> None:
        self._version += 1
        self._changed.notify_all()

    def _get(self, job_id: str, owner: str | None) -> JobRecord:
        for row in self._jobs.rows_where("job_id = ?", [job_id]):
            record = _record(row)
            if owner is None or record.owner == owner:
                return record
        raise not_found()


def _row(job: JobRecord) -> dict[str, Any]:
    return {**asdict(job), "state": job.state.value}


def _record(row: dict[str, Any]) -> JobRecord:
    return JobRecord(**{**row, "state": State(row["state"])})
