"""Makes Nitro evidence through /dev/nsm, the enclave's secure module.

Source: aws-nitro-enclaves-nsm-api (the CBOR messages) and Linux, include/uapi/linux/nsm.h: one ioctl, two
buffers.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cbor2

from enclave.attest.errors import EvidenceError

NSM_DEVICE = Path("/dev/nsm")
# _IOWR(0x0A, 0x0, struct nsm_raw): direction, size, magic, number; the same on x86-64 and arm64.
NSM_IOCTL_RAW = (3 << 30) | (32 << 16) | (0x0A << 8)

_MAX_REQUEST_BYTES = 0x1000
_MAX_RESPONSE_BYTES = 0x3000

Ioctl = Callable[[int, int, ctypes.Structure], int]


class IoVec(ctypes.Structure):
    """A buffer: `struct nsm_iovec`."""

    _fields_ = (("address", ctypes.c_uint64), ("length", ctypes.c_uint64))


class NsmMessage(ctypes.Structure):
    """A request and room for its response: `struct nsm_raw`."""

    _fields_ = (("request", IoVec), ("response", IoVec))


def make_nitro_document(
    user_data: bytes, nonce: bytes = b"", device: Path = NSM_DEVICE, ioctl: Ioctl = fcntl.ioctl
) -> bytes:
    """Has the hypervisor sign a document.

    Args:
        user_data: up to 512 bytes; see `report_data_for`.
        nonce: up to 512 bytes.
        device: the secure module.
        ioctl: the system call. Only a test gives its own.

    Raises:
        EvidenceError: `evidence_unavailable`; there is no such module, no right to ask it, or it refused.
    """
    request = cbor2.dumps(
        {"Attestation": {"user_data": user_data, "nonce": nonce or None, "public_key": None}}
    )
    if len(request) > _MAX_REQUEST_BYTES:
        raise EvidenceError("user data and nonce are too long", "evidence_expectation_unfit")
    try:
        descriptor = os.open(device, os.O_RDWR | os.O_CLOEXEC)
        try:
            response = _ask(descriptor, request, ioctl)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise EvidenceError(
            f"the secure module gave no evidence: {error.strerror}", "evidence_unavailable"
        ) from None
    return _document(response)


def _ask(descriptor: int, request: bytes, ioctl: Ioctl) -> bytes:
    asked = ctypes.create_string_buffer(request, len(request))
    room = ctypes.create_string_buffer(_MAX_RESPONSE_BYTES)
    message = NsmMessage(
        IoVec(ctypes.addressof(asked), len(request)), IoVec(ctypes.addressof(room), _MAX_RESPONSE_BYTES)
    )
    ioctl(descriptor, NSM_IOCTL_RAW, message)
    return room.raw[: min(message.response.length, _MAX_RESPONSE_BYTES)]


def _document(response: bytes) -> bytes:
    try:
        answer: Any = cbor2.loads(response, max_depth=4)
        document = answer["Attestation"]["document"]
    except (cbor2.CBORError, KeyError, TypeError):
        raise EvidenceError("the secure module refused to make evidence", "evidence_unavailable") from None
    if not isinstance(document, bytes):
        raise EvidenceError("the secure module's answer holds no document", "evidence_unavailable")
    return document
