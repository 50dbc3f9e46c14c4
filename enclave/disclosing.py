"""A disclosure worker's order, checked, and the codes of its refusals: the same on both sides of the wall."""

from __future__ import annotations

from dataclasses import dataclass, fields

from enclave.errors import OrderError
from keyvault.release import JOB_ID_BYTES
from protos.bauta.internal.v1.worker_pb2 import RunDisclosure
from provenance.disclosing import trust_digest
from provenance.dsse import MAX_ENVELOPE_BYTES, Envelope
from provenance.errors import ProvenanceError
from provenance.trust import MAX_TRUST_BYTES, Trust

MAX_DISCLOSURE_ORDER_BYTES = MAX_ENVELOPE_BYTES + MAX_TRUST_BYTES + 1024
# 2^20 entries of the log, and the statements of custody among them.
MAX_PROCEED_BYTES = 96 << 20
_LARGEST_LIMIT = 1 << 50

REFUSALS = (
    "approval_other_sharing",
    "approval_other_worker",
    "approval_share_changed",
    "cool_off_running",
    "custodian_unknown",
    "custody_policy_changed",
    "custody_policy_invalid",
    "decided_already",
    "decision_invalid",
    "decision_left_out",
    "decision_other_request",
    "decision_out_of_order",
    "facts_disagree",
    "history_incomplete",
    "history_stale",
    "legal_basis_not_allowed",
    "materials_malformed",
    "nothing_kept",
    "own_request",
    "package_changed",
    "package_entry_damaged",
    "package_key_wrong",
    "package_malformed",
    "point_invalid",
    "proof_invalid",
    "purpose_not_allowed",
    "quorum_not_met",
    "redeal_false",
    "redeal_incomplete",
    "request_cancelled",
    "request_denied",
    "request_erased",
    "request_expired",
    "request_invalid",
    "request_not_yet",
    "request_other_policy",
    "request_released",
    "request_reshared",
    "request_too_long",
    "requester_unknown",
    "rule_invalid",
    "scope_too_wide",
    "share_false",
    "share_invalid",
    "share_seal_broken",
    "sharing_changed",
    "sharing_invalid",
    "witnesses_not_named",
    "worker_not_released",
)
"""Why a disclosure worker does not go on, and waits for more; whatever else is wrong is `proof_invalid`."""


@dataclass(frozen=True)
class DisclosureLimits:
    """What one disclosure worker may use; every limit is at least 1.

    Attributes:
        max_memory_bytes: address space of the child, on top of the warm parent's.
        max_disclosure_bytes: size of the sealed disclosure.
        max_wall_seconds: from its start to its last report, all waiting included.
        max_frame_pixels: width times height of a frame.
        max_frames: frames of one video.
    """

    max_memory_bytes: int
    max_disclosure_bytes: int
    max_wall_seconds: int
    max_frame_pixels: int
    max_frames: int


@dataclass(frozen=True)
class DisclosureOrder:
    """One disclosure worker, as the front desk orders it.

    Attributes:
        request: the envelope; whether anybody may ask for this is checked much later.
        trust: what the worker believes.
        limits: what it may use.
    """

    request: Envelope
    trust: Trust
    limits: DisclosureLimits

    def __post_init__(self) -> None:
        for limit in fields(self.limits):
            if not 1 <= getattr(self.limits, limit.name) <= _LARGEST_LIMIT:
                raise OrderError(f"the limit {limit.name} is out of range")

    @property
    def number(self) -> bytes:
        """What worker host and vault call this worker: 16 bytes of the digest of the request."""
        return self.request.digest[:JOB_ID_BYTES]

    @property
    def trust_sha256(self) -> bytes:
        """What evidence and custodians call the trust file, 32 bytes."""
        return bytes.fromhex(trust_digest(self.trust))

    @classmethod
    def from_message(cls, untrusted: RunDisclosure) -> DisclosureOrder:
        """Reads the protobuf message.

        Raises:
            OrderError: something is out of range, or not in its one form.
        """
        if len(untrusted.request) > MAX_ENVELOPE_BYTES or len(untrusted.trust) > MAX_TRUST_BYTES:
            raise OrderError("an order's request or trust file is too large")
        try:
            request = Envelope.from_bytes(untrusted.request)
            trust = Trust.from_bytes(untrusted.trust)
        except ProvenanceError:
            raise OrderError("an order holds no request, or no trust file") from None
        if trust.to_bytes() != untrusted.trust:
            raise OrderError("an order's trust file is not in its canonical form")
        limits = {limit.name: getattr(untrusted, limit.name) for limit in fields(DisclosureLimits)}
        return cls(request, trust, DisclosureLimits(**limits))
