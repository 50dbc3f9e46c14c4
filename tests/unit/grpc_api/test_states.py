"""The job state machine, by named tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grpc_api.errors import ServiceError
from grpc_api.jobs import states
from grpc_api.jobs.states import FINAL, JobRecord, State

JOB = JobRecord(
    job_id="0" * 32,
    owner="local",
    client_token="1" * 32,
    terms=b"{}",
    state=State.UPLOADING,
    created_at=1.0,
    updated_at=1.0,
)


def _finish(job: JobRecord) -> JobRecord:
    return states.finish(job, result_bytes=9, result_sha256="ab", media_type="video/mp4", proof=b"proof")


TRANSITIONS = {
    "commit": (lambda job: states.commit_bytes(job, 5), {State.UPLOADING}),
    "finish upload": (lambda job: states.finish_upload(job, "ab", b"receipt"), {State.UPLOADING}),
    "start": (states.start, {State.QUEUED}),
    "finish": (_finish, {State.RUNNING}),
    "fail": (lambda job: states.fail(job, "media_empty"), {State.UPLOADING, State.QUEUED, State.RUNNING}),
    "cancel": (states.cancel, {State.UPLOADING, State.QUEUED, State.RUNNING}),
}


@pytest.mark.parametrize("name", TRANSITIONS)
@pytest.mark.parametrize("state", State)
def test_a_transition_works_from_its_states_and_from_no_other(name: str, state: State) -> None:
    transition, allowed = TRANSITIONS[name]
    job = replace(JOB, state=state)
    if state in allowed:
        assert transition(job) != job
    else:
        with pytest.raises(ServiceError) as refused:
            transition(job)
        assert refused.value.code == "job_state_wrong"


RECOVERIES = {
    "an upload waits for its client": (State.UPLOADING, 0, False, State.UPLOADING, ""),
    "a queued job stays queued": (State.QUEUED, 0, False, State.QUEUED, ""),
    "a running job is tried again": (State.RUNNING, 1, False, State.QUEUED, ""),
    "a job that was tried too often fails": (State.RUNNING, 2, False, State.FAILED, "worker_lost"),
    "an embedded service's upload has nobody left": (State.UPLOADING, 0, True, State.FAILED, "client_gone"),
    "an embedded service's job has nobody left": (State.RUNNING, 1, True, State.FAILED, "client_gone"),
    "a finished job stays": (State.DONE, 1, True, State.DONE, ""),
    "a cancelled job stays": (State.CANCELLED, 1, False, State.CANCELLED, ""),
}


@pytest.mark.parametrize("name", RECOVERIES)
def test_recovery(name: str) -> None:
    before, attempts, abandon, after, code = RECOVERIES[name]
    job = states.recover(replace(JOB, state=before, attempts=attempts), max_attempts=2, abandon=abandon)
    assert (job.state, job.error_code) == (after, code)


def test_every_state_is_final_or_can_end() -> None:
    for state in State:
        if state not in FINAL:
            assert states.cancel(replace(JOB, state=state)).state is State.CANCELLED
