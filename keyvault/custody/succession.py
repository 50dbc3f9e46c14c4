"""Who decides about a job now: the custodians that its worker named, or those to whom a quorum handed on.

One begins with what the job's worker signed and takes dealings in the order of the log. The first quorum of
those who decide so far makes the next sharing, under the policy that they named; dealings that come from
shares that are left by then count for nothing. Worker, front desk and custodians all follow this one rule.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import Dealing, require_dealer, take_over
from keyvault.custody.policy import CustodyPolicy, keys_sha256
from keyvault.custody.sharing import Sharing
from provenance.statements import ResharingFacts


@dataclass(frozen=True)
class Step:
    """One hand-over that is complete.

    Attributes:
        log_index: of the dealing that completed it.
        left_policy: that decided before.
        left: the sharing before.
        dealings: that made it, by the dealer's digest; exactly a quorum.
        policy: that decides from there on.
        sharing: that it made.
    """

    log_index: int
    left_policy: CustodyPolicy
    left: Sharing
    dealings: Mapping[str, Dealing]
    policy: CustodyPolicy
    sharing: Sharing


class Succession:
    """Follows one job's custody.

    Args:
        policy: that the job came with.
        sharing: that its worker made.
        job_id: 16 bytes.

    Attributes:
        policy: that decides after all that was taken.
        sharing: likewise.
        steps: hand-overs so far, in the order of the log.
    """

    def __init__(self, policy: CustodyPolicy, sharing: Sharing, job_id: bytes) -> None:
        self.policy = policy
        self.sharing = sharing
        self.steps: list[Step] = []
        self._job_id = job_id
        self._waiting: dict[bytes, dict[str, Dealing]] = {}

    def concerns(self, facts: ResharingFacts) -> bool:
        """Whether a dealing divides a share of this job that counts now."""
        return (facts.job_id, facts.sharing_sha256) == (self._job_id.hex(), self.sharing.digest.hex())

    def require(self, policy: CustodyPolicy, dealing: Dealing) -> None:
        """Checks a dealing that may be the next.

        Args:
            policy: to which it hands on.
            dealing: the statement, its key, and the public part.

        Raises:
            CustodianError: as `require_dealer`; dealt_already, the same dealer under the same policy.
        """
        dealer = keys_sha256(dealing.key)
        require_dealer(self.policy, self.sharing, self._job_id, policy, dealer, dealing)
        if dealer in self._waiting.get(policy.digest, {}):
            raise CustodianError("dealt_already", "a custodian deals once to one policy", dealer)

    def take(self, policy: CustodyPolicy, dealing: Dealing) -> Step | None:
        """Takes the next dealing in the order of the log.

        Returns:
            The hand-over that it completes; None while it takes more dealers.

        Raises:
            CustodianError: as `require`; then it is as if there were no such dealing.
        """
        self.require(policy, dealing)
        together = self._waiting.setdefault(policy.digest, {})
        together[keys_sha256(dealing.key)] = dealing
        if not self.policy.rule.is_met_by(together):
            return None
        # Of more than it takes, those whom the rule takes.
        quorum = {name: together[name] for name in self.policy.rule.weights(together)}
        made = take_over(self.policy, self.sharing, self._job_id, policy, quorum)
        step = Step(dealing.recorded.log_index, self.policy, self.sharing, quorum, policy, made)
        self.policy, self.sharing, self._waiting = policy, made, {}
        self.steps.append(step)
        return step

    def dealers(self, policy: CustodyPolicy) -> frozenset[str]:
        """Who has dealt to a policy that is not in force yet."""
        return frozenset(self._waiting.get(policy.digest, {}))

    def dealings_of(self, dealer: str) -> int:
        """To how many policies somebody has dealt from the shares that count now."""
        return sum(dealer in together for together in self._waiting.values())

    def at(self, log_index: int) -> tuple[CustodyPolicy, Sharing]:
        """What decided at a place in the log."""
        for step in self.steps:
            if log_index < step.log_index:
                return step.left_policy, step.left
        return self.policy, self.sharing
