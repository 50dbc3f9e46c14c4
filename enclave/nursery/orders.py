"""Reading one order and the descriptors that came with it (unix(7), SCM_RIGHTS)."""

from __future__ import annotations

import os
import socket

from google.protobuf.message import DecodeError

from enclave.disclosing import MAX_DISCLOSURE_ORDER_BYTES
from enclave.errors import OrderError
from enclave.order import MAX_ORDER_BYTES
from protos.bauta.internal.v1.worker_pb2 import WorkerOrder
from protos.framing import LENGTH_BYTES

# Upload, result, scratch, review, recovery package, sheet, untouched package, scores, reports.
JOB_DESCRIPTORS = 9
# Package, disclosure, scratch, orders, reports.
DISCLOSURE_DESCRIPTORS = 5


def receive_order(front: socket.socket) -> tuple[WorkerOrder, list[int]] | None:
    """Reads one frame; the caller closes the descriptors.

    Returns:
        The order and its descriptors; None when the front desk has closed its end.

    Raises:
        OrderError: the front desk broke the protocol, and nothing after this can be understood.
    """
    # Descriptors come with the first byte of what they were sent with: with the length.
    try:
        head, descriptors, flags, _address = socket.recv_fds(
            front, LENGTH_BYTES, max(JOB_DESCRIPTORS, DISCLOSURE_DESCRIPTORS)
        )
    except ConnectionResetError:
        return None
    try:
        if not head and not descriptors:
            return None
        if flags & socket.MSG_CTRUNC:
            raise OrderError("an order came with too many descriptors")
        head += _receive(front, LENGTH_BYTES - len(head))
        size = int.from_bytes(head, "big")
        if size > max(MAX_ORDER_BYTES, MAX_DISCLOSURE_ORDER_BYTES):
            raise OrderError("an order is larger than any order can be")
        order = WorkerOrder()
        order.ParseFromString(_receive(front, size))
    except (DecodeError, OSError):
        _close(descriptors)
        raise OrderError("the front desk did not send an order") from None
    except OrderError:
        _close(descriptors)
        raise
    return order, descriptors


def _receive(front: socket.socket, size: int) -> bytes:
    body = bytearray()
    while len(body) < size:
        part = front.recv(size - len(body))
        if not part:
            raise OrderError("the front desk closed its end within an order")
        body += part
    return bytes(body)


def _close(descriptors: list[int]) -> None:
    for fd in descriptors:
        os.close(fd)
