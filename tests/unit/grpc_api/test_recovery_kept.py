"""What a job leaves for custodians: kept only if reply, statement, terms and files say the same."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from enclave.policy import Terms, parse_policy
from grpc_api.config import ServiceConfig
from grpc_api.disclosures.kept import KeptStore
from grpc_api.errors import ServiceError
from grpc_api.jobs.dispatcher import Backstage, Dispatcher
from grpc_api.jobs.keeping import Keeping, require_named
from grpc_api.jobs.refused import WorkerRefusedError
from grpc_api.jobs.spool import Spool
from grpc_api.jobs.states import JobRecord, State
from grpc_api.jobs.store import JobStore
from keyvault.client import VaultClient
from keyvault.custody.policy import parse_custody_policy
from keyvault.custody.sharing import deal, job_context
from protos.bauta.internal.v1.worker_pb2 import SealedShare, WorkerRecovery, WorkerResult
from provenance.dsse import sign_envelope
from provenance.statements import JobFacts
from tests.unit.enclave.enclave_makers import POLICY_TEXT, RECIPIENT
from tests.unit.grpc_api.test_review_kept import a_job
from tests.unit.keyvault.custody.custody_makers import custody_text
from tests.unit.provenance.provenance_makers import TestSigner, job_facts, release_facts

CUSTODY = parse_custody_policy(custody_text())
KEEPING = Terms(
    parse_policy(POLICY_TEXT + '[recovery]\nkeep = "covers"\n'), "balanced", (RECIPIENT,), CUSTODY
)
JOB = a_job(terms=KEEPING.to_bytes())
DEALT = deal(CUSTODY.rule, job_context(bytes.fromhex(JOB.job_id)))
PACKAGE, SHEET = b"a package" * 100, b"a sheet" * 10
RING = hashlib.sha256(b"a ring").digest()


def told(**changes: Any) -> WorkerRecovery:
    values: dict[str, Any] = {
        "package_bytes": len(PACKAGE),
        "package_sha256": hashlib.sha256(PACKAGE).digest(),
        "sheet_bytes": len(SHEET),
        "sheet_sha256": hashlib.sha256(SHEET).digest(),
        "ring_sha256": RING,
        "sharing": DEALT.sharing.to_bytes(),
        "shares": [SealedShare(custodian=bytes.fromhex(whose), sealed=bytes(1200)) for whose in DEALT.shares],
    }
    return WorkerRecovery(**{**values, **changes})


def stated(**changes: str) -> JobFacts:
    named = {
        "custody_policy": CUSTODY.digest.hex(),
        "package": hashlib.sha256(PACKAGE).hexdigest(),
        "ring": RING.hex(),
        "sharing": DEALT.sharing.digest.hex(),
        "sheet": hashlib.sha256(SHEET).hexdigest(),
    }
    return job_facts(job_id=JOB.job_id, recovery={**named, **changes})


def test_a_reply_that_says_what_its_statement_says_is_taken() -> None:
    require_named(JOB, WorkerResult(recovery=told()), stated())
    require_named(a_job(), WorkerResult(), job_facts())


OTHER_JOB = deal(CUSTODY.rule, job_context(bytes(16))).sharing
LESS = deal(replace(CUSTODY.rule, need=1), job_context(bytes.fromhex(JOB.job_id))).sharing
SHARES = told().shares
WRONG: dict[str, tuple[JobRecord, WorkerResult, JobFacts]] = {
    "nothing kept under a policy that keeps": (JOB, WorkerResult(), job_facts()),
    "kept, and not stated": (JOB, WorkerResult(recovery=told()), job_facts()),
    "stated, and not kept": (JOB, WorkerResult(), stated()),
    "kept under a policy that keeps nothing": (a_job(), WorkerResult(recovery=told()), stated()),
    "kept and not stated under such a policy": (a_job(), WorkerResult(recovery=told()), job_facts()),
    "stated under such a policy": (a_job(), WorkerResult(), stated()),
    "another package": (JOB, WorkerResult(recovery=told(package_sha256=bytes(32))), stated()),
    "another sheet": (JOB, WorkerResult(recovery=told(sheet_sha256=bytes(32))), stated()),
    "another ring": (JOB, WorkerResult(recovery=told(ring_sha256=bytes(32))), stated()),
    "another custody policy": (JOB, WorkerResult(recovery=told()), stated(custody_policy="0" * 64)),
    "a sharing that is none": (JOB, WorkerResult(recovery=told(sharing=b"{}")), stated()),
    "a sharing of another job": (
        JOB,
        WorkerResult(recovery=told(sharing=OTHER_JOB.to_bytes())),
        stated(sharing=OTHER_JOB.digest.hex()),
    ),
    "a sharing that asks fewer people": (
        JOB,
        WorkerResult(recovery=told(sharing=LESS.to_bytes())),
        stated(sharing=LESS.digest.hex()),
    ),
    "a share too few": (JOB, WorkerResult(recovery=told(shares=SHARES[1:])), stated()),
    "a share twice": (JOB, WorkerResult(recovery=told(shares=[*SHARES[1:], SHARES[1]])), stated()),
    "a stranger's share": (
        JOB,
        WorkerResult(
            recovery=told(shares=[*SHARES[1:], SealedShare(custodian=bytes(32), sealed=bytes(1200))])
        ),
        stated(),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_reply_that_says_anything_else_ends_the_job(name: str) -> None:
    with pytest.raises(WorkerRefusedError) as refusal:
        require_named(*WRONG[name])
    assert refusal.value.code == "worker_reply_invalid"


class AskedVault:
    """Says which rings it was asked to keep."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, bytes]] = []

    def keep_ring(self, job_id: bytes, ring_sha256: bytes) -> None:
        self.kept.append((job_id, ring_sha256))


class Scene:
    def __init__(self, folder: Path, **limits: int) -> None:
        self.vault = AskedVault()
        self.store = KeptStore(folder / "recovery")
        self.spool = Spool(folder / "spool", min_free_bytes=0)
        vault = cast(VaultClient, self.vault)
        self.keeping = Keeping(self.store, self.spool, vault, ServiceConfig(**limits), lambda: 5.0)

    def write(self, package: bytes = PACKAGE, sheet: bytes = SHEET, job: JobRecord = JOB) -> None:
        for fd, content in zip(self.keeping.descriptors(job), (package, sheet), strict=True):
            os.write(fd, content)
            os.close(fd)

    def keep(self) -> None:
        worker, node = TestSigner("worker"), TestSigner("node")
        statement = sign_envelope(stated().to_statement(), worker)
        evidence = sign_envelope(release_facts(worker.public).to_statement(), node)
        self.keeping.keep(JOB, WorkerResult(recovery=told()), statement, evidence, 7)


def test_what_is_kept_is_there_for_custodians_and_the_vault_keeps_the_ring(tmp_path: Path) -> None:
    scene = Scene(tmp_path)
    scene.write()
    scene.keeping.commit(JOB, WorkerResult(recovery=told()))
    scene.keep()
    kept = scene.store.get(JOB.job_id)
    assert (kept.custody_policy, kept.terms, kept.log_index) == (custody_text(), JOB.terms, 7)
    assert kept.divided == DEALT.sharing
    assert kept.shares.keys() == set(DEALT.shares)
    assert scene.vault.kept == [(bytes.fromhex(JOB.job_id), RING)]
    fd = scene.store.open_package(JOB.job_id)
    assert os.read(fd, 1 << 20) == PACKAGE
    os.close(fd)
    assert b"".join(scene.store.read_sheet(JOB.job_id)) == SHEET
    scene.keeping.tidy(JOB.job_id)
    assert scene.store.get(JOB.job_id) == kept


def test_a_job_that_keeps_nothing_leaves_nothing(tmp_path: Path) -> None:
    scene, job = Scene(tmp_path), a_job()
    scene.write(b"", b"", job)
    scene.keeping.commit(job, WorkerResult())
    assert scene.store.folders() == set()
    assert scene.vault.kept == []


NOT_KEPT: dict[str, Callable[[], tuple[bytes, bytes, int]]] = {
    "another byte of the package": lambda: (b"b" + PACKAGE[1:], SHEET, 10_000),
    "a byte less": lambda: (PACKAGE[:-1], SHEET, 10_000),
    "another sheet": lambda: (PACKAGE, SHEET + b"x", 10_000),
    "a package beyond its limit": lambda: (PACKAGE, SHEET, len(PACKAGE) - 1),
}


@pytest.mark.parametrize("name", NOT_KEPT)
def test_files_that_are_not_what_was_reported_are_not_kept(name: str, tmp_path: Path) -> None:
    package, sheet, most = NOT_KEPT[name]()
    scene = Scene(tmp_path, max_recovery_bytes=most)
    scene.write(package, sheet)
    with pytest.raises(WorkerRefusedError):
        scene.keeping.commit(JOB, WorkerResult(recovery=told()))
    scene.keeping.tidy(JOB.job_id)
    assert scene.store.folders() == set()
    with pytest.raises(ServiceError):
        scene.store.get(JOB.job_id)


def test_a_second_attempt_begins_from_nothing(tmp_path: Path) -> None:
    """The front desk was killed between keeping and the end of the job."""
    scene = Scene(tmp_path)
    scene.write()
    scene.keeping.commit(JOB, WorkerResult(recovery=told()))
    scene.keep()
    scene.write(b"begun", b"")
    with pytest.raises(ServiceError):
        scene.store.get(JOB.job_id)
    scene.keeping.tidy(JOB.job_id)
    assert scene.store.folders() == set()


def test_a_job_that_is_cancelled_at_the_last_moment_leaves_nothing(tmp_path: Path) -> None:
    """Everything is durable, and then the job is not done after all."""
    for state, stays in ((State.CANCELLED, False), (State.FAILED, False), (State.DONE, True)):
        scene = Scene(tmp_path / state.value)
        scene.write()
        scene.keeping.commit(JOB, WorkerResult(recovery=told()))
        scene.keep()
        store = JobStore(tmp_path / f"{state.value}.sqlite")
        store.create(replace(JOB, state=state))
        backstage = cast(Any, Backstage)(
            **dict.fromkeys(Backstage.__dataclass_fields__, None)
            | {"keeping": scene.keeping, "store": store, "config": ServiceConfig()}
        )
        Dispatcher(backstage)._tidy(JOB.job_id)
        assert scene.store.folders() == ({JOB.job_id} if stays else set())
        store.close()


def test_after_a_start_only_open_jobs_go_on_writing(tmp_path: Path) -> None:
    scene, stray = Scene(tmp_path), replace(JOB, job_id="e" * 32)
    open_job, done = replace(JOB, job_id="f" * 32), JOB
    scene.write(job=done)
    scene.keeping.commit(done, WorkerResult(recovery=told()))
    scene.keep()
    for job in (stray, open_job):
        scene.write(job=job)
    scene.keeping.recover([open_job.job_id])
    assert scene.store.folders() == {done.job_id, open_job.job_id}
