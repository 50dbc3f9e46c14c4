"""Re-sharing at the desk: who decides about a job now, and what its custodians dealt to make it so.

Custodians change who custodians are, and nobody else does: what counts is their statements in the log,
taken by the same rule as in a disclosure worker (`keyvault.custody.succession`). The desk keeps the rest.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

from grpc_api.disclosures.book import Book, Written
from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.errors import exhausted, precondition
from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import Dealing
from keyvault.custody.holding import part_digests, part_for, parts_digest, require_parts
from keyvault.custody.policy import CustodyPolicy, keys_sha256, parse_custody_policy
from keyvault.custody.sharing import MAX_SHARING_BYTES, Sharing
from keyvault.custody.succession import Step, Succession
from keyvault.custody.witnessed import Witnessed
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import ResharingFacts

MAX_POLICIES: Final = 16
"""To which the custodians of one job ever dealt: a disclosure worker reads no more."""

MAX_DEALINGS: Final = 2
"""Of one custodian from one share, each to another policy: a hand-over may come to nothing, once."""

MAX_DEALINGS_OF_JOB: Final = 512
"""From first to last: a disclosure worker is shown the public part of every one."""


@dataclass(frozen=True)
class Dealt:
    """A recorded dealing with what the desk keeps of it.

    Attributes:
        written: the statement, with all sealed parts.
        policy: to which it deals.
        redealt: the public part, canonical JSON.
    """

    written: Written
    policy: CustodyPolicy
    redealt: bytes

    @property
    def part_digests(self) -> bytes:
        """The digests of all parts; with them each custodian checks their own."""
        return part_digests(self.written.sealed_share)

    def part_for(self, custodian: str) -> bytes:
        """What is sealed to a custodian; empty where nothing is."""
        return part_for(self.written.sealed_share, self.policy, custodian)


class Successions:
    """Follows the custody of every job. Safe for threads.

    Args:
        book: statements, and what was dealt.
        kept: what jobs left behind.
    """

    def __init__(self, book: Book, kept: KeptStore) -> None:
        self._book = book
        self._kept = kept

    def dealings(self, job_id: str) -> list[Dealt]:
        """What was dealt anew of a job, in the order of the log; true or not, it is on record."""
        return list(self._dealings(job_id))

    def of(self, kept: Kept) -> Succession:
        """Who decides about a job now, and how that came to be."""
        succession, _ = self._followed(kept)
        return succession

    def now(self, job_id: str) -> Kept:
        """What is kept of a job, with the policy and the sharing that count now.

        Raises:
            ServiceError: `nothing_kept`.
        """
        kept = self._kept.get(job_id)
        succession = self.of(kept)
        if not succession.steps:
            return kept
        return replace(
            kept, custody_policy=succession.policy.text, sharing=succession.sharing.to_bytes(), shares={}
        )

    def seats(self, kept: Kept) -> set[str]:
        """Whom any policy of a job gives a part: the first one, later ones, and those that are dealt to."""
        policies = [kept.policy, *(one.policy for one in self._dealings(kept.job_id))]
        return {keys for policy in policies for keys in (*policy.custodians, *policy.requesters)}

    def check(
        self,
        kept: Kept,
        untrusted: Envelope,
        dealer: HybridPublicKey,
        untrusted_redealt: bytes,
        untrusted_policy: str,
        untrusted_parts: bytes,
    ) -> CustodyPolicy:
        """Checks a dealing before it may go into the log; parts are checked by who opens them.

        Returns:
            The policy that it deals to.

        Raises:
            CustodianError: as `Succession.require`; custody_policy_invalid, sharing_invalid, rule_invalid,
                point_invalid or sealed_share_invalid.
            ServiceError: `dealing_stale`, `too_many_resharings`.
        """
        if len(untrusted_redealt) > MAX_SHARING_BYTES:
            raise CustodianError("sharing_invalid", "the public part of a dealing is too large")
        policy = parse_custody_policy(untrusted_policy)
        require_parts(untrusted_parts, policy)
        dealing = _dealing(untrusted, 0, dealer, untrusted_redealt)
        facts = _facts(untrusted)
        if facts.parts_sha256 != parts_digest(part_digests(untrusted_parts)):
            raise CustodianError("dealing_other", "these are not the parts that the dealer signed for")
        succession, policies = self._followed(kept)
        if facts.sharing_sha256 in {step.left.digest.hex() for step in succession.steps}:
            raise precondition("dealing_stale", "These shares were handed on already; others decide now.")
        succession.require(policy, dealing)
        name = keys_sha256(dealer)
        if (
            succession.dealings_of(name) >= MAX_DEALINGS
            or len(policies | {policy.digest}) > MAX_POLICIES
            or len(self.dealings(kept.job_id)) >= MAX_DEALINGS_OF_JOB
        ):
            raise exhausted(
                "too_many_resharings", "The shares of this job were dealt anew too often already."
            )
        return policy

    def complete(self, kept: Kept, log_index: int) -> Step | None:
        """The hand-over that the newest dealing completed, if it did: the shares that are left go with it."""
        steps = self.of(kept).steps
        if not steps or steps[-1].log_index != log_index:
            return None
        made = {one.recorded.statement.digest for one in steps[-1].dealings.values()}
        for one in self.dealings(kept.job_id):
            if one.written.envelope.digest not in made:
                self._book.forget_parts(one.written.envelope)
        if kept.shares:
            self._kept.keep(replace(kept, shares={}))
        return steps[-1]

    def _followed(self, kept: Kept) -> tuple[Succession, set[bytes]]:
        succession = Succession(kept.policy, kept.divided, bytes.fromhex(kept.job_id))
        policies = set()
        for one in self._dealings(kept.job_id):
            policies.add(one.policy.digest)
            written = one.written
            if written.signer is None or not succession.concerns(_facts(written.envelope)):
                continue
            with suppress(CustodianError):
                index = written.log_index or 0
                succession.take(one.policy, _dealing(written.envelope, index, written.signer, one.redealt))
        return succession, policies

    def _dealings(self, job_id: str) -> Iterator[Dealt]:
        for written in self._book.about(job_id, ResharingFacts.kind()):
            redealt = self._book.redealt(written.envelope)
            policy = self._book.policy(_facts(written.envelope).custody_policy_sha256)
            if redealt is not None and policy is not None:
                yield Dealt(written, policy, redealt)


def _facts(envelope: Envelope) -> ResharingFacts:
    try:
        return ResharingFacts.from_statement(envelope.payload)
    except ProvenanceError:
        raise CustodianError("decision_invalid", "this is no dealing") from None


def _dealing(envelope: Envelope, log_index: int, key: HybridPublicKey, redealt: bytes) -> Dealing:
    # The desk's own log, so its own clock: witnesses' times play no part in who decides.
    now = datetime.now(UTC)
    recorded = Witnessed(envelope, ResharingFacts.kind(), log_index, now, now)
    return Dealing(recorded, key, Sharing.from_bytes(redealt))
