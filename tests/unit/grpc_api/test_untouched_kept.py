"""The untouched package on its way: from the worker's hand to the disk, to its submitter, and opened."""

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

from enclave.policy import Terms, parse_policy
from grpc_api.client.connection import Connection
from grpc_api.client.outputs import commit, proof_path, untouched_path
from grpc_api.client.untouched import fetch_untouched, require_no_untouched
from grpc_api.config import ServiceConfig
from grpc_api.errors import ServiceError
from grpc_api.jobs.desk import JobDesk
from grpc_api.jobs.dispatcher import Backstage, Dispatcher, check_reply
from grpc_api.jobs.refused import WorkerRefusedError
from grpc_api.jobs.spool import Spool
from grpc_api.jobs.states import State
from grpc_api.jobs.store import JobStore
from keyvault.age import AgeError, HybridIdentity, SealWriter
from protos.bauta.internal.v1.worker_pb2 import WorkerResult
from protos.bauta.v1 import jobs_pb2
from provenance.dsse import sign_envelope
from provenance.statements import JobFacts
from tests.unit.enclave.enclave_makers import POLICY_TEXT, some_terms
from tests.unit.grpc_api.test_review_kept import a_job
from tests.unit.provenance.provenance_makers import TestSigner, job_facts, release_facts

PACKAGE = bytes(range(256)) * 10
SHA256 = hashlib.sha256(PACKAGE).digest()
ME = HybridIdentity.generate()
FIGURES = {"frames": 90, "open_permille": 900, "tiles": 1800, "tiles_open": 1600}


def shown(digest: bytes = SHA256) -> dict[str, Any]:
    """What a statement says of a package."""
    return {"pieces": "ab" * 32, "untouched": FIGURES, "untouched_sha256": digest.hex()}


def terms(*, evidence: bool) -> Terms:
    return some_terms(parse_policy("evidence = 'lossless'\n" * evidence + POLICY_TEXT))


CLAIMS: dict[str, tuple[bool, dict[str, Any], bytes, bool]] = {
    "nothing asked for, named or sent": (False, {}, b"", True),
    "asked for, named and sent": (True, shown(), SHA256, True),
    "not asked for": (False, shown(), SHA256, False),
    "not asked for, sent in silence": (False, {}, SHA256, False),
    "asked for, and not made": (True, {}, b"", False),
    "named and not sent": (True, shown(), b"", False),
    "another one sent than named": (True, shown(bytes(32)), SHA256, False),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_policy_statement_and_reply_agree_on_a_package(case: str) -> None:
    evidence_asked, stated, reported, holds = CLAIMS[case]
    asked = terms(evidence=evidence_asked)
    worker, node = TestSigner("worker"), TestSigner("node")
    bound = {"terms_sha256": asked.digest.hex(), "policy_sha256": asked.policy.digest.hex()}
    evidence = sign_envelope(release_facts(worker.public, **bound).to_statement(), node)
    facts = job_facts(**bound, **stated)
    result = WorkerResult(
        sealed_bytes=1,
        sealed_sha256=bytes(32),
        media_type=facts.media_type,
        statement=sign_envelope(facts.to_statement(), worker).to_bytes(),
        evidence=evidence.to_bytes(),
        untouched_bytes=len(reported),
        untouched_sha256=reported,
    )
    job = a_job(terms=asked.to_bytes())
    if holds:
        assert check_reply(job, result, evidence).to_bytes() == result.statement
        return
    with pytest.raises(WorkerRefusedError) as caught:
        check_reply(job, result, evidence)
    assert caught.value.code == "worker_reply_invalid"


def kept(folder: Path, written: bytes, most: int = 10_000, **claims: Any) -> tuple[int, str]:
    """What the dispatcher makes of a package that a worker left, with what it reported of it."""
    spool, job = Spool(folder / "spool", min_free_bytes=0), a_job()
    spool.upload_path(job.job_id).parent.mkdir()
    fd = spool.create_untouched(job.job_id)
    os.write(fd, written)
    os.close(fd)
    backstage = cast(Any, Backstage)(
        **dict.fromkeys(Backstage.__dataclass_fields__, None)
        | {"spool": spool, "config": ServiceConfig(max_untouched_bytes=most)}
    )
    return Dispatcher(backstage)._kept_untouched(job, WorkerResult(**claims))


REPORTED: dict[str, Any] = {"untouched_bytes": len(PACKAGE), "untouched_sha256": SHA256}


def test_a_package_is_kept_as_it_was_reported_and_no_longer(tmp_path: Path) -> None:
    for name, written in (("whole", PACKAGE), ("behind it, what a first round left", PACKAGE + bytes(999))):
        folder = tmp_path / name
        assert kept(folder, written, **REPORTED) == (len(PACKAGE), SHA256.hex())
        assert Spool(folder / "spool", 0).untouched_path(a_job().job_id).read_bytes() == PACKAGE


def test_a_package_that_is_not_reported_is_not_kept(tmp_path: Path) -> None:
    assert kept(tmp_path, PACKAGE) == (0, "")
    spool = Spool(tmp_path / "spool", 0)
    assert not spool.untouched_path(a_job().job_id).exists()
    spool.drop_inputs(a_job().job_id)
    assert not list(spool.untouched_path(a_job().job_id).parent.iterdir())


@pytest.mark.parametrize(
    ("written", "most"),
    [(PACKAGE[:-1], 10_000), (b"x" + PACKAGE[1:], 10_000), (PACKAGE, len(PACKAGE) - 1)],
    ids=["one byte less", "another byte", "larger than its limit"],
)
def test_a_package_that_is_not_what_was_reported_ends_the_job(
    written: bytes, most: int, tmp_path: Path
) -> None:
    with pytest.raises(WorkerRefusedError) as caught:
        kept(tmp_path, written, most, **REPORTED)
    assert caught.value.code == "worker_reply_invalid"


@pytest.fixture
def desk(tmp_path: Path) -> JobDesk:
    """A desk with one finished job that has a package, and one that has none."""
    spool = Spool(tmp_path / "spool", min_free_bytes=0)
    store = JobStore(tmp_path / "jobs.sqlite")
    for job_id, size in (("a" * 32, len(PACKAGE)), ("b" * 32, 0)):
        job = a_job(job_id=job_id, client_token=job_id, state=State.DONE, untouched_bytes=size)
        store.create(job)
        spool.result_path(job_id).parent.mkdir()
        spool.untouched_path(job_id).write_bytes(PACKAGE[:size])
    store.create(a_job(job_id="c" * 32, client_token="c" * 32))
    unused = cast(Any, None)
    return JobDesk(store, spool, ServiceConfig(), unused, unused, unused, lambda _job: None)


def test_a_package_is_served_from_an_offset(desk: JobDesk) -> None:
    assert b"".join(desk.read_untouched("local", "a" * 32, 7)) == PACKAGE[7:]
    assert b"".join(desk.read_untouched("local", "a" * 32, len(PACKAGE))) == b""


NOT_SERVED = {
    "to somebody else": ("x509:other", "a" * 32, 0, "job_not_found"),
    "of a job that runs": ("local", "c" * 32, 0, "result_not_ready"),
    "of a job that has none": ("local", "b" * 32, 0, "untouched_not_asked"),
    "from behind its end": ("local", "a" * 32, len(PACKAGE) + 1, "untouched_offset_wrong"),
}


@pytest.mark.parametrize("case", NOT_SERVED)
def test_a_package_is_not_served(case: str, desk: JobDesk) -> None:
    owner, job_id, offset, code = NOT_SERVED[case]
    with pytest.raises(ServiceError) as caught:
        desk.read_untouched(owner, job_id, offset)
    assert caught.value.code == code


def sealed(package: bytes, identity: HybridIdentity = ME) -> bytes:
    sink = BytesIO()
    with SealWriter(sink, [identity.recipient]) as writer:
        writer.write(package)
    return sink.getvalue()


def connection_to(content: bytes) -> Connection:
    """A front desk that hands out these bytes."""

    def fetch(request: jobs_pb2.FetchUntouchedRequest) -> Iterator[jobs_pb2.FetchUntouchedResponse]:
        for start in range(request.offset, len(content), 1000):
            yield jobs_pb2.FetchUntouchedResponse(chunk=content[start : start + 1000])

    return cast(Connection, SimpleNamespace(jobs=SimpleNamespace(FetchUntouched=fetch), tries=1))


def job_of(content: bytes) -> jobs_pb2.Job:
    return jobs_pb2.Job(
        job_id="a" * 32, untouched_bytes=len(content), untouched_sha256=hashlib.sha256(content).digest()
    )


def facts_of(content: bytes) -> JobFacts:
    return job_facts(**shown(hashlib.sha256(content).digest()))


def test_a_package_arrives_and_lies_open_beside_the_result(tmp_path: Path) -> None:
    content, output = sealed(PACKAGE), tmp_path / "out.mp4"
    work = tmp_path / "work"
    work.mkdir()
    fetch_untouched(connection_to(content), job_of(content), facts_of(content), ME, work)
    (work / "result").write_bytes(b"result")
    commit(work, output, b"proof", None)
    assert untouched_path(output).read_bytes() == PACKAGE
    assert stat.S_IMODE(untouched_path(output).stat().st_mode) == 0o600
    assert (output.read_bytes(), proof_path(output).read_bytes()) == (b"result", b"proof")


Case = tuple[bytes, jobs_pb2.Job, JobFacts, str]
CONTENT, OTHER = sealed(PACKAGE), sealed(PACKAGE)
REFUSED: dict[str, Callable[[], Case]] = {
    "none is named": lambda: (CONTENT, job_of(CONTENT), job_facts(), "untouched_missing"),
    "none is there": lambda: (b"", job_of(b""), facts_of(CONTENT), "untouched_missing"),
    "the same, sealed anew": lambda: (OTHER, job_of(OTHER), facts_of(CONTENT), "untouched_of_other_job"),
    "cut on the way": lambda: (CONTENT[:-1], job_of(CONTENT), facts_of(CONTENT), "result_digest_wrong"),
    "without end": lambda: (
        CONTENT + bytes(1 << 20),
        job_of(CONTENT),
        facts_of(CONTENT),
        "result_digest_wrong",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_package_that_is_not_the_jobs_gets_no_name(case: str, tmp_path: Path) -> None:
    content, job, facts, code = REFUSED[case]()
    with pytest.raises(ServiceError) as caught:
        fetch_untouched(connection_to(content), job, facts, ME, tmp_path)
    assert caught.value.code == code
    assert not (tmp_path / "untouched").exists()


def test_a_package_for_somebody_else_does_not_open(tmp_path: Path) -> None:
    content = sealed(PACKAGE, HybridIdentity.generate())
    with pytest.raises(AgeError):
        fetch_untouched(connection_to(content), job_of(content), facts_of(content), ME, tmp_path)


def test_a_package_that_nobody_asked_for_is_refused() -> None:
    require_no_untouched(job_facts())
    with pytest.raises(ServiceError) as caught:
        require_no_untouched(facts_of(CONTENT))
    assert caught.value.code == "untouched_not_asked"
