"""A sound example of every statement, by its class; `provenance_makers` has those of a whole job."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from provenance.statements import (
    ConsentFacts,
    ConsentWithdrawalFacts,
    DisclosureApprovalFacts,
    DisclosureCancellationFacts,
    DisclosureCountFacts,
    DisclosureDenialFacts,
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    DisclosureWorkerFacts,
    ErasureFacts,
    Facts,
    FailureFacts,
    IntakeFacts,
    JobFacts,
    KeyRotationFacts,
    PolicyFacts,
    ReleaseFacts,
    ResharingFacts,
    SubmissionFacts,
    WorkerReleaseFacts,
)
from tests.unit.provenance.provenance_makers import (
    RECIPIENT,
    TestSigner,
    failure_facts,
    hex_of,
    intake_facts,
    job_facts,
    release_facts,
    worker_release_facts,
)

WORKER = TestSigner("worker").public
JOB_ID = "0123456789abcdef" * 2

VALUES: dict[type[Facts], dict[str, Any]] = {
    SubmissionFacts: {
        "job_id": JOB_ID,
        "upload_sha256": hex_of("sealed upload"),
        "upload_header_sha256": hex_of("header"),
        "terms_sha256": hex_of("terms"),
        "accepted_at": "2026-11-21T09:59:59Z",
    },
    PolicyFacts: {
        "policy": "street",
        "policy_sha256": hex_of("street"),
        "measurement": hex_of("measurement"),
        "announced_at": "2026-11-20T09:00:01Z",
    },
    KeyRotationFacts: {
        "retired_sha256": hex_of("recipient"),
        "successor_sha256": hex_of("next recipient"),
        "made_at": "2026-11-21T00:00:00Z",
        "destroyed_at": "2026-11-21T02:00:00Z",
    },
    DisclosureRequestFacts: {
        "job_id": JOB_ID,
        "job_statement_sha256": hex_of("job envelope"),
        "custody_policy_sha256": hex_of("custody"),
        "tracks": (1, 7),
        "stretches": ((0, 10_000), (12_500, 20_000)),
        "purpose": "court_order",
        "legal_basis": "legal_obligation",
        "recipient": RECIPIENT,
        "requester_key_sha256": hex_of("requester"),
        "requested_at": "2026-11-22T08:00:00Z",
        "expires_at": "2026-11-29T08:00:00Z",
    },
    DisclosureWorkerFacts: {
        "request_sha256": hex_of("request"),
        "job_id": JOB_ID,
        "tier": "process",
        "walls": ("landlock_fs", "no_new_privs", "seccomp"),
        "measurement": hex_of("measurement"),
        "trust_sha256": hex_of("trust"),
        "worker_hpke": bytes(1216),
        "worker_ed25519": WORKER.ed25519,
        "worker_mldsa65": WORKER.mldsa65,
        "admitted_at": "2026-11-22T08:00:05Z",
    },
    DisclosureCountFacts: {"request_sha256": hex_of("request"), "nonce": bytes(range(32))},
    DisclosureApprovalFacts: {
        "request_sha256": hex_of("request envelope"),
        "custodian_key_sha256": hex_of("custodian"),
        "sharing_sha256": hex_of("sharing"),
        "worker_key_sha256": hex_of("one-job key"),
        "share_sha256": hex_of("share"),
        "approved_at": "2026-11-23T08:00:00Z",
    },
    DisclosureDenialFacts: {
        "request_sha256": hex_of("request envelope"),
        "custodian_key_sha256": hex_of("custodian"),
        "reason": "scope_too_wide",
        "denied_at": "2026-11-23T08:00:00Z",
    },
    DisclosureCancellationFacts: {
        "request_sha256": hex_of("request envelope"),
        "requester_key_sha256": hex_of("requester"),
        "cancelled_at": "2026-11-23T08:00:00Z",
    },
    DisclosureReleaseFacts: {
        "request_sha256": hex_of("request envelope"),
        "approvals_sha256": tuple(sorted((hex_of("approval 1"), hex_of("approval 2")))),
        "tracks": (7,),
        "stretches": ((1_000, 9_000),),
        "disclosure_sha256": hex_of("sealed disclosure"),
        "measurement": hex_of("measurement"),
        "tier": "process",
        "walls": ("landlock_fs", "net_namespace", "seccomp"),
        "released_at": "2026-11-24T08:00:00Z",
    },
    ResharingFacts: {
        "job_id": JOB_ID,
        "sharing_sha256": hex_of("sharing"),
        "redealt_sha256": hex_of("redealt"),
        "parts_sha256": hex_of("parts"),
        "custody_policy_sha256": hex_of("custody"),
        "custodian_key_sha256": hex_of("custodian"),
        "dealt_at": "2026-11-25T08:00:00Z",
    },
    ConsentFacts: {
        "job_id": JOB_ID,
        "tracks": (1, 4),
        "purposes": ("medical_care", "source_request"),
        "giver_key_sha256": hex_of("giver"),
        "given_at": "2026-11-30T08:00:00Z",
    },
    ConsentWithdrawalFacts: {
        "consent_sha256": hex_of("consent"),
        "giver_key_sha256": hex_of("giver"),
        "withdrawn_at": "2026-12-01T07:59:58Z",
    },
    ErasureFacts: {
        "job_id": JOB_ID,
        "tracks": (1,),
        "wrapped_keys_sha256": (hex_of("wrapped key"),),
        "reason": "consent_withdrawn",
        "erased_at": "2026-12-01T08:00:00Z",
    },
}


def _maker(kind: type[Facts]) -> Callable[..., Facts]:
    return lambda **changes: kind(**{**VALUES[kind], **changes})


SOUND: dict[type[Facts], Callable[..., Facts]] = {
    IntakeFacts: intake_facts,
    ReleaseFacts: lambda **changes: release_facts(WORKER, **changes),
    JobFacts: job_facts,
    FailureFacts: failure_facts,
    WorkerReleaseFacts: worker_release_facts,
    **{kind: _maker(kind) for kind in VALUES},
}
"""Called without arguments it gives sound facts; with arguments, the same with these fields changed."""
