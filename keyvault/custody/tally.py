"""A disclosure worker's side: counts recorded decisions in the order of the log, then rebuilds the secret.

A state machine without input or output. Every decision is refused or counted; nothing of a share is looked at
before the request, the log and the quorum are right, and a share is believed only against the commitments.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from keyvault.custody.decisions import require_fitting, require_not_own
from keyvault.custody.errors import CustodianError
from keyvault.custody.history import History, Recorded
from keyvault.custody.policy import CustodyPolicy, keys_sha256
from keyvault.custody.requests import Request
from keyvault.custody.seals import approved_info, open_in_worker
from keyvault.custody.sharing import Share, Sharing
from keyvault.custody.witnessed import Witnessed
from keyvault.release import OneJobKey
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import (
    STATEMENTS,
    DisclosureApprovalFacts,
    DisclosureCancellationFacts,
    DisclosureDenialFacts,
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    ErasureFacts,
    Facts,
    JobFacts,
    ResharingFacts,
)
from provenance.statements.fields import parse_instant

_FACTS: Final = {facts.kind(): facts for facts in STATEMENTS}


@dataclass(frozen=True)
class Moment:
    """The present, as far as the worker knows it: it has no clock that its operator cannot set.

    Attributes:
        earliest: it is not before this; counts for the cool-off.
        latest: it is not after this; counts for the expiry.
    """

    earliest: datetime
    latest: datetime


@dataclass(frozen=True)
class _Approved:
    sealed_share: bytes = field(repr=False)
    envelope_sha256: str
    log_index: int


class Tally:
    """The decisions on one request.

    Args:
        policy: the one that the job's statement or its last recorded re-sharing names.
        sharing: likewise.
        request: passed `check_request` under this policy.
        seen: where the log has it.
        one_job_key: the worker's own.

    Raises:
        CustodianError: sharing_invalid; decision_other_request, `seen` is of another statement.
    """

    def __init__(
        self,
        policy: CustodyPolicy,
        sharing: Sharing,
        request: Request,
        seen: Witnessed,
        one_job_key: OneJobKey,
    ) -> None:
        require_fitting(policy, sharing, request)
        if seen.statement.digest != request.digest or seen.kind != DisclosureRequestFacts.kind():
            raise _other_request()
        self._policy = policy
        self._sharing = sharing
        self._request = request
        self._seen = seen
        self._one_job_key = one_job_key
        self._worker_key_sha256 = hashlib.sha256(one_job_key.public_key).hexdigest()
        self._last_index = seen.log_index
        self._taken = {(seen.log_index, seen.statement.digest)}
        self._approved: dict[str, _Approved] = {}
        self._denied: set[str] = set()
        self._blamed: dict[str, CustodianError] = {}

    def take_approval(self, recorded: Witnessed, custodian_key: HybridPublicKey, sealed_share: bytes) -> None:
        """Counts an approval.

        Args:
            recorded: later in the log than everything that was taken before.
            custodian_key: whose it is said to be.
            sealed_share: the share that it names.

        Raises:
            CustodianError: decision_invalid, decision_other_request, decision_out_of_order, decided_already,
                custodian_unknown, own_request, approval_other_worker, approval_other_sharing,
                approval_share_changed, request_expired. It is not counted, and the tally stands as before.
        """
        try:
            facts = DisclosureApprovalFacts.from_statement(recorded.statement.verify(custodian_key))
        except ProvenanceError:
            raise _no_decision() from None
        custodian = self._require_countable(
            recorded,
            DisclosureApprovalFacts.kind(),
            facts.request_sha256,
            facts.custodian_key_sha256,
            custodian_key,
        )
        if facts.worker_key_sha256 != self._worker_key_sha256:
            raise CustodianError(
                "approval_other_worker", "the approval is for another disclosure worker", custodian
            )
        if facts.sharing_sha256 != self._sharing.digest.hex():
            raise CustodianError(
                "approval_other_sharing", "the approval comes with a share of an older sharing", custodian
            )
        if facts.share_sha256 != hashlib.sha256(sealed_share).hexdigest():
            raise CustodianError(
                "approval_share_changed", "the sealed share is not the one that was approved", custodian
            )
        approved_at = parse_instant(facts.approved_at)
        self._request.require_open(approved_at, approved_at)
        self._approved[custodian] = _Approved(
            sealed_share, recorded.statement.digest.hex(), recorded.log_index
        )
        self._note(recorded)

    def take_denial(self, recorded: Witnessed, custodian_key: HybridPublicKey) -> None:
        """Counts a denial; its custodian can no longer approve this request.

        Raises:
            CustodianError: as for an approval.
        """
        try:
            facts = DisclosureDenialFacts.from_statement(recorded.statement.verify(custodian_key))
        except ProvenanceError:
            raise _no_decision() from None
        custodian = self._require_countable(
            recorded,
            DisclosureDenialFacts.kind(),
            facts.request_sha256,
            facts.custodian_key_sha256,
            custodian_key,
        )
        self._denied.add(custodian)
        self._note(recorded)

    @property
    def approvals_sha256(self) -> tuple[str, ...]:
        """What a release names: digests of the approvals' envelopes, sorted."""
        return tuple(sorted(item.envelope_sha256 for item in self._approved.values()))

    @property
    def blamed(self) -> dict[str, str]:
        """Who approved and then gave no true share, and the code of what was wrong; after `rebuild`."""
        return {custodian: defect.code for custodian, defect in self._blamed.items()}

    def rebuild(self, history: History, now: Moment) -> bytes:
        """Opens the shares and puts the secret together. A false one is left out where the others suffice.

        Args:
            history: the log from the job to an end that is as new as the caller can demand.
            now: from witnesses or a time-stamping authority, over something that this worker drew.

        Returns:
            The secret, for `sharing.recovery_key`.

        Raises:
            CustodianError: history_incomplete, request_cancelled, request_released, request_erased,
                request_reshared, decision_left_out, request_not_yet, request_expired, cool_off_running,
                request_denied (those who are left cannot agree any more), quorum_not_met, share_seal_broken,
                share_invalid or share_false, naming the custodian.
        """
        self._require_unanswered(history)
        self._request.require_open(now.earliest, now.latest)
        # From the latest time at which a witness may have seen it first: backdating gains nothing.
        if now.earliest - self._seen.latest < timedelta(minutes=self._policy.requests.cool_off_minutes):
            raise CustodianError("cool_off_running", "the time between request and release is not over")
        if not self._policy.rule.is_met_by(self._approved):
            if not self._policy.rule.is_met_by(self._policy.custodians.keys() - self._denied):
                raise CustodianError("request_denied", "too many custodians have denied the request")
            raise CustodianError("quorum_not_met", "too few custodians, or not the right ones, agree")
        shares = dict(self._true_shares())
        if self._blamed and not self._policy.rule.is_met_by(shares):
            raise next(iter(self._blamed.values()))
        return self._sharing.rebuild(shares)

    def _note(self, recorded: Witnessed) -> None:
        self._last_index = recorded.log_index
        self._taken.add((recorded.log_index, recorded.statement.digest))

    def _require_unanswered(self, history: History) -> None:
        """Checks that nothing in the log ends the request. Signatures are not asked for: the log's operator
        could only add what ends it, and has simpler ways to refuse."""
        asked, own = self._request.facts, self._request.digest.hex()
        begins = history.first.kind == JobFacts.kind()
        if not begins or history.first.statement.digest.hex() != asked.job_statement_sha256:
            raise CustodianError("history_incomplete", "the log is not shown from the job of the request on")
        # In another view of the log, or one that ends too early, these are somewhere else or nowhere.
        if not self._taken <= {(one.log_index, one.statement.digest) for one in history.recorded}:
            raise CustodianError("history_incomplete", "the log is shown without decisions that were taken")
        for recorded in history.recorded:
            match _facts_of(recorded):
                case DisclosureReleaseFacts(request_sha256=digest) if digest == own:
                    raise CustodianError("request_released", "the request was answered before")
                case DisclosureCancellationFacts(request_sha256=digest) if digest == own:
                    raise CustodianError("request_cancelled", "the request was taken back by who made it")
                case ErasureFacts(job_id=asked.job_id, tracks=erased) if set(erased) & set(asked.tracks):
                    raise CustodianError("request_erased", "a track that is asked for was erased since")
                case ResharingFacts(job_id=asked.job_id) if recorded.log_index > self._seen.log_index:
                    raise CustodianError("request_reshared", "the custodians changed their shares; ask again")
                case DisclosureDenialFacts(request_sha256=digest, custodian_key_sha256=custodian) if (
                    digest == own and self._approved_after(custodian, recorded.log_index)
                ):
                    raise CustodianError(
                        "decision_left_out", "somebody who approved had denied before", custodian
                    )

    def _approved_after(self, custodian: str, log_index: int) -> bool:
        approved = self._approved.get(custodian)
        return approved is not None and approved.log_index > log_index

    def _true_shares(self) -> Iterator[tuple[str, Share]]:
        for custodian, approved in self._approved.items():
            info = approved_info(self._sharing, self._request.digest, custodian)
            try:
                share = open_in_worker(approved.sealed_share, self._one_job_key, info)
                self._sharing.require_true(custodian, share)
                yield custodian, share
            except CustodianError as defect:
                # The custodian signed for this very ciphertext, so whatever is wrong with it is theirs.
                self._blamed[custodian] = CustodianError(defect.code, str(defect), custodian)

    def _require_countable(
        self,
        recorded: Witnessed,
        kind: str,
        request_sha256: str,
        custodian: str,
        custodian_key: HybridPublicKey,
    ) -> str:
        if recorded.kind != kind or custodian != keys_sha256(custodian_key):
            raise _no_decision()
        if request_sha256 != self._request.digest.hex():
            raise _other_request()
        if custodian not in self._policy.custodians:
            raise CustodianError("custodian_unknown", "these keys are of no custodian of this policy")
        require_not_own(self._request, custodian)
        if custodian in self._approved or custodian in self._denied:
            raise CustodianError("decided_already", "a custodian decides once on a request", custodian)
        if recorded.log_index <= self._last_index:
            raise CustodianError("decision_out_of_order", "decisions are counted in the order of the log")
        return custodian


def _facts_of(recorded: Recorded) -> Facts | None:
    """What a recorded statement says; one that cannot be read under its kind says nothing."""
    try:
        return _FACTS[recorded.kind].from_statement(recorded.statement.payload)
    except ProvenanceError:
        return None


def _no_decision() -> CustodianError:
    return CustodianError(
        "decision_invalid", "this is no such decision, or not signed by who is said to decide"
    )


def _other_request() -> CustodianError:
    return CustodianError("decision_other_request", "the decision is on another request, or on a changed one")
