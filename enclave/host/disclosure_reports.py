"""What a disclosure worker's report must look like before anybody looks at it."""

from __future__ import annotations

import re

from enclave.errors import HostError
from protos.bauta.internal.v1.disclosure_pb2 import DisclosureRefusal, DisclosureReport
from provenance.dsse import MAX_ENVELOPE_BYTES

MAX_DISCLOSURE_REPORT_BYTES = 256 << 10
_MAX_BLAMED = 64
_MAX_HEADER_BYTES = 64 << 10
_SHA256_BYTES = 32
_MAX_SIZE = 1 << 53
_CODE = re.compile(r"[a-z][a-z0-9_]{0,47}")


def check_disclosure_report(untrusted: DisclosureReport) -> DisclosureReport:
    """Gives a report back once it is of its form. What it claims is still only a claim.

    Raises:
        HostError: `worker_reply_invalid`.
    """
    match untrusted.WhichOneof("report"):
        case "admitted":
            _require(0 < len(untrusted.admitted) <= MAX_ENVELOPE_BYTES)
        case "waiting":
            pass
        case "counted":
            _require(0 < len(untrusted.counted) <= MAX_ENVELOPE_BYTES)
        case "refused":
            _check_refusal(untrusted.refused)
        case "released":
            released = untrusted.released
            _require(0 < len(released.statement) <= MAX_ENVELOPE_BYTES)
            _require(0 < released.sealed_bytes < _MAX_SIZE)
            _require(len(released.sealed_sha256) == _SHA256_BYTES)
            _require(len(released.blamed) <= _MAX_BLAMED)
            for refusal in released.blamed:
                _check_refusal(refusal)
        case "header":
            _require(0 < len(untrusted.header) <= _MAX_HEADER_BYTES)
        case "failure":
            _check_refusal(untrusted.failure)
        case _:
            _require(False)
    return untrusted


def _check_refusal(untrusted: DisclosureRefusal) -> None:
    _require(_CODE.fullmatch(untrusted.code) is not None)
    _require(len(untrusted.custodian) in (0, _SHA256_BYTES))


def _require(holds: bool) -> None:
    if not holds:
        raise invalid_reply()


def invalid_reply() -> HostError:
    """The refusal of something that is not in the protocol."""
    return HostError(
        "the disclosure worker said something that is not in the protocol", "worker_reply_invalid"
    )
