"""The front desk's side: nothing that comes from the worker's side is taken on trust."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from enclave_makers import some_terms

from enclave.errors import EnclaveError, HostError, OrderError
from enclave.host import RunningJob, WorkerHost
from enclave.nursery.orders import receive_order
from enclave.wall import ALL_WALLS
from protos.bauta.internal.v1.worker_pb2 import (
    ModelDigest,
    PolicyDigest,
    RunJob,
    StopJob,
    WorkerFailure,
    WorkerHello,
    WorkerOrder,
    WorkerProgress,
    WorkerReport,
    WorkerResult,
    WorkerVersion,
)
from protos.framing import write_message

JOB_ID = bytes(range(16))


def an_order(**changes: Any) -> RunJob:
    fields: dict[str, Any] = {
        "job_id": JOB_ID,
        "terms": some_terms().to_bytes(),
        "max_memory_bytes": 1 << 30,
        "max_result_bytes": 1 << 30,
        "max_wall_seconds": 60,
        "max_frame_pixels": 1 << 20,
        "max_frames": 1000,
        "max_review_bytes": 1 << 20,
        "max_recovery_bytes": 1 << 20,
        "max_untouched_bytes": 1 << 20,
    }
    return RunJob(**(fields | changes))


def a_version(**changes: Any) -> WorkerVersion:
    fields: dict[str, Any] = {
        "version": "0.1.0",
        "policies": [PolicyDigest(name="street", sha256=bytes(32))],
        "lock_sha256": bytes(32),
    }
    return WorkerVersion(**(fields | changes))


def a_hello(**changes: Any) -> WorkerHello:
    fields: dict[str, Any] = {
        "measurement": bytes(32),
        "walls": ["seccomp"],
        "missing_walls": ["user_namespace"],
        "device": "cpu",
        "engine": "onnxruntime",
        "models": [ModelDigest(name="centerface", sha256=bytes(32))],
        "version": a_version(),
    }
    return WorkerHello(**(fields | changes))


@pytest.fixture
def pair() -> Iterator[tuple[WorkerHost, socket.socket]]:
    ours, theirs = socket.socketpair()
    host = WorkerHost(ours)
    yield host, theirs
    host.close()
    theirs.close()


@pytest.fixture
def eight_files(tmp_path: Path) -> Iterator[list[int]]:
    names = ("upload", "result", "scratch", "review", "package", "sheet", "untouched", "scores")
    fds = [os.open(tmp_path / name, os.O_RDWR | os.O_CREAT) for name in names]
    yield fds
    for fd in fds:
        os.close(fd)


Pair = tuple[WorkerHost, socket.socket]


def open_descriptors() -> set[str]:
    return {descriptor.name for descriptor in Path("/proc/self/fd").iterdir()}


def test_a_hello_is_read_once_and_kept(pair: Pair) -> None:
    host, nursery = pair
    write_message(nursery.fileno(), a_hello())
    assert host.hello() == host.hello() == a_hello()


BAD_HELLOS: dict[str, WorkerHello | bytes] = {
    "a short measurement": a_hello(measurement=bytes(31)),
    "an unknown wall": a_hello(walls=["great_wall"]),
    "too many walls": a_hello(walls=[*ALL_WALLS, *ALL_WALLS]),
    "an unknown device": a_hello(device="abacus"),
    "an unknown engine": a_hello(engine="steam"),
    "a model with a path for a name": a_hello(models=[ModelDigest(name="/etc/passwd", sha256=bytes(32))]),
    "a model with a short digest": a_hello(models=[ModelDigest(name="centerface", sha256=b"x")]),
    "too many models": a_hello(models=[ModelDigest(name=f"m{i}", sha256=bytes(32)) for i in range(33)]),
    "no version": a_hello(version=None),
    "a version with a name": a_hello(version=a_version(version="0.1+jane-doe")),
    "a policy with a path for a name": a_hello(
        version=a_version(policies=[PolicyDigest(name="../street", sha256=bytes(32))])
    ),
    "too many policies": a_hello(
        version=a_version(policies=[PolicyDigest(name=f"p{i}", sha256=bytes(32)) for i in range(17)])
    ),
    "half a lock digest": a_hello(version=a_version(lock_sha256=bytes(16))),
    "four gigabytes": b"\xff\xff\xff\xff",
    "no message": b"\0\0\0\2\xff\xff",
}


@pytest.mark.parametrize("untrusted", BAD_HELLOS.values(), ids=BAD_HELLOS.keys())
def test_a_bad_hello_is_refused(pair: Pair, untrusted: WorkerHello | bytes) -> None:
    host, nursery = pair
    if isinstance(untrusted, bytes):
        nursery.sendall(untrusted)
    else:
        write_message(nursery.fileno(), untrusted)
    with pytest.raises(HostError) as caught:
        host.hello()
    assert caught.value.code == "worker_reply_invalid"


def test_a_nursery_that_is_gone_is_known_to_be(pair: Pair) -> None:
    host, nursery = pair
    write_message(nursery.fileno(), a_hello())
    host.hello()
    assert host.is_there()
    nursery.close()
    assert not host.is_there()


def test_a_nursery_that_dies_before_its_hello_is_lost(pair: Pair) -> None:
    host, nursery = pair
    nursery.close()
    with pytest.raises(HostError) as caught:
        host.hello()
    assert caught.value.code == "worker_lost"


def test_a_silent_nursery_is_lost_after_a_while(pair: Pair) -> None:
    with pytest.raises(HostError) as caught:
        pair[0].hello(timeout_seconds=0.05)
    assert caught.value.code == "worker_lost"


def test_an_order_arrives_whole_with_its_nine_descriptors(pair: Pair, eight_files: list[int]) -> None:
    host, nursery = pair
    os.write(eight_files[0], b"sealed")
    running = host.start(an_order(), *eight_files)
    received = receive_order(nursery)
    assert received is not None
    order, fds = received
    assert order == WorkerOrder(run=an_order())
    assert len(fds) == 9
    assert os.pread(fds[0], 6, 0) == b"sealed"
    write_message(fds[-1], WorkerReport(failure=WorkerFailure(code="media_empty")))
    assert [report.failure.code for report in running.reports()] == ["media_empty"]
    running.stop()
    assert receive_order(nursery) == (WorkerOrder(stop=StopJob(job_id=JOB_ID)), [])
    for fd in fds:
        os.close(fd)
    running.close()


def test_a_job_that_is_ended_at_its_limit_is_late_however_late_the_front_desk_looks(
    pair: Pair, eight_files: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time runs from the order, which the warm parent may have before the front desk gets any further."""
    host, nursery = pair
    send = host._send

    def send_and_stand_still(order: WorkerOrder, descriptors: list[int]) -> None:
        send(order, descriptors)
        received = receive_order(nursery)
        assert received is not None
        time.sleep(1)
        for fd in received[1]:
            os.close(fd)

    monkeypatch.setattr(host, "_send", send_and_stand_still)
    running = host.start(an_order(max_wall_seconds=1), *eight_files)
    with pytest.raises(HostError) as caught:
        list(running.reports())
    assert caught.value.code == "worker_timeout"
    running.close()


def test_a_large_order_arrives_while_another_thread_reads(pair: Pair, eight_files: list[int]) -> None:
    host, nursery = pair
    nursery.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    order = an_order(terms=b"t" * (180 << 10))
    received: list[tuple[WorkerOrder, list[int]] | None] = []
    reader = threading.Thread(target=lambda: received.append(receive_order(nursery)))
    reader.start()
    running = host.start(order, *eight_files)
    reader.join(120)
    assert received[0] is not None
    assert received[0][0].run == order
    assert len(received[0][1]) == 9
    for fd in received[0][1]:
        os.close(fd)
    running.close()


BAD_ORDERS = {
    "a short job id": {"job_id": b"x"},
    "no terms": {"terms": b""},
    "terms without end": {"terms": b"t" * (1 << 20)},
    "no memory": {"max_memory_bytes": 0},
    "no time": {"max_wall_seconds": 0},
    "no frames": {"max_frames": 0},
    "no pixels": {"max_frame_pixels": 0},
    "no result": {"max_result_bytes": 0},
    "no review package": {"max_review_bytes": 0},
    "no recovery package": {"max_recovery_bytes": 0},
    "no untouched package": {"max_untouched_bytes": 0},
    "more than any machine has": {"max_memory_bytes": 1 << 60},
}


@pytest.mark.parametrize("changes", BAD_ORDERS.values(), ids=BAD_ORDERS.keys())
def test_an_order_out_of_range_is_not_sent(
    pair: Pair, eight_files: list[int], changes: dict[str, object]
) -> None:
    with pytest.raises(OrderError) as caught:
        pair[0].start(an_order(**changes), *eight_files)
    assert caught.value.code == "order_invalid"


def test_no_order_goes_to_a_nursery_that_is_gone(pair: Pair, eight_files: list[int]) -> None:
    host, nursery = pair
    nursery.close()
    before = open_descriptors()
    with pytest.raises(HostError) as caught:
        host.start(an_order(), *eight_files)
    assert caught.value.code == "worker_lost"
    assert open_descriptors() <= before


class Child:
    """The child's end of a job's reports."""

    def __init__(self, max_wall_seconds: float = 60) -> None:
        read_end, self.fd = os.pipe()
        self.stopped = 0
        self.job = RunningJob(read_end, max_wall_seconds, self._count_stop)

    def _count_stop(self) -> None:
        self.stopped += 1

    def close(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1


@pytest.fixture
def child() -> Iterator[Child]:
    made = Child()
    yield made
    made.close()
    made.job.close()


RESULT = WorkerResult(
    sealed_bytes=1,
    sealed_sha256=bytes(32),
    media_type="video/mp4",
    statement=b"{}",
    evidence=b"{}",
    stage_seconds={"decode": 0.5},
)


def test_reports_end_with_the_result(child: Child) -> None:
    write_message(child.fd, WorkerReport(progress=WorkerProgress(stage="open")))
    write_message(child.fd, WorkerReport(result=RESULT))
    write_message(child.fd, WorkerReport(failure=WorkerFailure(code="too_late")))
    assert [report.WhichOneof("report") for report in child.job.reports()] == ["progress", "result"]


def changed_result(**changes: object) -> WorkerReport:
    report = WorkerReport(result=RESULT)
    for name, value in changes.items():
        if name == "stage_seconds":
            assert isinstance(value, dict)
            report.result.stage_seconds.update(value)
        else:
            setattr(report.result, name, value)
    return report


def progress(**fields: Any) -> WorkerReport:
    return WorkerReport(progress=WorkerProgress(**{"stage": "open", **fields}))


BAD_REPORTS: dict[str, WorkerReport | bytes] = {
    "an empty report": WorkerReport(),
    "an unknown stage": progress(stage="SECRET"),
    "frames beyond counting": progress(frames_done=1 << 63),
    "not a number of frames": progress(frames_per_second=float("nan")),
    "endless speed": progress(frames_per_second=float("inf")),
    "negative speed": progress(frames_per_second=-1.0),
    "a sentence for a code": WorkerReport(failure=WorkerFailure(code="The file /home/x is broken")),
    "no code": WorkerReport(failure=WorkerFailure()),
    "a code without end": WorkerReport(failure=WorkerFailure(code="a" * 1000)),
    "an empty result": changed_result(sealed_bytes=0),
    "a short digest": changed_result(sealed_sha256=b"x"),
    "a review package without a digest": changed_result(review_bytes=1),
    "a digest without a review package": changed_result(review_sha256=bytes(32)),
    "a review package with a short digest": changed_result(review_bytes=1, review_sha256=bytes(31)),
    "an endless review package": changed_result(review_bytes=1 << 60, review_sha256=bytes(32)),
    "an untouched package without a digest": changed_result(untouched_bytes=1),
    "a digest without an untouched package": changed_result(untouched_sha256=bytes(32)),
    "an untouched package with a short digest": changed_result(untouched_bytes=1, untouched_sha256=bytes(31)),
    "an endless untouched package": changed_result(untouched_bytes=1 << 60, untouched_sha256=bytes(32)),
    "scores without a digest": changed_result(scores_bytes=1),
    "a digest without scores": changed_result(scores_sha256=bytes(32)),
    "scores with a short digest": changed_result(scores_bytes=1, scores_sha256=bytes(31)),
    "endless scores": changed_result(scores_bytes=1 << 60, scores_sha256=bytes(32)),
    "an unknown media type": changed_result(media_type="text/html"),
    "no statement": changed_result(statement=b""),
    "a statement without end": changed_result(statement=b"x" * (129 << 10)),
    "no evidence": changed_result(evidence=b""),
    "a stage that is a path": changed_result(stage_seconds={"../x": 1.0}),
    "negative seconds": changed_result(stage_seconds={"x": -1.0}),
    "seconds that are no number": changed_result(stage_seconds={"x": float("nan")}),
    "too many stages": changed_result(stage_seconds={f"s{i}": 1.0 for i in range(20)}),
    "a frame of four gigabytes": b"\xff\xff\xff\xff",
    "no message": b"\0\0\0\3\xff\xff\xff",
}


@pytest.mark.parametrize("untrusted", BAD_REPORTS.values(), ids=BAD_REPORTS.keys())
def test_a_bad_report_is_refused(untrusted: WorkerReport | bytes) -> None:
    child = Child()
    writer = threading.Thread(target=send, args=(child, untrusted))
    writer.start()
    with pytest.raises(HostError) as caught:
        list(child.job.reports())
    assert caught.value.code == "worker_reply_invalid"
    child.job.close()
    writer.join(120)
    child.close()


def send(child: Child, untrusted: WorkerReport | bytes) -> None:
    # The reader may hang up within a large report; that is its right.
    try:
        if isinstance(untrusted, bytes):
            os.write(child.fd, untrusted)
        else:
            write_message(child.fd, untrusted)
    except BrokenPipeError:
        pass


def last_words(action: Callable[[Child], object], max_wall_seconds: float = 60) -> str:
    child = Child(max_wall_seconds)
    try:
        action(child)
        with pytest.raises(EnclaveError) as caught:
            list(child.job.reports())
        return caught.value.code
    finally:
        child.close()
        child.job.close()


def test_a_child_that_ends_without_a_word_has_died() -> None:
    assert last_words(Child.close) == "worker_died"


def test_a_child_that_ends_within_a_report_gave_an_invalid_one() -> None:
    def half_a_report(child: Child) -> None:
        os.write(child.fd, b"\0\0\0\x10half")
        child.close()

    assert last_words(half_a_report) == "worker_reply_invalid"


def test_a_child_that_ends_when_its_time_is_up_ran_out_of_it() -> None:
    def end_late(child: Child) -> None:
        time.sleep(0.06)
        child.close()

    assert last_words(end_late, max_wall_seconds=0.05) == "worker_timeout"


def test_a_child_that_nobody_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("enclave.host.running._GRACE_SECONDS", 0.05)
    child = Child(max_wall_seconds=0.05)
    with pytest.raises(HostError) as caught:
        list(child.job.reports())
    assert caught.value.code == "worker_timeout"
    assert child.stopped == 1
    child.close()
    child.job.close()


def test_closing_twice_and_reading_after_it_is_harmless(child: Child) -> None:
    child.job.close()
    child.job.close()
    with pytest.raises(HostError) as caught:
        list(child.job.reports())
    assert caught.value.code == "worker_died"
