"""What the warm parent takes from its channel: one whole order with its descriptors, or the end."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from enclave.errors import OrderError
from enclave.nursery.orders import JOB_DESCRIPTORS, receive_order
from protos.bauta.internal.v1.worker_pb2 import StopJob, WorkerOrder

ORDER = WorkerOrder(stop=StopJob(job_id=bytes(16)))
BODY = ORDER.SerializeToString()
FRAME = len(BODY).to_bytes(4, "big") + BODY


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    desk, nursery = socket.socketpair()
    with desk, nursery:
        yield desk, nursery


Pair = tuple[socket.socket, socket.socket]


def open_descriptors() -> set[str]:
    return {descriptor.name for descriptor in Path("/proc/self/fd").iterdir()}


def test_two_orders_come_one_by_one(pair: Pair) -> None:
    desk, nursery = pair
    desk.sendall(FRAME + FRAME)
    assert receive_order(nursery) == (ORDER, [])
    assert receive_order(nursery) == (ORDER, [])


def test_the_end_is_the_end(pair: Pair) -> None:
    desk, nursery = pair
    desk.close()
    assert receive_order(nursery) is None


BROKEN = {
    "larger than any order": b"\xff\xff\xff\xff",
    "cut within the length": FRAME[:2],
    "cut within the body": FRAME[:-1],
    "no order": b"\0\0\0\4\xff\xff\xff\xff",
}


@pytest.mark.parametrize("sent", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_order_closes_what_came_with_it(pair: Pair, sent: bytes) -> None:
    desk, nursery = pair
    with Path("/dev/null").open() as file:
        before = open_descriptors()
        socket.send_fds(desk, [sent], [file.fileno()] * 3)
        desk.shutdown(socket.SHUT_WR)
        with pytest.raises(OrderError):
            receive_order(nursery)
        assert open_descriptors() <= before


def test_too_many_descriptors_are_refused_and_closed(pair: Pair) -> None:
    desk, nursery = pair
    before = open_descriptors()
    with Path("/dev/null").open() as file:
        socket.send_fds(desk, [FRAME], [file.fileno()] * (JOB_DESCRIPTORS + 1))
        with pytest.raises(OrderError):
            receive_order(nursery)
    assert open_descriptors() <= before


def test_descriptors_arrive_in_order(pair: Pair, tmp_path: Path) -> None:
    desk, nursery = pair
    files = [(tmp_path / str(number)).open("w+") for number in range(4)]
    for number, file in enumerate(files):
        file.write(str(number))
        file.flush()
    socket.send_fds(desk, [FRAME], [file.fileno() for file in files])
    received = receive_order(nursery)
    assert received is not None
    assert [os.pread(fd, 1, 0) for fd in received[1]] == [b"0", b"1", b"2", b"3"]
    for fd in received[1]:
        os.close(fd)
    for file in files:
        file.close()
