"""The front desk and the review package: kept only as the statement names it, served as a result is."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from enclave.policy import Terms, shipped
from grpc_api.config import ServiceConfig, load_config
from grpc_api.errors import ServiceError
from grpc_api.jobs import states
from grpc_api.jobs.desk import JobDesk
from grpc_api.jobs.dispatcher import Backstage, Dispatcher, WorkerRefusedError, check_reply
from grpc_api.jobs.spool import Spool
from grpc_api.jobs.states import JobRecord, State
from grpc_api.jobs.store import JobStore
from protos.bauta.internal.v1.worker_pb2 import WorkerResult
from provenance.dsse import sign_envelope
from tests.unit.enclave.enclave_makers import RECIPIENT
from tests.unit.provenance.provenance_makers import TestSigner, job_facts, release_facts

PACKAGE = b"sealed review package"
SHA256 = bytes.fromhex("4a" * 32)


def a_job(**changes: Any) -> JobRecord:
    policy = shipped()["whistleblower"]
    job = JobRecord(
        job_id="0123456789abcdef" * 2,
        owner="local",
        client_token="0" * 32,
        terms=Terms(policy, policy.modes[0], (RECIPIENT,)).to_bytes(),
        state=State.RUNNING,
        created_at=1.0,
        updated_at=1.0,
    )
    return replace(job, **changes)


CLAIMS: dict[str, tuple[str | None, bytes, bool]] = {
    "no package, and none named": (None, b"", True),
    "a package, and it is named": (SHA256.hex(), SHA256, True),
    "a package that the statement does not name": (None, SHA256, False),
    "a named package that is not there": (SHA256.hex(), b"", False),
    "another package than the one named": (SHA256.hex(), bytes(32), False),
}


@pytest.mark.parametrize("case", CLAIMS)
def test_reply_and_statement_name_the_same_package(case: str) -> None:
    stated, reported, holds = CLAIMS[case]
    worker, node = TestSigner("worker"), TestSigner("node")
    release = release_facts(worker.public)
    evidence = sign_envelope(release.to_statement(), node)
    facts = job_facts(review_sha256=stated)
    result = WorkerResult(
        sealed_bytes=1,
        sealed_sha256=bytes(32),
        media_type=facts.media_type,
        statement=sign_envelope(facts.to_statement(), worker).to_bytes(),
        evidence=evidence.to_bytes(),
        review_bytes=len(reported),
        review_sha256=reported,
    )
    if holds:
        assert check_reply(a_job(), result, evidence).to_bytes() == result.statement
        return
    with pytest.raises(WorkerRefusedError) as caught:
        check_reply(a_job(), result, evidence)
    assert caught.value.code == "worker_reply_invalid"


def kept(tmp_path: Path, written: bytes, most: int, **claims: Any) -> tuple[int, str]:
    """What the dispatcher makes of a package that a worker left, with what it reported of it."""
    spool = Spool(tmp_path / "spool", min_free_bytes=0)
    job = a_job()
    spool.upload_path(job.job_id).parent.mkdir()
    fd = spool.create_review(job.job_id)
    os.write(fd, written)
    os.close(fd)
    backstage = cast(Any, Backstage)(
        **dict.fromkeys(Backstage.__dataclass_fields__, None)
        | {"spool": spool, "config": ServiceConfig(max_review_bytes=most)}
    )
    return Dispatcher(backstage)._kept_review(job, WorkerResult(**claims))


def test_a_package_is_kept_as_it_was_reported(tmp_path: Path) -> None:
    digest = hashlib.sha256(PACKAGE)
    claims = {"review_bytes": len(PACKAGE), "review_sha256": digest.digest()}
    assert kept(tmp_path, PACKAGE, 1000, **claims) == (len(PACKAGE), digest.hexdigest())


def test_a_package_that_is_not_reported_is_not_kept(tmp_path: Path) -> None:
    assert kept(tmp_path, PACKAGE, 1000) == (0, "")
    assert not Spool(tmp_path / "spool", 0).review_path(a_job().job_id).exists()


NOT_KEPT: dict[str, Callable[[dict[str, Any]], tuple[bytes, int]]] = {
    "one byte more than reported": lambda claims: (PACKAGE + b"x", 1000),
    "one byte less": lambda claims: (PACKAGE[:-1], 1000),
    "another byte": lambda claims: (b"S" + PACKAGE[1:], 1000),
    "larger than its limit": lambda claims: (PACKAGE, len(PACKAGE) - 1),
}


@pytest.mark.parametrize("case", NOT_KEPT)
def test_a_package_that_is_not_what_was_reported_ends_the_job(case: str, tmp_path: Path) -> None:
    claims: dict[str, Any] = {
        "review_bytes": len(PACKAGE),
        "review_sha256": hashlib.sha256(PACKAGE).digest(),
    }
    written, most = NOT_KEPT[case](claims)
    with pytest.raises(WorkerRefusedError) as caught:
        kept(tmp_path, written, most, **claims)
    assert caught.value.code == "worker_reply_invalid"


@pytest.fixture
def desk(tmp_path: Path) -> JobDesk:
    """A desk with one finished job that has a package, and one that has none."""
    spool = Spool(tmp_path / "spool", min_free_bytes=0)
    store = JobStore(tmp_path / "jobs.sqlite")
    for job_id, size in (("a" * 32, len(PACKAGE)), ("b" * 32, 0)):
        job = a_job(job_id=job_id, client_token=job_id, state=State.DONE, result_bytes=1, review_bytes=size)
        store.create(job)
        spool.result_path(job_id).parent.mkdir()
        spool.review_path(job_id).write_bytes(PACKAGE[:size])
    store.create(a_job(job_id="c" * 32, client_token="c" * 32))
    unused = cast(Any, None)
    return JobDesk(store, spool, ServiceConfig(), unused, unused, unused, lambda _job: None)


def test_a_package_is_served_from_an_offset(desk: JobDesk) -> None:
    assert b"".join(desk.read_review("local", "a" * 32, 7)) == PACKAGE[7:]
    assert b"".join(desk.read_review("local", "a" * 32, len(PACKAGE))) == b""


NOT_SERVED = {
    "to somebody else": ("x509:other", "a" * 32, 0, "job_not_found"),
    "of an unknown job": ("local", "d" * 32, 0, "job_not_found"),
    "of a job that runs": ("local", "c" * 32, 0, "result_not_ready"),
    "of a job that has none": ("local", "b" * 32, 0, "review_not_asked"),
    "from behind its end": ("local", "a" * 32, len(PACKAGE) + 1, "review_offset_wrong"),
}


@pytest.mark.parametrize("case", NOT_SERVED)
def test_a_package_is_not_served(case: str, desk: JobDesk) -> None:
    owner, job_id, offset, code = NOT_SERVED[case]
    with pytest.raises(ServiceError) as caught:
        desk.read_review(owner, job_id, offset)
    assert caught.value.code == code


def test_a_finished_job_remembers_its_package(tmp_path: Path) -> None:
    store = JobStore(tmp_path / "jobs.sqlite")
    store.create(a_job())
    told = {"result_bytes": 9, "result_sha256": "ab", "media_type": "video/mp4", "proof": b"p"}
    store.change(
        a_job().job_id,
        lambda job: states.finish(job, **cast(Any, told), review_bytes=7, review_sha256="cd"),
    )
    store.close()
    again = JobStore(tmp_path / "jobs.sqlite").get(a_job().job_id)
    assert (again.state, again.review_bytes, again.review_sha256) == (State.DONE, 7, "cd")


def test_a_store_of_an_older_version_is_read_and_written(tmp_path: Path) -> None:
    """As 0.2 left it: without the two columns."""
    path = tmp_path / "jobs.sqlite"
    store = JobStore(path)
    store.create(a_job(state=State.DONE, proof=b"p"))
    store.close()
    with sqlite3.connect(path) as older:
        for name in ("review_bytes", "review_sha256"):
            older.execute(f"ALTER TABLE jobs DROP COLUMN {name}")
    newer = JobStore(path)
    assert newer.get(a_job().job_id) == a_job(state=State.DONE, proof=b"p")
    newer.create(a_job(job_id="e" * 32, client_token="e" * 32, review_bytes=3, review_sha256="ef"))
    assert newer.get("e" * 32).review_bytes == 3


def test_the_limit_is_configured(tmp_path: Path) -> None:
    config = tmp_path / "service.toml"
    config.write_text("[service]\nmax_review_bytes = 1000\n")
    assert load_config(config).max_review_bytes == 1000
    assert ServiceConfig().max_review_bytes == 64 << 20
