"""The life of a disclosure request as a pure state machine: no clock, no disk, no network.

WAITING -> READY -> RELEASED
    |        |
    +--------+-> DENIED | CANCELLED | EXPIRED | LOST

The worker decides by itself and believes nothing of this; a desk that lied here would gain a refusal.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from grpc_api.errors import precondition
from keyvault.custody.policy import CustodyPolicy


class State(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    READY = "ready"
    RELEASED = "released"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    LOST = "lost"

    @property
    def is_open(self) -> bool:
        """Whether decisions are still taken."""
        return self in OPEN


OPEN = (State.WAITING, State.READY)


@dataclass(frozen=True)
class DisclosureRecord:
    """One request as the book keeps it.

    Attributes:
        request_sha256: hex; its name.
        job_id: 32 hex digits.
        requester: hex digest of the keys that signed it.
        recorded_at: seconds since 1970, by the service's clock.
        expires_at: likewise.
        state: where it stands.
        worker_sha256: hex digest of the evidence of the worker that waits; "" while there is none.
        error_code: why it is lost.
        disclosure_bytes, disclosure_sha256: of the sealed disclosure, once released.
        proof: the request's proof file, made right after it was recorded.
        release_proof: the release's proof file with its evidence, once that is recorded.
        updated_at: seconds since 1970.
    """

    request_sha256: str
    job_id: str
    requester: str
    recorded_at: float
    expires_at: float
    state: State = State.WAITING
    worker_sha256: str = ""
    error_code: str = ""
    disclosure_bytes: int = 0
    disclosure_sha256: str = ""
    proof: bytes = b""
    release_proof: bytes = b""
    updated_at: float = 0.0


def admit(record: DisclosureRecord, worker_sha256: str) -> DisclosureRecord:
    """Its worker waits, and that is on record: custodians may approve."""
    require_open(record)
    return replace(record, worker_sha256=worker_sha256)


def count(
    record: DisclosureRecord, policy: CustodyPolicy, approved: set[str], denied: set[str]
) -> DisclosureRecord:
    """What the decisions so far make of it.

    Args:
        record: an open request.
        policy: of its job.
        approved, denied: custodians, by the hex digests of their keys.
    """
    require_open(record)
    if policy.rule.is_met_by(approved):
        return replace(record, state=State.READY)
    if not policy.rule.is_met_by(policy.custodians.keys() - denied):
        return replace(record, state=State.DENIED)
    return replace(record, state=State.WAITING)


def cancel(record: DisclosureRecord) -> DisclosureRecord:
    """The requester takes it back."""
    require_open(record)
    return replace(record, state=State.CANCELLED)


def expire(record: DisclosureRecord) -> DisclosureRecord:
    """Its time is over."""
    return replace(record, state=State.EXPIRED) if record.state.is_open else record


def lose(record: DisclosureRecord, code: str) -> DisclosureRecord:
    """Its worker is gone, or what it asks for is."""
    return replace(record, state=State.LOST, error_code=code) if record.state.is_open else record


def note_release(record: DisclosureRecord, release_proof: bytes) -> DisclosureRecord:
    """The release is on record: the request is used up, even if nothing comes of it."""
    return replace(record, release_proof=release_proof)


def release(record: DisclosureRecord, *, disclosure_bytes: int, disclosure_sha256: str) -> DisclosureRecord:
    """The sealed disclosure is durable and can be opened."""
    require_open(record)
    return replace(
        record,
        state=State.RELEASED,
        disclosure_bytes=disclosure_bytes,
        disclosure_sha256=disclosure_sha256,
    )


def require_open(record: DisclosureRecord) -> None:
    """Refuses what cannot be done to a request that has ended.

    Raises:
        ServiceError: `request_ended`.
    """
    if not record.state.is_open:
        raise precondition("request_ended", f"The request is {record.state.value}; it decides nothing now.")
