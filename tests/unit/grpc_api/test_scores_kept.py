"""Encrypted scores on their way: from the worker to the disk, to the submitter, and out of their seal."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from enclave.policy import Instructions
from enclave.policy.matching import MAX_SEALED_SCORES_BYTES
from grpc_api.client.connection import Connection
from grpc_api.client.matching import Matching, fetch_scores, require_no_scores
from grpc_api.client.outputs import commit, scores_path
from grpc_api.config import ServiceConfig
from grpc_api.errors import ServiceError
from grpc_api.jobs.desk import JobDesk
from grpc_api.jobs.dispatcher import Backstage, Dispatcher
from grpc_api.jobs.refused import WorkerRefusedError
from grpc_api.jobs.spool import Spool
from grpc_api.jobs.states import State
from grpc_api.jobs.store import JobStore
from keyvault.age import AgeError, HybridIdentity, SealWriter
from keyvault.templates.scores import MAX_SCORES_BYTES
from protos.bauta.internal.v1.worker_pb2 import WorkerResult
from protos.bauta.v1 import jobs_pb2
from provenance.statements import JobFacts
from tests.unit.grpc_api.test_review_kept import a_job
from tests.unit.provenance.provenance_makers import job_facts

SCORES = bytes(range(256)) * 10
SHA256 = hashlib.sha256(SCORES).digest()
ME = HybridIdentity.generate()


def test_the_largest_scores_fit() -> None:
    assert MAX_SCORES_BYTES + 16 * (MAX_SCORES_BYTES // (64 << 10) + 1) + 8192 < MAX_SEALED_SCORES_BYTES


def kept(folder: Path, written: bytes, **claims: Any) -> tuple[int, str]:
    """What the dispatcher makes of scores that a worker left, with what it reported of them."""
    spool, job = Spool(folder / "spool", min_free_bytes=0), a_job()
    spool.upload_path(job.job_id).parent.mkdir()
    fd = spool.create_scores(job.job_id)
    os.write(fd, written)
    os.close(fd)
    fields = dict.fromkeys(Backstage.__dataclass_fields__, None) | {"spool": spool, "config": ServiceConfig()}
    return Dispatcher(cast(Any, Backstage)(**fields))._kept_scores(job, WorkerResult(**claims))


def test_scores_are_kept_as_they_were_reported(tmp_path: Path) -> None:
    reported = {"scores_bytes": len(SCORES), "scores_sha256": SHA256}
    assert kept(tmp_path, SCORES, **reported) == (len(SCORES), SHA256.hex())
    assert Spool(tmp_path / "spool", 0).scores_path(a_job().job_id).read_bytes() == SCORES


def test_scores_that_are_not_reported_are_not_kept(tmp_path: Path) -> None:
    assert kept(tmp_path, SCORES) == (0, "")
    spool = Spool(tmp_path / "spool", 0)
    spool.drop_inputs(a_job().job_id)
    assert not list(spool.scores_path(a_job().job_id).parent.iterdir())


@pytest.mark.parametrize(
    "written",
    [SCORES[:-1], SCORES + b"x", b"x" + SCORES[1:], bytes(MAX_SEALED_SCORES_BYTES + 1)],
    ids=["one byte less", "one byte more", "another byte", "more than scores can be"],
)
def test_scores_that_are_not_what_was_reported_end_the_job(written: bytes, tmp_path: Path) -> None:
    claims: dict[str, Any] = {"scores_bytes": len(SCORES), "scores_sha256": SHA256}
    if len(written) > MAX_SEALED_SCORES_BYTES:
        claims = {"scores_bytes": len(written), "scores_sha256": hashlib.sha256(written).digest()}
    with pytest.raises(WorkerRefusedError) as caught:
        kept(tmp_path, written, **claims)
    assert caught.value.code == "worker_reply_invalid"


@pytest.fixture
def desk(tmp_path: Path) -> JobDesk:
    """A desk with one finished job that has scores, and one that has none."""
    spool = Spool(tmp_path / "spool", min_free_bytes=0)
    store = JobStore(tmp_path / "jobs.sqlite")
    for job_id, size in (("a" * 32, len(SCORES)), ("b" * 32, 0)):
        store.create(a_job(job_id=job_id, client_token=job_id, state=State.DONE, scores_bytes=size))
        spool.result_path(job_id).parent.mkdir()
        spool.scores_path(job_id).write_bytes(SCORES[:size])
    unused = cast(Any, None)
    return JobDesk(store, spool, unused, unused, unused, unused, lambda _job: None)


def test_scores_are_served_from_an_offset_to_their_submitter_alone(desk: JobDesk) -> None:
    assert b"".join(desk.read_scores("local", "a" * 32, 7)) == SCORES[7:]
    for owner, job_id, offset, code in [
        ("x509:other", "a" * 32, 0, "job_not_found"),
        ("local", "b" * 32, 0, "scores_absent"),
        ("local", "a" * 32, len(SCORES) + 1, "scores_offset_wrong"),
    ]:
        with pytest.raises(ServiceError) as caught:
            desk.read_scores(owner, job_id, offset)
        assert caught.value.code == code


def sealed(scores: bytes, identity: HybridIdentity = ME) -> bytes:
    sink = BytesIO()
    with SealWriter(sink, [identity.recipient]) as writer:
        writer.write(scores)
    return sink.getvalue()


def connection_to(content: bytes) -> Connection:
    """A front desk that hands out these bytes."""

    def fetch(request: jobs_pb2.FetchScoresRequest) -> Iterator[jobs_pb2.FetchScoresResponse]:
        for start in range(request.offset, len(content), 1000):
            yield jobs_pb2.FetchScoresResponse(chunk=content[start : start + 1000])

    return cast(Connection, SimpleNamespace(jobs=SimpleNamespace(FetchScores=fetch), tries=1))


def job_of(content: bytes) -> jobs_pb2.Job:
    digest = hashlib.sha256(content).digest()
    return jobs_pb2.Job(job_id="a" * 32, scores_bytes=len(content), scores_sha256=digest)


def facts_of(content: bytes) -> JobFacts:
    digest = hashlib.sha256(content).hexdigest()
    return job_facts(matched={"templates": 1, "vectors": 2}, scores_sha256=digest)


def test_scores_arrive_and_lie_beside_the_result(tmp_path: Path) -> None:
    content, output, work = sealed(SCORES), tmp_path / "out.mp4", tmp_path / "work"
    work.mkdir()
    fetch_scores(connection_to(content), job_of(content), facts_of(content), ME, work)
    (work / "result").write_bytes(b"result")
    commit(work, output, b"proof", None)
    assert scores_path(output).read_bytes() == SCORES
    assert stat.S_IMODE(scores_path(output).stat().st_mode) == 0o600


CONTENT, OTHER = sealed(SCORES), sealed(SCORES)
REFUSED: dict[str, Callable[[], tuple[bytes, JobFacts, str]]] = {
    "nobody was compared": lambda: (CONTENT, job_facts(), "scores_missing"),
    "the same, sealed anew": lambda: (OTHER, facts_of(CONTENT), "scores_of_other_job"),
    "none are there": lambda: (b"", facts_of(CONTENT), "scores_of_other_job"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_scores_that_are_not_the_jobs_get_no_name(case: str, tmp_path: Path) -> None:
    content, facts, code = REFUSED[case]()
    with pytest.raises(ServiceError) as caught:
        fetch_scores(connection_to(content), job_of(content), facts, ME, tmp_path)
    assert caught.value.code == code
    assert not (tmp_path / "scores").exists()


def test_scores_that_were_cut_or_are_for_somebody_else_get_no_name(tmp_path: Path) -> None:
    with pytest.raises(ServiceError) as caught:
        fetch_scores(connection_to(CONTENT[:-1]), job_of(CONTENT), facts_of(CONTENT), ME, tmp_path)
    assert caught.value.code == "result_digest_wrong"
    foreign = sealed(SCORES, HybridIdentity.generate())
    with pytest.raises(AgeError):
        fetch_scores(
            connection_to(foreign), job_of(foreign), facts_of(foreign), ME, create(tmp_path / "again")
        )


def create(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_where_nobody_was_seen_there_are_no_scores_and_nothing_is_wrong(tmp_path: Path) -> None:
    facts = job_facts(matched={"templates": 1, "vectors": 0})
    fetch_scores(connection_to(b""), job_of(b""), facts, ME, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_comparison_that_nobody_asked_for_is_refused() -> None:
    require_no_scores(job_facts())
    with pytest.raises(ServiceError) as caught:
        require_no_scores(facts_of(CONTENT))
    assert caught.value.code == "scores_not_asked"


def test_a_package_is_announced_by_its_length_alone() -> None:
    assert Matching().told(None) is None
    assert Matching(b"x" * 7).told(Instructions(sound="remove")) == Instructions(sound="remove", matching=7)
