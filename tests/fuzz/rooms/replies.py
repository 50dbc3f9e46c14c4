"""What the front desk reads from the worker, the worker host from the front desk, a child from the vault and
from its disk, and a client from a service."""

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from types import SimpleNamespace
from typing import Any, cast

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from enclave.errors import EnclaveError, HostError, OrderError, WorkerError
from enclave.host.client import WorkerHost
from enclave.host.running import RunningJob
from enclave.nursery.orders import receive_order
from enclave.order import JobOrder
from enclave.worker.release import _certified, _willing
from enclave.worker.scratch import EncryptedScratch
from grpc_api.client.connection import translate
from grpc_api.jobs.dispatcher import check_evidence, check_reply
from grpc_api.jobs.states import JobRecord, State
from keyvault.client import VaultClient
from keyvault.errors import KeyvaultError
from keyvault.public_keys import to_message
from protos.bauta.internal.v1.release_pb2 import ReleaseOffer, ReleaseRequest
from protos.bauta.internal.v1.vault_pb2 import Description, VaultResponse
from protos.bauta.internal.v1.worker_pb2 import (
    RunJob,
    StopJob,
    WorkerEvidence,
    WorkerFailure,
    WorkerHello,
    WorkerOrder,
    WorkerProgress,
    WorkerReport,
    WorkerResult,
)
from protos.framing import FramingError, read_message
from provenance.dsse import Envelope, sign_envelope
from tests.fuzz.rooms import policies, proofs
from tests.fuzz.target import Target
from tests.unit.keyvault.vault.harness import hello_of
from tests.unit.provenance.provenance_makers import TestSigner, job_facts, release_facts

JOB_ID = "0123456789abcdef" * 2
CHILD = "a child that hostile media has taken over"


@cache
def terms() -> bytes:
    """The job's terms."""
    return policies.terms()[0].to_bytes()


@cache
def job() -> JobRecord:
    """The job that the replies are about."""
    return JobRecord(JOB_ID, "local", "0" * 32, terms(), State.RUNNING, 0.0, 0.0)


@cache
def worker() -> TestSigner:
    """Its one-job keys, as many as its policy asks for."""
    return TestSigner("worker", third="slhdsa128s" in policies.terms()[0].policy.proof.signatures)


@cache
def evidence() -> Envelope:
    """What the vault says about it."""
    facts = release_facts(worker().public, terms_sha256=hashlib.sha256(terms()).hexdigest())
    return sign_envelope(facts.to_statement(), proofs.house().node, facts.signatures)


@cache
def reports() -> tuple[bytes, ...]:
    """One report of each kind, all of them sound."""
    algorithms = worker().public.algorithms
    facts = job_facts(terms_sha256=hashlib.sha256(terms()).hexdigest(), signatures=algorithms)
    result = WorkerResult(
        sealed_bytes=1000,
        sealed_sha256=bytes(32),
        media_type="video/mp4",
        statement=sign_envelope(facts.to_statement(), worker(), algorithms).to_bytes(),
        evidence=evidence().to_bytes(),
        stage_seconds={"open": 0.1, "seal": 0.2},
    )
    found = [
        WorkerReport(progress=WorkerProgress(stage="anonymize", frames_done=1, frames_per_second=9.5)),
        WorkerReport(evidence=WorkerEvidence(evidence=evidence().to_bytes())),
        WorkerReport(result=result),
        WorkerReport(failure=WorkerFailure(code="media_corrupt")),
    ]
    return tuple(report.SerializeToString() for report in found)


def take_report(untrusted: bytes) -> None:
    """Reads a report as the dispatcher does, and checks what it carries against the job."""
    with _file(_frame(untrusted)) as fd:
        running = RunningJob(os.dup(fd), 60, lambda: None)
        try:
            report = next(running.reports())
        finally:
            running.close()
    match report.WhichOneof("report"):
        case "evidence":
            check_evidence(job(), report.evidence.evidence, proofs.house().node.public)
        case "result":
            check_reply(job(), report.result, evidence())


def take_stream(untrusted: bytes) -> None:
    """Reads a whole stream of reports, framing and all."""
    with _file(untrusted) as fd:
        running = RunningJob(os.dup(fd), 60, lambda: None)
        try:
            list(running.reports())
        finally:
            running.close()


def take_frame(untrusted: bytes) -> None:
    """One frame; the reader never takes more than it said, nor more than there is."""
    with _file(untrusted) as fd:
        read_message(fd, WorkerHello, 4096)
        assert os.lseek(fd, 0, os.SEEK_CUR) <= 4100


def take_hello(untrusted: bytes) -> None:
    """The worker host's first word to the front desk."""
    _over_socket(_frame(untrusted), lambda end: WorkerHost(end).hello(timeout_seconds=0))


def take_order(untrusted: bytes) -> None:
    """The front desk's order to the worker host."""

    def serve(end: socket.socket) -> None:
        received = receive_order(end)
        if received is not None and received[0].WhichOneof("order") == "run":
            JobOrder.from_message(received[0].run)

    _over_socket(untrusted, serve)


def orders() -> tuple[bytes, ...]:
    """A start and a stop, framed."""
    limits = ("max_memory_bytes", "max_result_bytes", "max_wall_seconds", "max_frame_pixels", "max_frames")
    limits = (*limits, "max_review_bytes", "max_recovery_bytes", "max_untouched_bytes")
    run = RunJob(job_id=bytes(16), terms=terms(), **cast(Any, dict.fromkeys(limits, 1000)))
    found = [WorkerOrder(run=run), WorkerOrder(stop=StopJob(job_id=bytes(16)))]
    return tuple(_frame(order.SerializeToString()) for order in found)


def take_answer(untrusted: bytes) -> None:
    """The vault's answer to the front desk."""
    ours, theirs = socket.socketpair()
    client = VaultClient(ours.detach(), timeout_seconds=120)
    try:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.sendall(_frame(untrusted))
        client.describe()
    finally:
        client.close()
        theirs.close()


def answers() -> tuple[bytes, ...]:
    """A description."""
    node = to_message(proofs.house().node.public)
    description = Description(node=node, log_origin="bauta.test/log", release_keys=[node])
    return (VaultResponse(description=description).SerializeToString(),)


@cache
def child_request() -> ReleaseRequest:
    """What the child asked for."""
    facts = release_facts(worker().public, upload_header_sha256=hashlib.sha256(b"header").hexdigest())
    return ReleaseRequest(
        job_id=bytes.fromhex(facts.job_id),
        age_header=b"header",
        worker_ed25519_key=facts.worker_ed25519,
        worker_mldsa65_key=facts.worker_mldsa65,
        worker_slhdsa128s_key=facts.worker_slhdsa128s or b"",
        terms_sha256=bytes.fromhex(facts.terms_sha256),
        policy_sha256=bytes.fromhex(facts.policy_sha256),
        walls=facts.walls,
    )


@cache
def offers() -> tuple[bytes, ...]:
    """The vault's offer for it."""
    facts = release_facts(worker().public, upload_header_sha256=hashlib.sha256(b"header").hexdigest())
    envelope = sign_envelope(facts.to_statement(), proofs.house().node)
    return (ReleaseOffer(evidence=envelope.to_bytes()).SerializeToString(),)


def take_offer(untrusted: bytes) -> None:
    """The vault's offer to a child."""
    with _file(_frame(untrusted)) as fd:
        offer = read_message(fd, ReleaseOffer, 1 << 20)
    assert offer is not None
    _certified(_willing(offer).evidence, child_request())


SCRATCH_PLAINTEXT = bytes(range(256)) * 520


def read_scratch(untrusted: bytes) -> None:
    """Lays the bytes over the disk's; what is read back is what was written, or nothing."""
    with _file(b"") as fd:
        scratch = EncryptedScratch(fd, 1 << 20, cached_blocks=1)
        scratch.write(SCRATCH_PLAINTEXT)
        scratch.flush()
        on_disk = os.pread(fd, 1 << 20, 0)
        laid_over = bytes(a ^ b for a, b in zip(on_disk, untrusted, strict=False))
        os.pwrite(fd, laid_over, 0)
        scratch.seek(0)
        assert scratch.read() == SCRATCH_PLAINTEXT


class FailedCall(grpc.RpcError):
    """What gRPC raises: an error that is a call too, with a service's own bytes in its metadata."""

    def __init__(self, details: bytes) -> None:
        super().__init__()
        self._metadata = (SimpleNamespace, ("grpc-status-details-bin", details))[1:]

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """The service's."""
        return cast(tuple[tuple[str, bytes], ...], self._metadata)

    def code(self) -> grpc.StatusCode:
        """The service's."""
        return grpc.StatusCode.NOT_FOUND

    def details(self) -> str:
        """The service's."""
        return "no such job"


def rich_status() -> tuple[bytes, ...]:
    """A status with a code of ours, and one without."""
    details = any_pb2.Any()
    details.Pack(error_details_pb2.ErrorInfo(reason="job_not_found", domain="bauta"))
    number = grpc.StatusCode.NOT_FOUND.value[0]
    found = [
        status_pb2.Status(code=number, message="no such job", details=[details]),
        status_pb2.Status(code=number, message="no such job"),
    ]
    return tuple(status.SerializeToString() for status in found)


def _frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


@contextmanager
def _file(content: bytes) -> Iterator[int]:
    fd = os.memfd_create("fuzz")
    try:
        os.write(fd, content)
        os.lseek(fd, 0, os.SEEK_SET)
        yield fd
    finally:
        os.close(fd)


def _over_socket(sent: bytes, serve: Callable[[socket.socket], object]) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.sendall(sent)
        theirs.shutdown(socket.SHUT_WR)
        serve(ours)


TARGETS = (
    Target(
        name="worker_report",
        sender=CHILD,
        parsers=(
            "enclave.host.checks.check_report",
            "grpc_api.jobs.dispatcher.check_evidence",
            "grpc_api.jobs.dispatcher.check_reply",
        ),
        parse=take_report,
        seeds=reports,
        errors=(EnclaveError,),
        message=WorkerReport,
        examples=500,
        max_bytes=200 << 10,
    ),
    Target(
        name="report_stream",
        sender=CHILD,
        parsers=("enclave.host.running.RunningJob.reports", "protos.framing.read_message"),
        parse=take_stream,
        seeds=lambda: (_frame(reports()[0]) * 3 + _frame(reports()[3]), _frame(reports()[2])),
        errors=(EnclaveError,),
        tokens=tuple(map(_frame, (b"", b"\n"))),
    ),
    Target(
        name="frame",
        sender="whoever is on the other side of a wall",
        parsers=("protos.framing.read_message",),
        parse=take_frame,
        seeds=lambda: (b"", _frame(b""), _frame(hello_of().SerializeToString())),
        errors=(FramingError,),
    ),
    Target(
        name="worker_hello",
        sender="a worker host",
        parsers=("enclave.host.checks.check_hello", "enclave.host.client.WorkerHost.hello"),
        parse=take_hello,
        seeds=lambda: (hello_of().SerializeToString(),),
        errors=(HostError,),
        message=WorkerHello,
    ),
    Target(
        name="worker_order",
        sender="a front desk that somebody has taken over",
        parsers=("enclave.nursery.orders.receive_order", "enclave.order.JobOrder.from_message"),
        parse=take_order,
        seeds=orders,
        errors=(OrderError,),
    ),
    Target(
        name="vault_answer",
        sender="the vault",
        parsers=("keyvault.client.VaultClient.describe", "keyvault.public_keys.from_message"),
        parse=take_answer,
        seeds=answers,
        errors=(KeyvaultError,),
        message=VaultResponse,
    ),
    Target(
        name="release_offer",
        sender="the vault",
        parsers=("enclave.worker.release._certified",),
        parse=take_offer,
        seeds=offers,
        errors=(WorkerError, FramingError),
        message=ReleaseOffer,
    ),
    Target(
        name="scratch",
        sender="whoever owns the front desk's disk, under a job's scratch file",
        parsers=("enclave.worker.scratch.EncryptedScratch.readinto",),
        parse=read_scratch,
        seeds=lambda: (b"", bytes(1000)),
        errors=(WorkerError,),
        examples=100,
        max_bytes=1000,
    ),
    Target(
        name="service_status",
        sender="a service that a client talks to",
        parsers=("grpc_api.client.connection.translate",),
        parse=lambda untrusted: translate(FailedCall(untrusted)),
        seeds=rich_status,
        errors=(),
        message=status_pb2.Status,
    ),
)
