"""A custodian's side of a disclosure: approve, which re-seals the share to one worker, or deny.

Pure functions; they run where the custodian's keys are (`identity`), on the custodian's own machine.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from keyvault.age import HybridIdentity
from keyvault.custody.errors import CustodianError
from keyvault.custody.holding import Holding
from keyvault.custody.policy import CustodyPolicy, keys_sha256
from keyvault.custody.requests import Request
from keyvault.custody.seals import approved_info, dealt_info, open_share, seal_to_worker
from keyvault.custody.sharing import Share, Sharing, job_context
from keyvault.signing.hybrid import HybridSigner
from provenance.dsse import Envelope, sign_envelope
from provenance.statements import DisclosureApprovalFacts, DisclosureDenialFacts
from provenance.statements.fields import format_instant


class CustodianKeys(Protocol):
    """What a custodian decides with: `identity.CustodianIdentity`."""

    @property
    def identity(self) -> HybridIdentity:
        """Opens their shares."""

    @property
    def signer(self) -> HybridSigner:
        """Signs their decisions."""


@dataclass(frozen=True)
class Approval:
    """A decision on its way to the log and to the worker.

    Attributes:
        envelope: the signed statement.
        sealed_share: the share, for the worker that the statement names, 1,200 bytes.
    """

    envelope: Envelope
    sealed_share: bytes


def require_fitting(policy: CustodyPolicy, sharing: Sharing, request: Request) -> None:
    """Checks that a sharing is of the request's job and of the policy's custodians, and the request under it.

    Raises:
        CustodianError: sharing_invalid or request_other_policy.
    """
    if request.facts.custody_policy_sha256 != policy.digest.hex():
        raise CustodianError("request_other_policy", "the request is made under another custody policy")
    if sharing.context != job_context(request.job_id) or sharing.rule != policy.rule:
        raise CustodianError("sharing_invalid", "the shares are of another job, or of other custodians")


def approve(
    policy: CustodyPolicy,
    sharing: Sharing,
    request: Request,
    keys: CustodianKeys,
    sealed_share: bytes | Holding,
    worker_key: bytes,
    now: datetime,
) -> Approval:
    """Approves one request, for one worker.

    Args:
        policy: as for `check_request`, which made `request`.
        sharing: the newest one of the job.
        request: what was read and found good by the custodian.
        keys: the custodian's own.
        sealed_share: as it was dealt; after a re-sharing, the dealers' parts of it.
        worker_key: the disclosure worker's one-job X-Wing key, from evidence that the caller has checked.
        now: by the custodian's clock.

    Raises:
        CustodianError: own_request, custodian_unknown, request_not_yet, request_expired, sharing_invalid,
            share_false, sealed_share_invalid, share_seal_broken or share_invalid; redeal_false, naming a
            dealer, or redeal_incomplete.
        ReleaseKeyError: the worker's key is none.
    """
    require_fitting(policy, sharing, request)
    custodian = _require_may_decide(policy, request, keys)
    request.require_open(now, now)
    share = opened_share(sharing, keys, sealed_share)
    resealed = seal_to_worker(share, worker_key, approved_info(sharing, request.digest, custodian))
    facts = DisclosureApprovalFacts(
        request_sha256=request.digest.hex(),
        custodian_key_sha256=custodian,
        sharing_sha256=sharing.digest.hex(),
        worker_key_sha256=hashlib.sha256(worker_key).hexdigest(),
        share_sha256=hashlib.sha256(resealed).hexdigest(),
        approved_at=format_instant(now),
    )
    return Approval(sign_envelope(facts.to_statement(), keys.signer), resealed)


def opened_share(sharing: Sharing, keys: CustodianKeys, sealed: bytes | Holding) -> Share:
    """A custodian's own share, checked.

    Args:
        sharing: the newest one of the job.
        keys: the custodian's own.
        sealed: as it was dealt; after a re-sharing, the dealers' parts of it.

    Raises:
        CustodianError: as `approve`, of the share.
    """
    custodian = keys_sha256(keys.signer.public)
    if isinstance(sealed, Holding):
        share = sealed.share(keys.identity, custodian)
    else:
        share = open_share(sealed, keys.identity, dealt_info(sharing, custodian))
    sharing.require_true(custodian, share)
    return share


def deny(
    policy: CustodyPolicy, request: Request, keys: CustodianKeys, reason: str, now: datetime
) -> Envelope:
    """Denies one request, for good; also one that has expired.

    Args:
        policy: as for `approve`.
        request: likewise.
        keys: likewise.
        reason: a word of `vocabulary.DENIAL_REASONS`.
        now: by the custodian's clock.

    Raises:
        CustodianError: own_request or custodian_unknown.
        FormatError: no such reason.
    """
    custodian = _require_may_decide(policy, request, keys)
    facts = DisclosureDenialFacts(
        request_sha256=request.digest.hex(),
        custodian_key_sha256=custodian,
        reason=reason,
        denied_at=format_instant(now),
    )
    return sign_envelope(facts.to_statement(), keys.signer)


def require_not_own(request: Request, custodian: str) -> None:
    """Nobody decides on what they asked for themselves.

    Raises:
        CustodianError: own_request.
    """
    if request.facts.requester_key_sha256 == custodian:
        raise CustodianError("own_request", "nobody decides on a request of their own", custodian)


def _require_may_decide(policy: CustodyPolicy, request: Request, keys: CustodianKeys) -> str:
    custodian = keys_sha256(keys.signer.public)
    if custodian not in policy.custodians:
        raise CustodianError("custodian_unknown", "these keys are of no custodian of this policy")
    require_not_own(request, custodian)
    return custodian
