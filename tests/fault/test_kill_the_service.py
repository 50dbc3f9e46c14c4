"""kill -9 of the whole service at any moment: a submitted job is finished or failed, never half, never lost.

The client is not told that anything happened: it goes on where the service left it.
"""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path

import media_factory
import pytest
from service_process import AwaitedService, in_background

from enclave.errors import EnclaveError
from grpc_api.errors import ServiceError
from provenance.errors import ProvenanceError
from provenance.log import TransparencyLog
from provenance.trust import Trust

# Seconds after the job reached the stage.
MOMENTS = {
    "while it uploads": ("upload", 0.0),
    "when it is queued or opened": ("queue", 0.0),
    "as the worker opens it": ("open", 0.0),
    "as the first frames come": ("anonymize", 0.05),
    "in the middle": ("anonymize", 0.4),
    "near the end": ("anonymize", 0.9),
    "at signing": ("seal", 0.0),
    "at recording": ("prove", 0.0),
    "while the client fetches": ("fetch", 0.0),
}


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_factory.face_clip(tmp_path_factory.mktemp("media") / "clip.mp4", seconds=2)


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_service_finishes_or_fails_its_job(moment: str, clip: Path, tmp_path: Path) -> None:
    stage, delay = MOMENTS[moment]
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    output = tmp_path / "out.mp4"
    service = AwaitedService(data)
    service.start()
    reached: list[str] = []
    outcome: list[object] = []

    def submit() -> None:
        try:
            outcome.append(service.submit(clip, output, on_progress=lambda name, _: reached.append(name)))
        except (ServiceError, EnclaveError, ProvenanceError) as error:
            outcome.append(error.code)

    client = in_background(submit)
    # A stage can be over before it is seen; then the kill falls into the next one, which is as good.
    deadline = time.monotonic() + 120
    while stage not in reached and client.is_alive() and time.monotonic() < deadline:
        time.sleep(0.002)
    time.sleep(delay)
    service.kill()
    _nothing_half_is_served(data)
    try:
        service.start()
        client.join(240)
        assert not client.is_alive(), "the client must get an answer"
        assert len(outcome) == 1
        if isinstance(outcome[0], str):
            assert outcome[0] in {"worker_lost", "service_unreachable"}
            assert not output.exists()
        else:
            assert output.exists()
            assert output.with_name("out.mp4.proof").exists()
    finally:
        service.stop()
    _log_is_sound(data)
    assert service.spooled() == []


def _nothing_half_is_served(data: Path) -> None:
    """Whatever the store calls done must be whole on disk at the moment of the kill."""
    with sqlite3.connect(data / "desk" / "jobs.sqlite") as database:
        for job_id, result_bytes in database.execute(
            "select job_id, result_bytes from jobs where state = 'done'"
        ):
            assert (data / "desk" / "spool" / job_id / "result.age").stat().st_size == result_bytes


def _log_is_sound(data: Path) -> None:
    def never(_: bytes, _prove_from: object) -> bytes:
        raise AssertionError("checking a log signs nothing")

    trust = Trust.from_bytes((data / "trust.json").read_bytes())
    with TransparencyLog(data / "desk" / "log.sqlite", trust.log_origin, never) as log:
        assert log.check(trust.log_keys).entries > 0
