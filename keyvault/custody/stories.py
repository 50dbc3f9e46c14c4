"""Who saw what, when, why, on whose approval: the statements of a record, followed in the order of the log.

Every statement is checked as if it came today: who signed it, whether the policy let them, whether what has
to stand before it in the log does. What does not hold is a finding; it is told all the same, since it
happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from keyvault.custody.auditing import Finding, Placed
from keyvault.custody.changed_hands import ChangedHands
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import CustodyPolicy, keys_sha256
from keyvault.custody.record import RECORD_KINDS, Record
from keyvault.custody.requests import check_request
from provenance.errors import FormatError, ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import (
    STATEMENTS,
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
    ResharingFacts,
)
from provenance.statements.fields import parse_instant

_KINDS: Final[dict[str, type[Facts]]] = {
    facts.kind(): facts for facts in STATEMENTS if facts.kind() in RECORD_KINDS
}


@dataclass(frozen=True)
class Event:
    """One statement, told.

    Attributes:
        log_index: its place.
        kind: of the entry.
        sha256: of its envelope, hex.
        by: who signed it: a name in the policy, "node", "worker", or the digest of the keys.
        at: its own word on when.
        says: its fields.
    """

    log_index: int
    kind: str
    sha256: str
    by: str
    at: str
    says: dict[str, Any]


@dataclass
class Story:
    """One request, and everything that became of it, in the order of the log.

    Attributes:
        asked: the request.
        policy: the name of the custody policy, where it is shown.
        events: what followed.
        state: released, cancelled or open, as far as the log says.
        approved_by: of a release: who had approved, by name.
        worker: the log's place of the evidence of the worker that released.
    """

    asked: Event
    policy: str
    events: list[Event] = field(default_factory=list)
    state: str = "open"
    approved_by: tuple[str, ...] = ()
    worker: int | None = None


@dataclass
class Told:
    """All that a record says.

    Attributes:
        stories: by the requests' hex digests, in the order of the log.
        others: erasures, consents and re-sharings, in the order of the log.
        findings: what does not hold.
    """

    stories: dict[str, Story] = field(default_factory=dict)
    others: list[Event] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def tell(record: Record, placed: tuple[Placed, ...], node: HybridPublicKey) -> Told:
    """Follows the statements of a record.

    Args:
        record: the policies are taken from it, each by its digest.
        placed: of `check_whole`.
        node: the service's own key, from the trust file.
    """
    teller = _Teller(record, node)
    for one in placed:
        teller.take(one)
    teller.end()
    return teller.told


@dataclass
class _Request:
    facts: DisclosureRequestFacts
    policy: CustodyPolicy | None
    requester: HybridPublicKey | None
    workers: dict[str, tuple[int, DisclosureWorkerFacts]] = field(default_factory=dict)
    approvals: dict[str, tuple[str, DisclosureApprovalFacts]] = field(default_factory=dict)
    decided: set[str] = field(default_factory=set)
    counted: bool = False


class _Teller:
    def __init__(self, record: Record, node: HybridPublicKey) -> None:
        self._record = record
        self._node = node
        self._requests: dict[str, _Request] = {}
        self._erased: dict[str, set[int]] = {}
        self._consents: dict[str, tuple[ConsentFacts, HybridPublicKey]] = {}
        self._withdrawn: dict[str, int] = {}
        self._hands = ChangedHands(record)
        self.told = Told()

    def take(self, placed: Placed) -> None:
        kind = _KINDS[placed.kind]
        try:
            facts = kind.from_statement(placed.shown.envelope.payload)
        except FormatError:
            self._find(
                "statement_malformed", "The statement is not of the kind that its entry names.", placed
            )
            return
        for code, message in self._checked(placed, facts):
            self._find(code, message, placed)

    def end(self) -> None:
        """What should have followed, and did not."""
        for consent, at in self._withdrawn.items():
            facts, _ = self._consents[consent]
            left = set(facts.tracks) - self._erased.get(facts.job_id, set())
            if left:
                self.told.findings.append(
                    Finding(
                        "withdrawal_without_erasure",
                        "The consent was withdrawn, and no erasure of its tracks is in the log.",
                        at,
                    )
                )

    def _checked(self, placed: Placed, facts: Facts) -> Iterator[tuple[str, str]]:
        match facts:
            case DisclosureRequestFacts():
                yield from self._request(placed, facts)
            case DisclosureWorkerFacts():
                yield from self._worker(placed, facts)
            case DisclosureApprovalFacts() | DisclosureDenialFacts():
                yield from self._decision(placed, facts)
            case DisclosureCancellationFacts():
                yield from self._cancellation(placed, facts)
            case DisclosureCountFacts():
                yield from self._count(placed, facts)
            case DisclosureReleaseFacts():
                yield from self._release(placed, facts)
            case _:
                yield from self._other(placed, facts)

    def _request(self, placed: Placed, facts: DisclosureRequestFacts) -> Iterator[tuple[str, str]]:
        name = placed.shown.envelope.digest.hex()
        policy = self._record.policies.get(facts.custody_policy_sha256)
        self._requests[name] = _Request(facts, policy, placed.shown.signer)
        entry = None if policy is None else policy.requesters.get(facts.requester_key_sha256)
        by = facts.requester_key_sha256 if entry is None else entry.name
        event = _event(placed, facts, by, facts.requested_at)
        self.told.stories[name] = Story(event, "" if policy is None else policy.name)
        decides = self._hands.policy_of(facts.job_id)
        if decides is not None and decides != facts.custody_policy_sha256:
            yield "request_other_policy", "The request is under a policy that no longer decided."
        if policy is None:
            yield "policy_missing", "The custody policy that the request names is not shown."
        elif placed.shown.signer is None:
            yield "signature_false", "Nobody is said to have signed this."
        else:
            try:
                check_request(policy, placed.shown.envelope, placed.shown.signer)
            except CustodianError as error:
                yield error.code, f"The request is against its policy: {error}."

    def _worker(self, placed: Placed, facts: DisclosureWorkerFacts) -> Iterator[tuple[str, str]]:
        request = self._requests.get(facts.request_sha256)
        self._add(facts.request_sha256, _event(placed, facts, "node", facts.admitted_at))
        yield from self._signed(placed, self._node)
        if request is None:
            yield _without_request()
        else:
            key = hashlib.sha256(facts.worker_hpke).hexdigest()
            request.workers[key] = placed.log_index, facts

    def _decision(
        self, placed: Placed, facts: DisclosureApprovalFacts | DisclosureDenialFacts
    ) -> Iterator[tuple[str, str]]:
        request = self._requests.get(facts.request_sha256)
        custodian = facts.custodian_key_sha256
        policy = None if request is None else request.policy
        entry = None if policy is None else policy.custodians.get(custodian)
        by = custodian if entry is None else entry.name
        at = facts.approved_at if isinstance(facts, DisclosureApprovalFacts) else facts.denied_at
        self._add(facts.request_sha256, _event(placed, facts, by, at))
        false = list(self._signed_by(placed, custodian))
        yield from false
        if request is None:
            yield _without_request()
            return
        if policy is not None and entry is None:
            yield "custodian_unknown", "The decision is by nobody whom the policy names."
        if custodian == request.facts.requester_key_sha256:
            yield "own_request", "Somebody decided on a request of their own."
        if custodian in request.decided:
            yield "decided_already", "A custodian decided twice on one request."
        elif not false and entry is not None and isinstance(facts, DisclosureApprovalFacts):
            if facts.worker_key_sha256 not in request.workers:
                yield (
                    "approval_other_worker",
                    "The approval is for a worker that is not in the log before it.",
                )
            elif not self._hands.note_approval(request.facts.job_id, facts.sharing_sha256):
                yield "approval_other_sharing", "The approval comes with a share that no longer counted."
            else:
                request.approvals[placed.shown.envelope.digest.hex()] = by, facts
        request.decided.add(custodian)

    def _cancellation(self, placed: Placed, facts: DisclosureCancellationFacts) -> Iterator[tuple[str, str]]:
        story = self.told.stories.get(facts.request_sha256)
        by = facts.requester_key_sha256 if story is None else story.asked.by
        self._add(facts.request_sha256, _event(placed, facts, by, facts.cancelled_at))
        yield from self._signed_by(placed, facts.requester_key_sha256)
        request = self._requests.get(facts.request_sha256)
        if request is None or story is None:
            yield _without_request()
        elif facts.requester_key_sha256 != request.facts.requester_key_sha256:
            yield "requester_unknown", "A request was taken back by somebody who had not made it."
        elif story.state == "open":
            story.state = "cancelled"

    def _count(self, placed: Placed, facts: DisclosureCountFacts) -> Iterator[tuple[str, str]]:
        request = self._requests.get(facts.request_sha256)
        self._add(facts.request_sha256, _event(placed, facts, "worker", ""))
        if request is None:
            yield _without_request()
        elif self._worker_that_signed(placed, request) is None:
            yield "signature_false", "The count is by no worker that is in the log for this request."
        else:
            request.counted = True

    def _release(self, placed: Placed, facts: DisclosureReleaseFacts) -> Iterator[tuple[str, str]]:
        request, story = self._requests.get(facts.request_sha256), self.told.stories.get(facts.request_sha256)
        self._add(facts.request_sha256, _event(placed, facts, "worker", facts.released_at))
        if request is None or story is None:
            yield (
                "release_without_request",
                "Something was released that nobody is on record to have asked for.",
            )
            return
        worker = self._worker_that_signed(placed, request)
        if worker is None:
            yield "signature_false", "The release is by no worker that is in the log for this request."
        if story.state != "open":
            yield f"released_after_{story.state}", f"The request was {story.state} before."
        if self._hands.overtaken(request.facts.job_id, story.asked.log_index):
            yield "released_after_resharing", "Custodians had dealt anew since this was asked for."
        if not request.counted:
            yield "release_without_count", "The worker released without a count in the log before it."
        yield from self._within(facts, request)
        approved = [request.approvals.get(digest) for digest in facts.approvals_sha256]
        if None in approved:
            yield (
                "release_without_approval",
                "The release names an approval that is not in the log before it.",
            )
        counted = [one for one in approved if one is not None]
        people = {one.custodian_key_sha256 for _, one in counted}
        if request.policy is not None and not request.policy.rule.is_met_by(people):
            yield (
                "quorum_not_met",
                "Fewer custodians approved than the policy asks for, or not the right ones.",
            )
        story.approved_by = tuple(sorted(name for name, _ in counted))
        story.state, story.worker = "released", None if worker is None else worker[0]

    def _within(self, facts: DisclosureReleaseFacts, request: _Request) -> Iterator[tuple[str, str]]:
        try:
            facts.require_within(request.facts)
        except FormatError as error:
            yield error.code, f"{error}."
        if set(facts.tracks) & self._erased.get(request.facts.job_id, set()):
            yield "released_after_erasure", "A track was released that had been erased before."
        if request.policy is not None:
            waited = parse_instant(facts.released_at) - parse_instant(request.facts.requested_at)
            if waited.total_seconds() < 60 * request.policy.requests.cool_off_minutes:
                yield (
                    "cool_off_short",
                    "The time between request and release was shorter than the policy asks for.",
                )

    def _other(self, placed: Placed, facts: Facts) -> Iterator[tuple[str, str]]:
        match facts:
            case ErasureFacts():
                self._erased.setdefault(facts.job_id, set()).update(facts.tracks)
                self.told.others.append(_event(placed, facts, "node", facts.erased_at))
                yield from self._signed(placed, self._node)
            case ConsentFacts():
                event = _event(placed, facts, facts.giver_key_sha256, facts.given_at)
                self.told.others.append(event)
                yield from self._signed_by(placed, facts.giver_key_sha256)
                if placed.shown.signer is not None:
                    self._consents[event.sha256] = facts, placed.shown.signer
            case ConsentWithdrawalFacts():
                self.told.others.append(_event(placed, facts, facts.giver_key_sha256, facts.withdrawn_at))
                yield from self._signed_by(placed, facts.giver_key_sha256)
                given = self._consents.get(facts.consent_sha256)
                if given is None:
                    yield (
                        "withdrawal_without_consent",
                        "A consent was withdrawn that is not in the log before.",
                    )
                elif given[0].giver_key_sha256 != facts.giver_key_sha256:
                    yield "withdrawal_by_another", "A consent was withdrawn by somebody who had not given it."
                else:
                    self._withdrawn[facts.consent_sha256] = placed.log_index
            case ResharingFacts():
                yield from self._dealing(placed, facts)
            case _:
                yield "statement_malformed", "A statement of this kind is not told here."

    def _dealing(self, placed: Placed, facts: ResharingFacts) -> Iterator[tuple[str, str]]:
        taken, wrong = self._hands.take(placed, facts)
        event = _event(placed, facts, taken.by, facts.dealt_at)
        event.says["policyName"] = taken.to
        event.says["isInForce"] = taken.step is not None
        if taken.step is not None:
            names = taken.step.left_policy.custodians
            event.says["handedOnBy"] = sorted(names[dealer].name for dealer in taken.step.dealings)
        self.told.others.append(event)
        yield from wrong or self._signed_by(placed, facts.custodian_key_sha256)

    def _signed(self, placed: Placed, key: HybridPublicKey) -> Iterator[tuple[str, str]]:
        try:
            placed.shown.envelope.verify(key)
        except ProvenanceError:
            yield "signature_false", "The statement is not signed by whom it names."

    def _signed_by(self, placed: Placed, named: str) -> Iterator[tuple[str, str]]:
        signer = placed.shown.signer
        if signer is None or keys_sha256(signer) != named:
            yield "signature_false", "The keys of who signed this are not shown."
        else:
            yield from self._signed(placed, signer)

    def _worker_that_signed(
        self, placed: Placed, request: _Request
    ) -> tuple[int, DisclosureWorkerFacts] | None:
        for at, facts in request.workers.values():
            if not list(self._signed(placed, facts.worker_key)):
                return at, facts
        return None

    def _add(self, request_sha256: str, event: Event) -> None:
        story = self.told.stories.get(request_sha256)
        (self.told.others if story is None else story.events).append(event)

    def _find(self, code: str, message: str, placed: Placed) -> None:
        self.told.findings.append(Finding(code, message, placed.log_index))


def _without_request() -> tuple[str, str]:
    return "request_missing", "The request that this is about is not in the log before it."


def _event(placed: Placed, facts: Facts, by: str, at: str) -> Event:
    says = facts.predicate()
    for name in ("workerHpke", "workerEd25519", "workerMldsa65", "recipient"):
        if name in says:  # Keys, named by their digest: nobody reads two kilobytes of one.
            says[name] = "sha256:" + hashlib.sha256(str(says[name]).encode()).hexdigest()
    return Event(placed.log_index, placed.kind, placed.shown.envelope.digest.hex(), by, at, says)
