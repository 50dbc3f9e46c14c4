"""A disclosure request, checked by its custody policy: by custodians who decide, and by the worker."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import CustodyPolicy, keys_sha256
from keyvault.signing.hybrid import HybridSigner
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import DisclosureCancellationFacts, DisclosureRequestFacts
from provenance.statements.fields import format_instant, parse_instant


@dataclass(frozen=True)
class Request:
    """A request that its policy takes; whether it is in the log is for `witnessed`.

    Attributes:
        digest: SHA-256 of its envelope, 32 bytes: what decisions name.
        facts: what it says.
    """

    digest: bytes
    facts: DisclosureRequestFacts

    @property
    def job_id(self) -> bytes:
        """16 bytes."""
        return bytes.fromhex(self.facts.job_id)

    def require_open(self, earliest: datetime, latest: datetime) -> None:
        """Checks that the request stands, as far as the present moment is known.

        Args:
            earliest: it is not before this.
            latest: nor after this.

        Raises:
            CustodianError: request_not_yet or request_expired.
        """
        if latest < parse_instant(self.facts.requested_at):
            raise CustodianError("request_not_yet", "the request is dated later than the present moment")
        if latest >= parse_instant(self.facts.expires_at) or earliest > latest:
            raise CustodianError("request_expired", "the request has expired; ask again")


def cancel(request: Request, signer: HybridSigner, now: datetime) -> Envelope:
    """The requester takes a request back.

    Raises:
        CustodianError: requester_unknown, it is somebody else's.
    """
    requester = keys_sha256(signer.public)
    if requester != request.facts.requester_key_sha256:
        raise CustodianError("requester_unknown", "only who made a request takes it back")
    facts = DisclosureCancellationFacts(
        request_sha256=request.digest.hex(),
        requester_key_sha256=requester,
        cancelled_at=format_instant(now),
    )
    return sign_envelope(facts.to_statement(), signer)


def check_request(policy: CustodyPolicy, request: Envelope, requester: HybridPublicKey) -> Request:
    """Checks who asks, and that the policy lets them ask for this.

    Args:
        policy: the one that the job's statement, or the last recorded re-sharing, names. The request's own
            word does not count: whoever asks could name a weaker one.
        request: its envelope.
        requester: the public keys that it is said to be signed with.

    Raises:
        CustodianError: request_invalid, request_other_policy, requester_unknown, purpose_not_allowed,
            legal_basis_not_allowed, scope_too_wide or request_too_long.
    """
    try:
        facts = DisclosureRequestFacts.from_statement(request.verify(requester))
    except ProvenanceError:
        raise CustodianError(
            "request_invalid", "this is no disclosure request, or not signed by who is said to ask"
        ) from None
    if facts.custody_policy_sha256 != policy.digest.hex():
        raise CustodianError("request_other_policy", "the request is made under another custody policy")
    asking = policy.requesters.get(facts.requester_key_sha256)
    if asking is None or facts.requester_key_sha256 != keys_sha256(requester):
        raise CustodianError("requester_unknown", "the custody policy does not let this requester ask")
    if facts.purpose not in asking.purposes:
        raise CustodianError("purpose_not_allowed", "the requester may not ask for this purpose")
    limits = policy.requests
    if facts.legal_basis not in limits.legal_bases:
        raise CustodianError("legal_basis_not_allowed", "the custody policy does not take this legal basis")
    asked_milliseconds = sum(end - first for first, end in facts.stretches)
    if len(facts.tracks) > limits.most_tracks or asked_milliseconds > 1000 * limits.most_seconds:
        raise CustodianError("scope_too_wide", "the request asks for more tracks or seconds than it may")
    stands = parse_instant(facts.expires_at) - parse_instant(facts.requested_at)
    if stands > timedelta(hours=limits.longest_hours):
        raise CustodianError("request_too_long", "the request would stand longer than the policy allows")
    return Request(request.digest, facts)
