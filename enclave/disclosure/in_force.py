"""Whose policy and whose shares count for a request: the job's own, or those of the last re-sharing before.

The request's own word does not count, nor the front desk's: one begins with what the job's worker signed, and
goes from there by what custodians signed and the log holds, in the order of the log.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

from enclave.disclosure.materials import Materials
from enclave.errors import WorkerError
from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import Dealing
from keyvault.custody.history import History
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.sharing import Sharing
from keyvault.custody.succession import Succession
from keyvault.custody.witnessed import Witnessed
from provenance.errors import ProvenanceError
from provenance.statements import JobFacts, ResharingFacts


@dataclass(frozen=True)
class InForce:
    """What decides at one place in the log.

    Attributes:
        policy: the custody policy.
        sharing: the sharing of the recovery key.
    """

    policy: CustodyPolicy
    sharing: Sharing


def in_force(job: JobFacts, history: History, before: int, materials: Materials) -> InForce:
    """Finds the policy and the sharing that count.

    Args:
        job: signed, certified and recorded.
        history: from that job on.
        before: the place of the request in the log.
        materials: what the front desk shows.

    Raises:
        WorkerError: `custody_policy_changed` or `sharing_changed`: what the job or its custodians named is
            not shown.
        CustodianError: custody_policy_invalid, sharing_invalid, rule_invalid or point_invalid.
    """
    succession = Succession(
        _policy(materials, job.recovery["custody_policy"]),
        _sharing(materials.sharing, job.recovery["sharing"]),
        bytes.fromhex(job.job_id),
    )
    for recorded, facts in _dealings(history, before):
        if not succession.concerns(facts):
            continue
        policy = _policy(materials, facts.custody_policy_sha256)
        with suppress(CustodianError):  # Of somebody else, or false: the others may suffice.
            succession.take(policy, _dealing(recorded, facts, materials))
    return InForce(succession.policy, succession.sharing)


def _dealings(history: History, before: int) -> Iterator[tuple[Witnessed, ResharingFacts]]:
    for recorded in history.recorded:
        if recorded.kind != ResharingFacts.kind() or recorded.log_index >= before:
            continue
        try:
            facts = ResharingFacts.from_statement(recorded.statement.payload)
        except ProvenanceError:
            continue
        end = history.first
        yield (
            Witnessed(recorded.statement, recorded.kind, recorded.log_index, end.earliest, end.latest),
            facts,
        )


def _dealing(recorded: Witnessed, facts: ResharingFacts, materials: Materials) -> Dealing:
    key = materials.keys.get(facts.custodian_key_sha256)
    redealt = materials.redealt.get(facts.redealt_sha256)
    if key is None or redealt is None:
        raise WorkerError("a dealing is in the log and is not shown", "sharing_changed")
    return Dealing(recorded, key, Sharing.from_bytes(redealt))


def _policy(materials: Materials, digest: str) -> CustodyPolicy:
    text = materials.policies.get(digest)
    if text is None:
        raise WorkerError("the custody policy that decides is not shown", "custody_policy_changed")
    return parse_custody_policy(text)


def _sharing(untrusted: bytes, digest: str) -> Sharing:
    sharing = Sharing.from_bytes(untrusted)
    if sharing.digest.hex() != digest:
        raise WorkerError("the sharing is not the one that the job's worker made", "sharing_changed")
    return sharing
