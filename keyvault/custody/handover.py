"""A re-sharing on record: who dealt what, under which new policy. Only custodians change who custodians are.

Every dealer signs a statement, and each statement goes into the log. From a quorum of them anybody computes
the new sharing; from then on the new policy decides, and shares of the old sharing are refused by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from keyvault.custody.decisions import CustodianKeys
from keyvault.custody.errors import CustodianError
from keyvault.custody.holding import part_digests, parts_digest
from keyvault.custody.policy import CustodyPolicy, keys_sha256
from keyvault.custody.resharing import new_sharing, require_redealt
from keyvault.custody.sharing import Sharing, job_context
from keyvault.custody.witnessed import Witnessed
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import ResharingFacts
from provenance.statements.fields import format_instant


@dataclass(frozen=True)
class Dealing:
    """One dealer's part, as it is found.

    Attributes:
        recorded: the signed statement, out of the log.
        key: whose it is said to be.
        redealt: the public part of what was dealt.
    """

    recorded: Witnessed
    key: HybridPublicKey
    redealt: Sharing


def sign_dealing(
    old: Sharing,
    redealt: Sharing,
    job_id: bytes,
    new_policy: CustodyPolicy,
    keys: CustodianKeys,
    now: datetime,
    parts: bytes,
) -> Envelope:
    """A dealer's statement.

    Args:
        old: the sharing that is left.
        redealt: the public part of `resharing.redeal`.
        job_id: 16 bytes.
        new_policy: whose rule was dealt by.
        keys: the dealer's own.
        now: by the dealer's clock.
        parts: sealed to the new custodians, of `holding.seal_parts`.

    Raises:
        CustodianError: sharing_invalid, of another job or by another rule than the new policy's.
    """
    if redealt.context != job_context(job_id) or redealt.rule != new_policy.rule:
        raise CustodianError("sharing_invalid", "the dealing is of another job, or by another rule")
    facts = ResharingFacts(
        job_id=job_id.hex(),
        sharing_sha256=old.digest.hex(),
        redealt_sha256=redealt.digest.hex(),
        parts_sha256=parts_digest(part_digests(parts)),
        custody_policy_sha256=new_policy.digest.hex(),
        custodian_key_sha256=keys_sha256(keys.signer.public),
        dealt_at=format_instant(now),
    )
    return sign_envelope(facts.to_statement(), keys.signer)


def take_over(
    old_policy: CustodyPolicy,
    old: Sharing,
    job_id: bytes,
    new_policy: CustodyPolicy,
    dealings: Mapping[str, Dealing],
) -> Sharing:
    """Computes the sharing that a quorum of dealers made, for whoever follows a job's custody.

    Args:
        old_policy: that decided so far.
        old: the sharing so far.
        job_id: 16 bytes.
        new_policy: that is to decide.
        dealings: by the dealer's digest; exactly a quorum.

    Raises:
        CustodianError: decision_invalid: a statement is none, or not by that dealer; dealing_other: it is
            of another job, sharing, dealing or policy; custodian_unknown; redeal_false, naming the dealer;
            redeal_incomplete; sharing_invalid.
    """
    if old.context != job_context(job_id) or old.rule != old_policy.rule:
        raise CustodianError("sharing_invalid", "the shares are of another job, or of other custodians")
    for dealer, dealing in dealings.items():
        require_dealer(old_policy, old, job_id, new_policy, dealer, dealing)
    return new_sharing(old, {dealer: dealing.redealt for dealer, dealing in dealings.items()})


def require_dealer(
    old_policy: CustodyPolicy,
    old: Sharing,
    job_id: bytes,
    new_policy: CustodyPolicy,
    dealer: str,
    dealing: Dealing,
) -> None:
    """Checks one dealing, so that a false one can be left out while others suffice.

    Raises:
        CustodianError: as `take_over`, but for redeal_incomplete.
    """
    if dealer not in old_policy.custodians:
        raise CustodianError("custodian_unknown", "these keys are of no custodian of this policy")
    try:
        facts = ResharingFacts.from_statement(dealing.recorded.statement.verify(dealing.key))
    except ProvenanceError:
        raise _no_dealing() from None
    if dealing.recorded.kind != ResharingFacts.kind() or keys_sha256(dealing.key) != dealer:
        raise _no_dealing()
    if facts.custodian_key_sha256 != dealer:
        raise _no_dealing()
    named = (facts.job_id, facts.sharing_sha256, facts.redealt_sha256, facts.custody_policy_sha256)
    found = (job_id.hex(), old.digest.hex(), dealing.redealt.digest.hex(), new_policy.digest.hex())
    if named != found or dealing.redealt.rule != new_policy.rule:
        raise CustodianError("dealing_other", "a dealing is of another job, sharing or policy", dealer)
    require_redealt(old, dealer, dealing.redealt, new_policy.rule)


def _no_dealing() -> CustodianError:
    return CustodianError("decision_invalid", "this is no dealing, or not signed by who is said to deal")
