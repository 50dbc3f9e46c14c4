"""The job store: durable, owned, announced."""

from __future__ import annotations

import sqlite3
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from grpc_api.errors import ServiceError
from grpc_api.jobs import states
from grpc_api.jobs.states import JobRecord, State
from grpc_api.jobs.store import JobStore


def _job(number: int, owner: str = "local") -> JobRecord:
    return JobRecord(
        job_id=f"{number:032x}",
        owner=owner,
        client_token=f"{number:032x}",
        terms=b"{}",
        state=State.UPLOADING,
        created_at=float(number),
        updated_at=float(number),
    )


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    return JobStore(tmp_path / "jobs.sqlite", clock=lambda: 42.0)


def test_a_job_survives_a_new_start(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    job = store.create(replace(_job(1), proof=b"\x00\xff", committed_bytes=1 << 40))
    store.close()
    assert JobStore(tmp_path / "jobs.sqlite").get(job.job_id) == job


def test_the_same_token_gives_the_same_job_and_another_owner_another(store: JobStore) -> None:
    first = store.create(_job(1))
    again = store.create(replace(_job(2), client_token=first.client_token))
    other = store.create(replace(_job(3, owner="x509:other"), client_token=first.client_token))
    assert again == first
    assert other.job_id != first.job_id


def test_a_job_of_someone_else_looks_like_no_job(store: JobStore) -> None:
    job = store.create(_job(1))
    with pytest.raises(ServiceError) as foreign:
        store.get(job.job_id, "x509:other")
    with pytest.raises(ServiceError) as unknown:
        store.get("f" * 32, "local")
    assert (foreign.value.code, str(foreign.value)) == (unknown.value.code, str(unknown.value))
    assert store.owned_by("x509:other") == []


def test_a_refused_transition_changes_nothing(store: JobStore) -> None:
    job = store.create(_job(1))
    with pytest.raises(ServiceError):
        store.change(job.job_id, states.start)
    assert store.get(job.job_id) == job


def test_one_of_many_racing_starts_wins(store: JobStore) -> None:
    job = store.create(replace(_job(1), state=State.QUEUED))
    outcomes: list[str] = []

    def race() -> None:
        try:
            store.change(job.job_id, states.start)
            outcomes.append("started")
        except ServiceError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=race) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["job_state_wrong"] * 7 + ["started"]
    assert store.get(job.job_id).attempts == 1


def test_a_watcher_wakes_at_a_change(store: JobStore) -> None:
    job = store.create(_job(1))
    seen = store.version
    woken = threading.Event()
    threading.Thread(target=lambda: (store.wait_for_change(seen, 600.0), woken.set()), daemon=True).start()
    assert not woken.wait(0.05)
    store.change(job.job_id, states.cancel)
    assert woken.wait(120.0)


def test_a_deleted_job_leaves_nothing_in_the_file(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    marker = b"terms-that-must-not-stay-behind-4711"
    job = store.create(replace(_job(1), terms=marker))
    store.delete(job.job_id)
    store.close()
    sqlite3.connect(tmp_path / "jobs.sqlite").execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert all(marker not in path.read_bytes() for path in tmp_path.iterdir())
