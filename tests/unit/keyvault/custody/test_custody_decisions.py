"""Requests, decisions and their tally: who, what, when, in which order, and out of which log."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from keyvault.custody import group
from keyvault.custody.decisions import Approval
from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import sign_dealing
from keyvault.custody.history import History, read_history
from keyvault.custody.policy import parse_custody_policy
from keyvault.custody.requests import cancel, check_request
from keyvault.custody.resharing import new_sharing, redeal
from keyvault.custody.seals import approved_info, seal_to_worker
from keyvault.custody.sharing import Share, deal, job_context, recovery_key
from keyvault.custody.tally import Moment, Tally
from keyvault.custody.witnessed import require_witnessed
from keyvault.errors import KeyvaultError
from keyvault.release import OneJobKey
from provenance.checklist import VerificationError
from provenance.dsse import Envelope, sign_envelope
from provenance.entry import Entry
from provenance.errors import ProvenanceError
from provenance.log import TransparencyLog
from provenance.statements import (
    DisclosureApprovalFacts,
    DisclosureReleaseFacts,
    ErasureFacts,
    Facts,
)
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    JOB_ID,
    LAWYERS,
    Disclosure,
    WitnessedLog,
    custody_policy,
    job_statement,
    person,
    signed_request,
    taken_request,
)
from tests.unit.provenance.provenance_makers import TestLogKeys
from tests.unit.provenance.witness_makers import WITNESSES, cosigned

LATER = ASKED_AT + timedelta(hours=2)


def at(moment: datetime) -> Moment:
    return Moment(moment, moment)


def tally_of(case: Disclosure) -> Tally:
    return Tally(custody_policy(), case.dealt.sharing, case.request, case.seen, case.worker)


def rebuild(case: Disclosure, tally: Tally, moment: Moment) -> bytes:
    """With the log as it is now."""
    return tally.rebuild(case.log.history(job_statement()), moment)


def give(case: Disclosure, tally: Tally, name: str, approval: Approval | None = None) -> None:
    """Has somebody approve, records it, and has it counted."""
    made = approval or case.approval(name)
    recorded = case.log.record(made.envelope, "disclosure-approval")
    tally.take_approval(recorded, person(name).signer.public, made.sealed_share)


def give_no(case: Disclosure, tally: Tally, name: str) -> None:
    recorded = case.log.record(case.denial(name), "disclosure-denial")
    tally.take_denial(recorded, person(name).signer.public)


@pytest.fixture
def case(tmp_path: Path) -> Disclosure:
    return Disclosure.begin(tmp_path)


# Requests.

BAD_REQUESTS: dict[str, tuple[str, dict[str, Any]]] = {
    "another policy": ("request_other_policy", {"custody_policy_sha256": "0" * 64}),
    "somebody else's name": ("requester_unknown", {"requester_key_sha256": "0" * 64}),
    "another requester's name": ("requester_unknown", {"requester_key_sha256": person("ada").digest}),
    "a purpose that the policy does not take": ("purpose_not_allowed", {"purpose": "source_request"}),
    "a legal basis that it does not take": ("legal_basis_not_allowed", {"legal_basis": "public_interest"}),
    "three tracks": ("scope_too_wide", {"tracks": (1, 2, 3)}),
    "thirty-one seconds": ("scope_too_wide", {"stretches": ((0, 31_000),)}),
    "thirty-one seconds in two stretches": ("scope_too_wide", {"stretches": ((0, 20_000), (30_000, 41_000))}),
    "four days": ("request_too_long", {"expires_at": "2026-11-25T12:00:00Z"}),
}


@pytest.mark.parametrize("name", BAD_REQUESTS)
def test_a_request_beyond_the_policy_is_refused(name: str) -> None:
    code, changes = BAD_REQUESTS[name]
    with pytest.raises(CustodianError) as refused:
        taken_request(**changes)
    assert refused.value.code == code


def test_the_widest_request_is_taken() -> None:
    widest = {"tracks": (1, 2), "stretches": ((0, 30_000),), "expires_at": "2026-11-24T12:00:00Z"}
    assert taken_request(**widest).facts.tracks == (1, 2)


def test_a_requester_has_purposes_of_their_own() -> None:
    own = {"requester_key_sha256": person("ada").digest}
    assert taken_request("ada", purpose="medical_care", **own).facts.purpose == "medical_care"
    with pytest.raises(CustodianError) as refused:
        taken_request("ada", purpose="court_order", **own)
    assert refused.value.code == "purpose_not_allowed"


def test_a_request_signed_by_somebody_else_is_refused() -> None:
    with pytest.raises(CustodianError) as refused:
        check_request(custody_policy(), signed_request("mallory"), person("desk").signer.public)
    assert refused.value.code == "request_invalid"
    with pytest.raises(CustodianError) as refused:
        check_request(custody_policy(), signed_request("mallory"), person("mallory").signer.public)
    assert refused.value.code == "requester_unknown"


# A whole disclosure.


def test_an_editor_and_two_lawyers_rebuild_the_key(case: Disclosure) -> None:
    tally = tally_of(case)
    for name in ("ada", "chloe", "eve"):
        give(case, tally, name)
    secret = rebuild(case, tally, at(LATER))
    assert secret == case.dealt.secret
    assert len(recovery_key(secret, job_context(JOB_ID))) == 32
    assert len(tally.approvals_sha256) == 3
    assert tally.blamed == {}


NOT_ENOUGH = {
    "nobody": (),
    "an editor alone": ("ada",),
    "both editors and a lawyer": ("ada", "ben", "chloe"),
    "all lawyers": LAWYERS,
}


@pytest.mark.parametrize("name", NOT_ENOUGH)
def test_the_wrong_ones_do_not(name: str, case: Disclosure) -> None:
    tally = tally_of(case)
    for approving in NOT_ENOUGH[name]:
        give(case, tally, approving)
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(LATER))
    assert refused.value.code == "quorum_not_met"


def test_enough_denials_end_a_request(case: Disclosure) -> None:
    tally = tally_of(case)
    for name in ("ada", "chloe"):
        give(case, tally, name)
    give_no(case, tally, "dan")
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(LATER))
    assert refused.value.code == "quorum_not_met"
    give_no(case, tally, "eve")
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(LATER))
    assert refused.value.code == "request_denied"


MOMENTS = {
    "before it was made": ("request_not_yet", at(ASKED_AT - timedelta(seconds=1))),
    "a second before the cool-off is over": (
        "cool_off_running",
        at(ASKED_AT + timedelta(minutes=59, seconds=59)),
    ),
    "when it expires": ("request_expired", at(ASKED_AT + timedelta(hours=24))),
    "perhaps expired": ("request_expired", Moment(LATER, ASKED_AT + timedelta(hours=25))),
    "perhaps cooled off": ("cool_off_running", Moment(ASKED_AT, LATER)),
    "backwards": ("request_expired", Moment(LATER, LATER - timedelta(minutes=1))),
}


@pytest.mark.parametrize("name", MOMENTS)
def test_nothing_is_released_too_early_or_too_late(name: str, case: Disclosure) -> None:
    code, moment = MOMENTS[name]
    tally = tally_of(case)
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, moment)
    assert refused.value.code == code
    assert rebuild(case, tally, at(ASKED_AT + timedelta(hours=1))) == case.dealt.secret


def test_the_cool_off_begins_with_the_record_and_not_with_the_date_on_the_request(tmp_path: Path) -> None:
    case = Disclosure.begin(tmp_path, requested_at="2026-11-21T10:00:00Z")
    tally = tally_of(case)
    for name in ("ada", "chloe", "eve"):
        give(case, tally, name)
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(ASKED_AT + timedelta(minutes=30)))
    assert refused.value.code == "cool_off_running"


def test_a_lying_custodian_is_named_and_left_out_where_the_others_suffice(case: Disclosure) -> None:
    tally = tally_of(case)
    lie = case.approval("dan")
    false = Share(group.random_scalar(), group.random_scalar())
    info = approved_info(case.dealt.sharing, case.request.digest, person("dan").digest)
    sealed = seal_to_worker(false, case.worker.public_key, info)
    facts = DisclosureApprovalFacts.from_statement(lie.envelope.payload)
    signed = sign_envelope(
        dataclasses.replace(facts, share_sha256=_sha256(sealed)).to_statement(), person("dan").signer
    )
    for name in ("ada", "chloe"):
        give(case, tally, name)
    give(case, tally, "dan", Approval(signed, sealed))
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(LATER))
    assert (refused.value.code, refused.value.custodian) == ("share_false", person("dan").digest)
    give(case, tally, "eve")
    assert rebuild(case, tally, at(LATER)) == case.dealt.secret
    assert tally.blamed == {person("dan").digest: "share_false"}


# Approvals that do not count.


def _sha256(raw: bytes) -> str:
    import hashlib

    return hashlib.sha256(raw).hexdigest()


def _resigned(approval: Approval, by: str, **changes: str) -> Approval:
    facts = DisclosureApprovalFacts.from_statement(approval.envelope.payload)
    changed = dataclasses.replace(facts, **changes)
    return Approval(sign_envelope(changed.to_statement(), person(by).signer), approval.sealed_share)


def _other_request(case: Disclosure) -> Approval:
    """An approval of the same words, signed once more: another envelope, so another request."""
    other = check_request(custody_policy(), signed_request(tracks=(1,)), person("desk").signer.public)
    return case.approval("ada", request=other)


def _other_sharing(case: Disclosure) -> Approval:
    """The share of a sharing that was left since."""
    dealers = [person(name).digest for name in ("ada", "chloe", "dan")]
    old, rule = case.dealt, custody_policy().rule
    redeals = {one: redeal(old.sharing, one, old.shares[one], rule).sharing for one in dealers}
    newer = new_sharing(old.sharing, redeals)
    return _resigned(case.approval("ada"), "ada", sharing_sha256=newer.digest.hex())


COUNTLESS: dict[str, tuple[str, Callable[[Disclosure], Approval]]] = {
    "by a stranger": (
        "custodian_unknown",
        lambda case: _resigned(
            case.approval("ada"), "mallory", custodian_key_sha256=person("mallory").digest
        ),
    ),
    "in another's name": ("decision_invalid", lambda case: _resigned(case.approval("ben"), "ada")),
    "signed by another": ("decision_invalid", lambda case: _resigned(case.approval("ada"), "ben")),
    "of another request": ("decision_other_request", _other_request),
    "for another worker": (
        "approval_other_worker",
        lambda case: case.approval("ada", worker_key=OneJobKey.generate().public_key),
    ),
    "of an old sharing": ("approval_other_sharing", _other_sharing),
    "with another share": (
        "approval_share_changed",
        lambda case: dataclasses.replace(
            case.approval("ada"), sealed_share=case.approval("ada").sealed_share
        ),
    ),
    "dated after the end": (
        "request_expired",
        lambda case: _resigned(case.approval("ada"), "ada", approved_at="2026-11-22T12:00:00Z"),
    ),
    "dated before the request": (
        "request_not_yet",
        lambda case: _resigned(case.approval("ada"), "ada", approved_at="2026-11-21T11:59:59Z"),
    ),
}


@pytest.mark.parametrize("name", COUNTLESS)
def test_an_approval_that_is_not_one_does_not_count(name: str, case: Disclosure) -> None:
    code, make = COUNTLESS[name]
    tally = tally_of(case)
    made = make(case)
    recorded = case.log.record(made.envelope, "disclosure-approval")
    key = person("mallory" if name == "by a stranger" else "ada").signer.public
    with pytest.raises(CustodianError) as refused:
        tally.take_approval(recorded, key, made.sealed_share)
    assert refused.value.code == code
    # It leaves no trace: the same custodian can still approve.
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    assert rebuild(case, tally, at(LATER)) == case.dealt.secret


def test_nobody_counts_twice(case: Disclosure) -> None:
    tally = tally_of(case)
    give(case, tally, "ada")
    give(case, tally, "chloe")
    for _ in range(2):
        with pytest.raises(CustodianError) as refused:
            give(case, tally, "chloe")
        assert (refused.value.code, refused.value.custodian) == ("decided_already", person("chloe").digest)
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(LATER))
    assert refused.value.code == "quorum_not_met"


def test_a_request_is_taken_back_by_who_made_it_alone(case: Disclosure) -> None:
    with pytest.raises(CustodianError) as refused:
        cancel(case.request, person("ada").signer, LATER)
    assert refused.value.code == "requester_unknown"
    assert cancel(case.request, person("desk").signer, LATER).verify(person("desk").signer.public)


def test_the_same_record_is_not_replayed(case: Disclosure) -> None:
    tally = tally_of(case)
    made = case.approval("chloe")
    give(case, tally, "chloe", made)
    with pytest.raises(CustodianError) as refused:
        give(case, tally, "chloe", made)
    assert refused.value.code == "decided_already"


def test_denied_and_then_approved_stays_denied(case: Disclosure) -> None:
    tally = tally_of(case)
    give_no(case, tally, "ada")
    with pytest.raises(CustodianError) as refused:
        give(case, tally, "ada")
    assert refused.value.code == "decided_already"


def test_approved_and_then_denied_is_no_second_decision(case: Disclosure) -> None:
    tally = tally_of(case)
    give(case, tally, "ada")
    with pytest.raises(CustodianError) as refused:
        give_no(case, tally, "ada")
    assert refused.value.code == "decided_already"


def test_decisions_are_counted_in_the_order_of_the_log(case: Disclosure) -> None:
    tally = tally_of(case)
    first, second = case.approval("ada"), case.approval("chloe")
    earlier = case.log.record(first.envelope, "disclosure-approval")
    give(case, tally, "chloe", second)
    with pytest.raises(CustodianError) as refused:
        tally.take_approval(earlier, person("ada").signer.public, first.sealed_share)
    assert refused.value.code == "decision_out_of_order"


def test_an_approval_recorded_before_its_request_does_not_count(tmp_path: Path) -> None:
    log = WitnessedLog(tmp_path)
    envelope = signed_request()
    request = check_request(custody_policy(), envelope, person("desk").signer.public)
    dealt = deal(custody_policy().rule, job_context(JOB_ID))
    log.record(signed_request(tracks=(9,)), "disclosure-request")
    log.prove(job_statement(), "job")
    early = Disclosure(
        log, dealt, OneJobKey.generate(), request, log.record(signed_request(), "disclosure-request")
    )
    made = early.approval("ada")
    recorded = log.record(made.envelope, "disclosure-approval")
    case = dataclasses.replace(early, seen=log.record(envelope, "disclosure-request"))
    with pytest.raises(CustodianError) as refused:
        tally_of(case).take_approval(recorded, person("ada").signer.public, made.sealed_share)
    assert refused.value.code == "decision_out_of_order"


def test_a_decision_under_another_kind_of_entry_does_not_count(case: Disclosure) -> None:
    tally = tally_of(case)
    made = case.approval("ada")
    recorded = case.log.record(made.envelope, "job")
    with pytest.raises(CustodianError) as refused:
        tally.take_approval(recorded, person("ada").signer.public, made.sealed_share)
    assert refused.value.code == "decision_invalid"
    denied = case.log.record(case.denial("ben"), "disclosure-denial")
    with pytest.raises(CustodianError) as refused:
        tally.take_approval(denied, person("ben").signer.public, made.sealed_share)
    assert refused.value.code == "decision_invalid"


def test_a_tally_belongs_to_the_request_that_was_recorded(case: Disclosure) -> None:
    other = check_request(custody_policy(), signed_request(), person("desk").signer.public)
    assert other.facts == case.request.facts
    with pytest.raises(CustodianError) as refused:
        Tally(custody_policy(), case.dealt.sharing, other, case.seen, case.worker)
    assert refused.value.code == "decision_other_request"


def test_a_tally_takes_no_request_under_another_policy(case: Disclosure) -> None:
    weaker = parse_custody_policy(
        custody_policy().text.replace("cool_off_minutes = 60", "cool_off_minutes = 0")
    )
    with pytest.raises(CustodianError) as refused:
        Tally(weaker, case.dealt.sharing, case.request, case.seen, case.worker)
    assert refused.value.code == "request_other_policy"


def test_a_tally_takes_no_sharing_of_another_job_or_of_other_custodians(case: Disclosure) -> None:
    for sharing in (
        deal(custody_policy().rule, job_context(bytes(16))).sharing,
        deal(custody_policy().rule.members[0], job_context(JOB_ID)).sharing,  # type: ignore[arg-type]
    ):
        with pytest.raises(CustodianError) as refused:
            Tally(custody_policy(), sharing, case.request, case.seen, case.worker)
        assert refused.value.code == "sharing_invalid"


def test_a_swapped_sharing_rebuilds_nothing_of_the_job(case: Disclosure) -> None:
    """An operator who deals a secret of their own to the real custodians learns their own secret."""
    own = deal(custody_policy().rule, job_context(JOB_ID))
    swapped = dataclasses.replace(case, dealt=own)
    tally = tally_of(swapped)
    for name in ("ada", "chloe", "eve"):
        give(swapped, tally, name)
    assert rebuild(swapped, tally, at(LATER)) == own.secret != case.dealt.secret


# A custodian's own checks.


def test_nobody_decides_on_a_request_of_their_own(tmp_path: Path) -> None:
    own = {"requester_key_sha256": person("ada").digest, "purpose": "medical_care"}
    case = Disclosure.begin(tmp_path, "ada", **own)
    for decide in (case.approval, case.denial):
        with pytest.raises(CustodianError) as refused:
            decide("ada")
        assert refused.value.code == "own_request"
    # And a custodian whose program does not look is refused by the worker.
    forged = _resigned(case.approval("ben"), "ada", custodian_key_sha256=person("ada").digest)
    with pytest.raises(CustodianError) as refused:
        give(case, tally_of(case), "ada", forged)
    assert (refused.value.code, refused.value.custodian) == ("own_request", person("ada").digest)


REFUSED_BY_CUSTODIANS: dict[str, tuple[str, dict[str, Any]]] = {
    "expired": ("request_expired", {"now": ASKED_AT + timedelta(hours=24)}),
    "not yet": ("request_not_yet", {"now": ASKED_AT - timedelta(seconds=1)}),
    "a key that is none": ("worker_key_invalid", {"worker_key": bytes(1216)}),
    "a short key": ("worker_key_invalid", {"worker_key": bytes(32)}),
    "a short share": ("sealed_share_invalid", {"sealed_share": bytes(1199)}),
    "a damaged share": ("share_seal_broken", {"sealed_share": bytes(1200)}),
}


@pytest.mark.parametrize("name", REFUSED_BY_CUSTODIANS)
def test_a_custodian_does_not_approve(name: str, case: Disclosure) -> None:
    code, changes = REFUSED_BY_CUSTODIANS[name]
    with pytest.raises(KeyvaultError) as refused:
        case.approval("ada", **changes)
    assert refused.value.code == code


def test_a_custodian_sees_that_a_share_is_another_jobs_or_anothers(case: Disclosure) -> None:
    with pytest.raises(CustodianError) as refused:
        case.approval("ada", sealed_share=case.sealed_share("ben"))
    assert refused.value.code == "share_seal_broken"
    other = dataclasses.replace(case, dealt=deal(custody_policy().rule, job_context(JOB_ID)))
    with pytest.raises(CustodianError) as refused:
        case.approval("ada", sealed_share=other.sealed_share("ada"))
    assert refused.value.code == "share_seal_broken"


def test_a_custodian_finds_a_share_that_was_dealt_falsely(case: Disclosure) -> None:
    shares = {**case.dealt.shares, person("chloe").digest: case.dealt.shares[person("dan").digest]}
    false = dataclasses.replace(case, dealt=dataclasses.replace(case.dealt, shares=shares))
    with pytest.raises(CustodianError) as refused:
        false.approval("chloe")
    assert (refused.value.code, refused.value.custodian) == ("share_false", person("chloe").digest)


def test_a_stranger_can_neither_approve_nor_deny(case: Disclosure) -> None:
    for decide in (case.approval, case.denial):
        with pytest.raises(CustodianError) as refused:
            decide("mallory")
        assert refused.value.code == "custodian_unknown"


def test_a_reason_is_a_word_of_the_list(case: Disclosure) -> None:
    with pytest.raises(ProvenanceError):
        case.denial("ada", "she is my sister")


# To the log's end.


def _statement(facts: Facts, kind: str) -> Callable[[Disclosure], None]:
    """The node records this."""
    return lambda case: _record(case, sign_envelope(facts.to_statement(), person("node").signer), kind)


def _record(case: Disclosure, envelope: Envelope, kind: str) -> None:
    case.log.prove(envelope, kind)


def _erasure(tracks: tuple[int, ...], job_id: bytes = JOB_ID) -> ErasureFacts:
    return ErasureFacts(job_id.hex(), tracks, ("0" * 64,), "consent_withdrawn", "2026-11-21T13:00:00Z")


def _release(case: Disclosure, request_sha256: str | None = None) -> Envelope:
    facts = DisclosureReleaseFacts(
        request_sha256=request_sha256 or case.request.digest.hex(),
        approvals_sha256=("0" * 64,),
        tracks=(2,),
        stretches=((5000, 15000),),
        disclosure_sha256="0" * 64,
        measurement="0" * 64,
        tier="process",
        walls=(),
        released_at="2026-11-21T13:00:00Z",
    )
    return sign_envelope(facts.to_statement(), person("worker").signer)


def _reshared(case: Disclosure) -> None:
    old, rule, ada = case.dealt, custody_policy().rule, person("ada")
    made = redeal(old.sharing, ada.digest, old.shares[ada.digest], rule).sharing
    _record(case, sign_dealing(old.sharing, made, JOB_ID, custody_policy(), ada, LATER, b""), "resharing")


ENDED: dict[str, tuple[str, Callable[[Disclosure], None]]] = {
    "released before": (
        "request_released",
        lambda case: _record(case, _release(case), "disclosure-release"),
    ),
    "taken back": (
        "request_cancelled",
        lambda case: _record(
            case, cancel(case.request, person("desk").signer, LATER), "disclosure-cancellation"
        ),
    ),
    "erased": ("request_erased", _statement(_erasure((1, 2)), "erasure")),
    "custodians changed": ("request_reshared", _reshared),
}


@pytest.mark.parametrize("name", ENDED)
def test_what_the_log_says_since_ends_a_request(name: str, case: Disclosure) -> None:
    code, happens = ENDED[name]
    tally = tally_of(case)
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    assert rebuild(case, tally, at(LATER)) == case.dealt.secret
    happens(case)
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(LATER))
    assert refused.value.code == code


def test_a_denial_that_the_worker_was_not_shown_still_stands(case: Disclosure) -> None:
    tally = tally_of(case)
    _record(case, case.denial("chloe"), "disclosure-denial")
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(LATER))
    assert (refused.value.code, refused.value.custodian) == ("decision_left_out", person("chloe").digest)


def test_who_has_approved_stops_nothing_by_denying_later(case: Disclosure) -> None:
    tally = tally_of(case)
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    for name in ("chloe", "dan"):
        _record(case, case.denial(name), "disclosure-denial")
    assert rebuild(case, tally, at(LATER)) == case.dealt.secret


def test_what_happens_to_others_does_not(case: Disclosure) -> None:
    tally = tally_of(case)
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    _statement(_erasure((1,)), "erasure")(case)
    _statement(_erasure((2,), bytes(16)), "erasure")(case)
    _record(case, _release(case, "1" * 64), "disclosure-release")
    _record(case, signed_request(), "disclosure-request")
    # A statement under another kind of entry says nothing.
    _record(case, _release(case), "erasure")
    assert rebuild(case, tally, at(LATER)) == case.dealt.secret


def test_an_erasure_before_the_request_counts_too(tmp_path: Path) -> None:
    case = Disclosure.begin(tmp_path)
    case = dataclasses.replace(case, log=WitnessedLog(tmp_path, "second"))
    envelope = signed_request()
    request = check_request(custody_policy(), envelope, person("desk").signer.public)
    case.log.prove(job_statement(), "job")
    _statement(_erasure((2,)), "erasure")(case)
    case = dataclasses.replace(case, request=request, seen=case.log.record(envelope, "disclosure-request"))
    tally = tally_of(case)
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    with pytest.raises(CustodianError) as refused:
        rebuild(case, tally, at(LATER))
    assert refused.value.code == "request_erased"


def _read(log: WitnessedLog, entries: list[Entry], statements: list[Envelope]) -> History:
    proof = log.prove(job_statement(), "job")
    return read_history(proof, entries, statements, log.trust)


def test_nothing_of_custody_can_be_left_out(case: Disclosure) -> None:
    _record(case, _release(case), "disclosure-release")
    for number in range(5):
        _record(case, signed_request(tracks=(number,)), "disclosure-request")
    log = case.log
    entries, statements = list(log.entries), list(log.statements)
    assert len(_read(log, entries, statements).recorded) == len(entries) - 1
    release = next(entry for entry in entries if entry.kind == "disclosure-release")
    tricks: dict[str, tuple[list[Entry], list[Envelope]]] = {
        "no statement": (
            entries,
            [one for one in statements if one.digest != release.envelope_sha256],
        ),
        "no entry": ([entry for entry in entries if entry != release], statements),
        "another kind": (
            [Entry("job", entry.envelope_sha256) if entry == release else entry for entry in entries],
            statements,
        ),
        "exchanged": ([entries[0], entries[2], entries[1], *entries[3:]], statements),
        "cut short": (entries[:-1], statements),
        "one more": ([*entries, entries[-1]], statements),
        "nothing": ([], statements),
    }
    for name, (shown, with_statements) in tricks.items():
        with pytest.raises(CustodianError) as refused:
            _read(log, shown, with_statements)
        assert refused.value.code == "history_incomplete", name


def test_an_older_end_of_the_log_lacks_what_was_taken(case: Disclosure) -> None:
    tally = tally_of(case)
    older = case.log.history(job_statement())
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    with pytest.raises(CustodianError) as refused:
        tally.rebuild(older, at(LATER))
    assert refused.value.code == "history_incomplete"


def test_a_history_from_another_job_is_none(case: Disclosure) -> None:
    tally = tally_of(case)
    for approving in ("ada", "chloe", "eve"):
        give(case, tally, approving)
    other = sign_envelope(job_statement().payload, person("worker").signer)
    case.log.prove(other, "job")
    with pytest.raises(CustodianError) as refused:
        tally.rebuild(case.log.history(other), at(LATER))
    assert refused.value.code == "history_incomplete"


# Out of which log.


def test_a_log_without_witnesses_is_not_enough(case: Disclosure) -> None:
    proof = case.log.prove(case.approval("ada").envelope, "disclosure-approval")
    trust = dataclasses.replace(case.log.trust, witness_policy="")
    with pytest.raises(ProvenanceError) as refused:
        require_witnessed(proof, trust, "disclosure-approval")
    assert refused.value.code == "witnesses_not_named"


def _forged_log(case: Disclosure, folder: Path) -> bytes:
    """A log of the operator's own making, under the same name."""
    return WitnessedLog(folder, "forged").prove(signed_request(), "disclosure-request")


def _split_view(case: Disclosure, folder: Path) -> bytes:
    """The real log's keys sign another tree, which only one witness was shown."""
    (folder / "split").mkdir()
    return WitnessedLog(folder / "split", witnesses=1).prove(signed_request(), "disclosure-request")


def _unwitnessed(case: Disclosure, folder: Path) -> bytes:
    """The real log's keys sign a tree that no witness saw."""
    from provenance.proof import ProofFile

    keys = TestLogKeys()
    log = TransparencyLog(folder / "unseen.sqlite", keys.origin, keys.sign_checkpoint)
    envelope = signed_request()
    return ProofFile(
        envelope, (), log.proof_for(log.append("disclosure-request", envelope.digest))
    ).to_bytes()


def _other_statement(case: Disclosure, folder: Path) -> bytes:
    """A recorded request's place, under another request."""
    from provenance.proof import ProofFile

    real = ProofFile.from_bytes(case.log.prove(signed_request(), "disclosure-request"))
    return ProofFile(signed_request(tracks=(1,)), (), real.log).to_bytes()


FORGED = {
    "a forged log": ("checkpoint_signed", _forged_log),
    "a split view": ("checkpoint_witnessed", _split_view),
    "no witness": ("checkpoint_witnessed", _unwitnessed),
    "another statement": ("entry_recorded", _other_statement),
}


@pytest.mark.parametrize("name", FORGED)
def test_what_the_operator_makes_up_is_refused(name: str, case: Disclosure, tmp_path: Path) -> None:
    step, make = FORGED[name]
    proof = make(case, tmp_path)
    with pytest.raises(VerificationError) as refused:
        require_witnessed(proof, case.log.trust, "disclosure-request")
    assert refused.value.step == step


def test_a_witness_with_a_time_beyond_all_years_is_refused(
    case: Disclosure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(case.log, "_cosign", lambda note: cosigned(note, WITNESSES, 1 << 60))
    proof = case.log.prove(case.denial("ada"), "disclosure-denial")
    with pytest.raises(ProvenanceError) as refused:
        require_witnessed(proof, case.log.trust, "disclosure-denial")
    assert refused.value.code == "witness_time_invalid"


def test_times_are_the_witnesses_own(case: Disclosure) -> None:
    case.log.now = LATER
    recorded = case.log.record(case.denial("ada"), "disclosure-denial")
    assert (recorded.earliest, recorded.latest) == (LATER, LATER)
    assert case.seen.latest == ASKED_AT
