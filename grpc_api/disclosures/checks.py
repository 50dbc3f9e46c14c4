"""What must hold of a statement before it may go into the log. Pure: what is known comes as arguments.

A disclosure worker checks all of it again, and believes nothing of what is found here. These checks keep the
log and the people who decide free of what could never lead anywhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from grpc_api.disclosures.kept import Kept
from grpc_api.errors import ServiceError, invalid, precondition
from keyvault.custody.decisions import require_not_own
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import keys_sha256
from keyvault.custody.requests import Request, check_request
from keyvault.custody.seals import SEALED_SHARE_BYTES
from protos.bauta.v1.disclosures_pb2 import SigningKeys
from provenance import canonical
from provenance.dsse import Envelope
from provenance.errors import FormatError, ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import (
    DisclosureApprovalFacts,
    DisclosureCancellationFacts,
    DisclosureDenialFacts,
    DisclosureRequestFacts,
    DisclosureWorkerFacts,
)
from provenance.statements.base import MAX_STATEMENT_BYTES
from provenance.statements.fields import parse_instant

MAX_ENVELOPE_BYTES = 32 << 10
"""Of what people sign: a request with 64 tracks and 64 stretches has less than 16 KiB."""

CLOCKS_APART = timedelta(minutes=5)
"""How far the clock of somebody who signs may be ahead of the service's."""

Decision = DisclosureApprovalFacts | DisclosureDenialFacts


def read_envelope(untrusted: bytes) -> Envelope:
    """Reads what somebody has signed; the signatures are still to be checked.

    Raises:
        ServiceError: `statement_invalid`.
    """
    if len(untrusted) > MAX_ENVELOPE_BYTES:
        raise _statement_invalid()
    try:
        return Envelope.from_bytes(untrusted)
    except ProvenanceError:
        raise _statement_invalid() from None


def read_keys(untrusted: SigningKeys) -> HybridPublicKey:
    """Reads public keys.

    Raises:
        ServiceError: `statement_invalid`.
    """
    try:
        return HybridPublicKey(untrusted.ed25519, untrusted.mldsa65)
    except FormatError:
        raise _statement_invalid() from None


def check_asked(
    kept: Kept, untrusted: Envelope, requester: HybridPublicKey, erased: Collection[int], now: datetime
) -> Request:
    """Checks a request of a job.

    Args:
        kept: of the job that the request names.
        untrusted: the request.
        requester: who is said to have signed it.
        erased: tracks of the job that nobody can uncover any more.
        now: by the service's clock.

    Raises:
        CustodianError: as `check_request`; request_not_yet, request_expired; request_erased.
        ServiceError: `request_other_job`, the request names another statement of that job.
    """
    request = check_request(kept.policy, untrusted, requester)
    require_open(request, now)
    if request.facts.job_statement_sha256 != kept.job_statement.digest.hex():
        raise precondition("request_other_job", "The request names another result than the job had.")
    if set(request.facts.tracks) & set(erased):
        raise CustodianError("request_erased", "a track that is asked for was erased")
    return request


def require_open(request: Request, now: datetime) -> None:
    """Checks that a request stands, by the service's clock; who signed it may be a little ahead.

    Raises:
        CustodianError: request_not_yet or request_expired.
    """
    begins = parse_instant(request.facts.requested_at)
    ahead = begins if now < begins <= now + CLOCKS_APART else now
    request.require_open(ahead, ahead)


@dataclass(frozen=True)
class Decided:
    """A decision that may be recorded.

    Attributes:
        facts: what it says.
        custodian: hex digest of the keys that signed it.
    """

    facts: Decision
    custodian: str


def check_decision(
    kept: Kept,
    request: Request,
    worker: DisclosureWorkerFacts | None,
    untrusted: Envelope,
    custodian_key: HybridPublicKey,
    untrusted_share: bytes,
    decided: Collection[str],
    now: datetime,
) -> Decided:
    """Checks a custodian's word on an open request.

    Args:
        kept: of the request's job.
        request: as it is on record.
        worker: that waits; None while there is none.
        untrusted: the decision.
        custodian_key: who is said to have signed it.
        untrusted_share: what comes with an approval.
        decided: custodians whose word on this request is kept already, recorded or not.
        now: by the service's clock.

    Raises:
        CustodianError: decision_invalid, decision_other_request, custodian_unknown, own_request,
            decided_already, approval_other_worker, approval_other_sharing, approval_share_changed,
            sealed_share_invalid, request_not_yet or request_expired.
    """
    facts = _decision(untrusted, custodian_key)
    custodian = keys_sha256(custodian_key)
    if facts.custodian_key_sha256 != custodian:
        raise _decision_invalid()
    if facts.request_sha256 != request.digest.hex():
        raise CustodianError("decision_other_request", "the decision is on another request")
    if custodian not in kept.policy.custodians:
        raise CustodianError("custodian_unknown", "these keys are of no custodian of this policy")
    require_not_own(request, custodian)
    if custodian in decided:
        raise CustodianError("decided_already", "a custodian decides once on a request", custodian)
    if isinstance(facts, DisclosureApprovalFacts):
        _check_approval(kept, request, worker, facts, untrusted_share, now)
    elif untrusted_share:
        raise _decision_invalid()
    return Decided(facts, custodian)


def check_cancellation(untrusted: Envelope, requester: HybridPublicKey) -> DisclosureCancellationFacts:
    """Checks that a request is taken back by who made it.

    Raises:
        CustodianError: requester_unknown, it is by somebody else, or no cancellation.
    """
    try:
        facts = DisclosureCancellationFacts.from_statement(untrusted.verify(requester))
    except ProvenanceError:
        raise _not_yours() from None
    if facts.requester_key_sha256 != keys_sha256(requester):
        raise _not_yours()
    return facts


def claimed_subject(untrusted: Envelope) -> str:
    """Says what a decision, a cancellation or a withdrawal claims to be about; a claim decides nothing.

    Raises:
        ServiceError: `statement_invalid`, it claims nothing of the kind.
    """
    match _payload(untrusted):
        case {"subject": [{"digest": {"sha256": str(digest)}}]}:
            return digest
    raise _statement_invalid()


def claimed_job(untrusted: Envelope) -> str:
    """Says which job a request or a consent claims to be about; a claim decides nothing.

    Raises:
        ServiceError: `statement_invalid`.
    """
    match _payload(untrusted):
        case {"predicate": {"jobId": str(job_id)}}:
            return job_id
    raise _statement_invalid()


def recorded_request(envelope: Envelope) -> Request:
    """A request that passed its checks when it was recorded."""
    return Request(envelope.digest, DisclosureRequestFacts.from_statement(envelope.payload))


def _payload(untrusted: Envelope) -> object:
    try:
        return canonical.loads(untrusted.payload, MAX_STATEMENT_BYTES)
    except FormatError:
        raise _statement_invalid() from None


def _decision(untrusted: Envelope, key: HybridPublicKey) -> Decision:
    for kind in (DisclosureApprovalFacts, DisclosureDenialFacts):
        try:
            return kind.from_statement(untrusted.verify(key))
        except ProvenanceError:
            continue
    raise _decision_invalid()


def _check_approval(
    kept: Kept,
    request: Request,
    worker: DisclosureWorkerFacts | None,
    facts: DisclosureApprovalFacts,
    untrusted_share: bytes,
    now: datetime,
) -> None:
    approved_at = parse_instant(facts.approved_at)
    request.require_open(approved_at, approved_at)
    require_open(request, now)
    if approved_at > now + CLOCKS_APART:
        raise CustodianError("request_not_yet", "the approval is dated later than the present moment")
    waiting = None if worker is None else hashlib.sha256(worker.worker_hpke).hexdigest()
    if facts.worker_key_sha256 != waiting:
        raise CustodianError("approval_other_worker", "the approval is for another disclosure worker")
    if facts.sharing_sha256 != kept.divided.digest.hex():
        raise CustodianError("approval_other_sharing", "the approval comes with a share of an older sharing")
    if len(untrusted_share) != SEALED_SHARE_BYTES:
        raise CustodianError("sealed_share_invalid", f"a sealed share has {SEALED_SHARE_BYTES} bytes")
    if facts.share_sha256 != hashlib.sha256(untrusted_share).hexdigest():
        raise CustodianError("approval_share_changed", "the sealed share is not the one that was approved")


def _statement_invalid() -> ServiceError:
    return invalid("statement_invalid", "This is no statement of the kind that is asked for here.")


def _decision_invalid() -> CustodianError:
    return CustodianError("decision_invalid", "this is no decision, or not signed by who is said to decide")


def _not_yours() -> CustodianError:
    return CustodianError("requester_unknown", "only who made a request takes it back")
