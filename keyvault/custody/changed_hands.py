"""Re-sharings as an audit follows them: who dealt what to whom, and from when on others decide.

The job's own statement is no part of a record, so a chain begins with the sharing that approvals before it
name, or else its first dealing, and with a policy of that very rule. From there on nothing is taken on trust:
every dealing is checked as custodians and disclosure workers check it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keyvault.custody.auditing import Placed
from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import Dealing
from keyvault.custody.policy import CustodyPolicy
from keyvault.custody.record import Record
from keyvault.custody.sharing import Sharing, job_context
from keyvault.custody.succession import Step, Succession
from keyvault.custody.witnessed import Witnessed
from provenance.statements import ResharingFacts
from provenance.statements.fields import parse_instant


@dataclass(frozen=True)
class Taken:
    """What an audit makes of one dealing.

    Attributes:
        by: the dealer's name in the policy that decided; their digest where it is not known.
        to: the name of the policy that is dealt to; empty where it is not shown.
        step: the hand-over that it completed, if it did.
    """

    by: str
    to: str
    step: Step | None


class ChangedHands:
    """Follows the custody of every job in a record.

    Args:
        record: policies and public parts are taken from it, each by its digest.
    """

    def __init__(self, record: Record) -> None:
        self._record = record
        self._jobs: dict[str, Succession] = {}
        self._last: dict[str, int] = {}
        self._approved: dict[str, str] = {}

    def take(self, placed: Placed, facts: ResharingFacts) -> tuple[Taken, list[tuple[str, str]]]:
        """Takes the next dealing of the log; its signature is checked, too.

        Returns:
            What it is, and what of it does not hold: codes and sentences.
        """
        self._last[facts.job_id] = placed.log_index
        policy = self._record.policies.get(facts.custody_policy_sha256)
        redealt = self._record.sharings.get(facts.redealt_sha256)
        succession = self._jobs.get(facts.job_id) or self._begun(facts)
        by, to = facts.custodian_key_sha256, "" if policy is None else policy.name
        if policy is None or redealt is None or succession is None or placed.shown.signer is None:
            return Taken(by, to, None), [
                ("dealing_not_shown", "What a custodian dealt, from what, or to which policy is not shown.")
            ]
        entry = succession.policy.custodians.get(by)
        by = by if entry is None else entry.name
        if not succession.concerns(facts):
            return Taken(by, to, None), [
                ("dealing_stale", "Somebody dealt from shares that were not those that counted.")
            ]
        at = parse_instant(facts.dealt_at)
        recorded = Witnessed(placed.shown.envelope, placed.kind, placed.log_index, at, at)
        try:
            step = succession.take(policy, Dealing(recorded, placed.shown.signer, redealt))
        except CustodianError as error:
            return Taken(by, to, None), [(error.code, f"A dealing does not hold: {error}.")]
        return Taken(by, to, step), []

    def note_approval(self, job_id: str, sharing_sha256: str) -> bool:
        """Takes an approval's word on its share; whether that is of the sharing that counts."""
        succession = self._jobs.get(job_id)
        if succession is None:
            return self._approved.setdefault(job_id, sharing_sha256) == sharing_sha256
        return succession.sharing.digest.hex() == sharing_sha256

    def overtaken(self, job_id: str, log_index: int) -> bool:
        """Whether custodians dealt anew after a place in the log: what was asked for before has ended."""
        return self._last.get(job_id, -1) > log_index

    def policy_of(self, job_id: str) -> str | None:
        """The digest of the policy that decides now, for a job whose custody changed hands."""
        succession = self._jobs.get(job_id)
        if succession is None or not succession.steps:
            return None
        return succession.policy.digest.hex()

    def _begun(self, facts: ResharingFacts) -> Succession | None:
        first = self._record.sharings.get(facts.sharing_sha256)
        job_id = bytes.fromhex(facts.job_id)
        if self._approved.get(facts.job_id, facts.sharing_sha256) != facts.sharing_sha256:
            return None
        if first is None or first.context != job_context(job_id):
            return None
        for policy in self._policies_of(first):
            self._jobs[facts.job_id] = Succession(policy, first, job_id)
            return self._jobs[facts.job_id]
        return None

    def _policies_of(self, sharing: Sharing) -> Iterator[CustodyPolicy]:
        """Policies of that very rule: they name the same custodians, and whose agreement suffices."""
        return (policy for policy in self._record.policies.values() if policy.rule == sharing.rule)
