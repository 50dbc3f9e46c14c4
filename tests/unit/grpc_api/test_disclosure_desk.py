"""Requests, decisions and releases at the desk: who, in which order, how often, and on record first."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enclave.disclosing import REFUSALS
from enclave.errors import EnclaveError
from grpc_api.disclosures import doors
from grpc_api.disclosures.askers import OPERATOR
from grpc_api.disclosures.refusals import SENTENCES
from grpc_api.disclosures.states import DisclosureRecord, State
from grpc_api.errors import ServiceError
from keyvault.age import open_sealed
from keyvault.client import VaultUnavailableError
from keyvault.custody.access import sign_access
from keyvault.custody.decisions import Approval
from keyvault.custody.errors import CustodianError
from keyvault.custody.seals import approved_info, seal_to_worker
from keyvault.custody.sharing import Share
from keyvault.errors import KeyvaultError
from keyvault.release import OneJobKey
from keyvault.signing.hybrid import HybridSigner
from provenance import canonical
from provenance.disclosing import verify_disclosure
from provenance.dsse import Envelope, sign_envelope
from provenance.encoding import base64_bytes
from provenance.statements import ConsentWithdrawalFacts, DisclosureApprovalFacts
from provenance.statements.fields import format_instant
from tests.unit.grpc_api.disclosure_makers import (
    JOB_ID,
    OWNER,
    SEALED_WORDS,
    SUBMITTER,
    Scene,
    dealt,
    keeps_text,
)
from tests.unit.keyvault.custody.custody_makers import person
from tests.unit.provenance.provenance_makers import ORIGIN, hex_of
from tests.unit.provenance.witness_makers import WITNESSES

QUORUM = ("ada", "chloe", "dan")


@pytest.fixture(autouse=True)
def no_disk_is_worn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What survives a power cut is not asked here, and a disk takes its time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.close()


@contextmanager
def refused(code: str) -> Iterator[None]:
    with pytest.raises((ServiceError, KeyvaultError, EnclaveError)) as caught:
        yield
    assert caught.value.code == code


def ready(scene: Scene, **changes: Any) -> DisclosureRecord:
    """A request that a quorum approved and whose cool-off is over."""
    record = scene.approve(scene.ask(**changes), *QUORUM)
    scene.clock.pass_by(minutes=11)
    return record


def test_the_straight_way_puts_every_step_on_record_and_gives_one_person_one_file(scene: Scene) -> None:
    record = ready(scene)
    assert record.state is State.READY
    released = scene.release(record)
    assert released.state is State.RELEASED
    assert scene.kinds() == [
        "release",
        "job",
        "disclosure-request",
        "disclosure-worker",
        "disclosure-approval",
        "disclosure-approval",
        "disclosure-approval",
        "disclosure-count",
        "worker-release",
        "disclosure-release",
    ]
    sealed = scene.doors.path(record.request_sha256).read_bytes()
    assert (len(sealed), hashlib.sha256(sealed).hexdigest()) == (
        released.disclosure_bytes,
        released.disclosure_sha256,
    )
    opened = io.BytesIO()
    open_sealed(io.BytesIO(sealed), opened, [person("desk").identity])
    assert opened.getvalue() == SEALED_WORDS
    shown = verify_disclosure(released.release_proof, scene.trust, scene.desk.request_of(record).facts)
    assert shown.facts.disclosure_sha256 == released.disclosure_sha256
    assert scene.vault.let_in == [bytes.fromhex(record.request_sha256)[:16]]


def test_one_approval_is_released_once(scene: Scene) -> None:
    record = ready(scene)
    scene.release(record)
    with refused("request_ended"):
        scene.release(record)
    assert scene.kinds().count("disclosure-release") == 1


REQUESTS: dict[str, tuple[dict[str, Any], str]] = {
    "by somebody who may not ask": ({"by": "eve"}, "requester_unknown"),
    "for a purpose that is not theirs": ({"by": "ada"}, "purpose_not_allowed"),
    "for a purpose that nobody may have": ({"purpose": "source_request"}, "purpose_not_allowed"),
    "on no legal basis that counts": ({"legal_basis": "public_interest"}, "legal_basis_not_allowed"),
    "for too long": ({"stretches": ((0, 31_000),)}, "scope_too_wide"),
    "for too many": ({"tracks": (1, 2, 3)}, "scope_too_wide"),
    "that would stand too long": (
        {"expires_at": "2026-11-25T12:00:00Z"},
        "request_too_long",
    ),
    "that has expired": (
        {"requested_at": "2026-11-20T12:00:00Z", "expires_at": "2026-11-21T12:00:00Z"},
        "request_expired",
    ),
    "that is dated far ahead": (
        {"requested_at": "2026-11-21T12:05:01Z", "expires_at": "2026-11-22T12:00:00Z"},
        "request_not_yet",
    ),
    "under another policy": ({"custody_policy_sha256": hex_of("mild")}, "request_other_policy"),
    "about another result": ({"job_statement_sha256": hex_of("other")}, "request_other_job"),
    "of somebody who was never there": ({"tracks": (9,)}, "track_unknown"),
    "of the whole result": ({"tracks": ((1 << 32) - 1,)}, "track_unknown"),
    "of a job that nobody knows": ({"job_id": "ff" * 16}, "nothing_kept"),
    "by consent that nobody gave": (
        {"legal_basis": "consent"},
        "consent_missing",
    ),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_could_lead_nowhere_does_not_get_into_the_log(scene: Scene, name: str) -> None:
    changes, code = REQUESTS[name]
    with refused(code):
        scene.ask(**changes)
    assert scene.kinds() == ["release", "job"]
    assert scene.workers == []


def test_a_request_that_was_changed_after_it_was_signed_is_none(scene: Scene) -> None:
    signed = scene.signed_request()
    changed = Envelope(signed.payload.replace(b'"tracks":[2]', b'"tracks":[1]'), signed.signatures)
    assert changed != signed
    with refused("request_invalid"):
        scene.desk.ask(changed, person("desk").signer.public)
    with refused("request_invalid"):
        scene.desk.ask(signed, person("ada").signer.public)


def test_the_same_request_again_is_the_same_and_starts_no_second_worker(scene: Scene) -> None:
    envelope = scene.signed_request()
    first = scene.desk.ask(envelope, person("desk").signer.public)
    scene.settled(first.request_sha256)
    again = scene.desk.ask(envelope, person("desk").signer.public)
    assert again.request_sha256 == first.request_sha256
    assert len(scene.workers) == 1
    assert scene.kinds().count("disclosure-request") == 1


def test_so_many_requests_and_no_more(tmp_path: Path) -> None:
    scene = Scene(tmp_path, max_open_requests=2, max_requests_a_day=3)
    first = scene.ask()
    scene.clock.pass_by(seconds=1)
    scene.ask()
    with refused("too_many_requests"):
        scene.ask(tracks=(1,))
    scene.desk.cancel(scene.cancellation(first))
    scene.clock.pass_by(seconds=1)
    third = scene.ask()
    scene.desk.cancel(scene.cancellation(third))
    with refused("too_many_requests"):
        scene.ask(tracks=(1,))
    scene.clock.pass_by(hours=25)
    scene.desk.sweep()
    scene.ask()
    scene.close()


def test_without_witnesses_nothing_is_asked(tmp_path: Path) -> None:
    scene = Scene(tmp_path, witnesses=0)
    with refused("witnesses_not_named"):
        scene.ask()
    scene.close()


def test_a_service_that_ends_with_its_command_takes_no_request(tmp_path: Path) -> None:
    scene = Scene(tmp_path, is_lasting=False)
    with refused("service_not_lasting"):
        scene.ask()
    scene.close()


def test_t_minus_one_and_the_wrong_people_are_not_enough(scene: Scene) -> None:
    record = scene.ask()
    for names in (("chloe", "dan"), ("eve",)):
        record = scene.approve(record, *names)
        scene.clock.pass_by(minutes=11)
        with refused("quorum_not_met"):
            scene.release(record)
    assert "disclosure-count" not in scene.kinds()
    assert scene.approve(record, "ben").state is State.READY


def test_cool_off_runs_from_the_record_to_the_second(scene: Scene) -> None:
    record = scene.approve(scene.ask(), *QUORUM)
    scene.clock.pass_by(minutes=9, seconds=59)
    with refused("cool_off_running"):
        scene.release(record)
    assert scene.desk.book.request(record.request_sha256).state is State.READY
    scene.clock.pass_by(seconds=1)
    assert scene.release(record).state is State.RELEASED


Making = Callable[[Scene, DisclosureRecord], tuple[Envelope, str, bytes]]


def _good(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, share = scene.approval(record, "ada")
    return envelope, "ada", share


def _tampered(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, share = scene.approval(record, "ada")
    later = format_instant(scene.clock.moment + timedelta(seconds=1)).encode()
    now = format_instant(scene.clock.moment).encode()
    return Envelope(envelope.payload.replace(now, later), envelope.signatures), "ada", share


def _by_another(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, share = scene.approval(record, "ada")
    return envelope, "ben", share


def _other_share(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, _ = scene.approval(record, "ada")
    _, share = scene.approval(record, "ada")
    return envelope, "ada", share


def _no_share(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, _ = scene.approval(record, "ada")
    return envelope, "ada", b""


def _denial_with_a_share(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    return scene.denial(record, "ada"), "ada", bytes(1200)


def _other_worker(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, share = scene.approval(record, "ada", worker_key=OneJobKey.generate().public_key)
    return envelope, "ada", share


def _old_sharing(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, share = scene.approval(record, "ada")
    facts = DisclosureApprovalFacts.from_statement(envelope.payload)
    values = {**vars(facts), "sharing_sha256": hex_of("old")}
    return (
        sign_envelope(DisclosureApprovalFacts(**values).to_statement(), person("ada").signer),
        "ada",
        share,
    )


def _future(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, share = scene.approval(record, "ada", now=scene.clock.moment + timedelta(minutes=6))
    return envelope, "ada", share


def _not_a_custodian(scene: Scene, record: DisclosureRecord) -> tuple[Envelope, str, bytes]:
    envelope, share = scene.approval(record, "ada")
    facts = DisclosureApprovalFacts.from_statement(envelope.payload)
    values = {**vars(facts), "custodian_key_sha256": person("desk").digest}
    signed = sign_envelope(DisclosureApprovalFacts(**values).to_statement(), person("desk").signer)
    return signed, "desk", share


DECISIONS: dict[str, tuple[Making, str]] = {
    "changed after it was signed": (_tampered, "decision_invalid"),
    "signed by one custodian, brought by another": (_by_another, "decision_invalid"),
    "with another share than it names": (_other_share, "approval_share_changed"),
    "without a share": (_no_share, "sealed_share_invalid"),
    "a denial with a share": (_denial_with_a_share, "decision_invalid"),
    "for another worker": (_other_worker, "approval_other_worker"),
    "with a share of an older sharing": (_old_sharing, "approval_other_sharing"),
    "dated ahead": (_future, "request_not_yet"),
    "by who is no custodian": (_not_a_custodian, "custodian_unknown"),
}


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_that_does_not_count_does_not_get_into_the_log(scene: Scene, name: str) -> None:
    make, code = DECISIONS[name]
    record = scene.ask()
    envelope, whose, share = make(scene, record)
    with refused(code):
        scene.desk.decide(envelope, person(whose).signer.public, share)
    assert "disclosure-approval" not in scene.kinds()
    assert "disclosure-denial" not in scene.kinds()
    envelope, whose, share = _good(scene, record)
    assert scene.desk.decide(envelope, person(whose).signer.public, share).state is State.WAITING


def test_nobody_counts_twice(scene: Scene) -> None:
    record = scene.ask()
    envelope, share = scene.approval(record, "chloe")
    for _ in range(3):  # Replayed byte for byte: the same decision, and no new one.
        scene.desk.decide(envelope, person("chloe").signer.public, share)
    second, other_share = scene.approval(record, "chloe")
    with refused("decided_already"):
        scene.desk.decide(second, person("chloe").signer.public, other_share)
    assert scene.kinds().count("disclosure-approval") == 1
    assert scene.approve(record, "ada").state is State.WAITING


def test_who_denied_cannot_approve_and_who_approved_cannot_deny(scene: Scene) -> None:
    record = scene.deny(scene.ask(), "chloe")
    envelope, share = scene.approval(record, "chloe")
    with refused("decided_already"):
        scene.desk.decide(envelope, person("chloe").signer.public, share)
    record = scene.approve(record, "ada")
    with refused("decided_already"):
        scene.deny(record, "ada")
    assert scene.desk.book.request(record.request_sha256).state is State.WAITING


def test_too_many_denials_end_a_request_and_its_worker(scene: Scene) -> None:
    record = scene.deny(scene.ask(), "chloe")
    assert record.state is State.WAITING
    worker = scene.worker_of(record)
    record = scene.deny(record, "dan")
    assert record.state is State.DENIED
    assert not worker.is_there()
    envelope, share = scene.approval(record, "ada")
    with refused("request_ended"):
        scene.desk.decide(envelope, person("ada").signer.public, share)


def test_nobody_decides_on_a_request_of_their_own(scene: Scene) -> None:
    record = scene.ask(by="ada", purpose="medical_care")
    facts = DisclosureApprovalFacts.from_statement(scene.approval(record, "ben")[0].payload)
    share = scene.approval(record, "ben")[1]
    values = {
        **vars(facts),
        "custodian_key_sha256": person("ada").digest,
        "share_sha256": hashlib.sha256(share).hexdigest(),
    }
    own = sign_envelope(DisclosureApprovalFacts(**values).to_statement(), person("ada").signer)
    with refused("own_request"):
        scene.desk.decide(own, person("ada").signer.public, share)


def test_an_approval_of_one_request_is_none_of_another(scene: Scene) -> None:
    first = scene.ask()
    scene.clock.pass_by(seconds=1)
    second = scene.ask()
    envelope, share = scene.approval(first, "ada")
    scene.desk.decide(envelope, person("ada").signer.public, share)
    assert [one.about for one in scene.desk.decisions(first)] == [first.request_sha256]
    assert scene.desk.decisions(second) == []


def test_decisions_come_after_their_request(scene: Scene) -> None:
    record = scene.ask()
    envelope, share = scene.approval(record, "ada")
    elsewhere = scene.folder / "elsewhere"
    elsewhere.mkdir()
    other = Scene(elsewhere)
    with refused("request_unknown"):
        other.desk.decide(envelope, person("ada").signer.public, share)
    other.close()


def test_only_who_asked_takes_a_request_back(scene: Scene) -> None:
    record = scene.ask()
    request = scene.desk.request_of(record)
    with pytest.raises(CustodianError):
        scene.cancellation(record, by="ada")
    forged = sign_envelope(scene.cancellation(record).payload, person("ada").signer)
    with refused("requester_unknown"):
        scene.desk.cancel(forged)
    worker = scene.worker_of(record)
    ended = scene.desk.cancel(scene.cancellation(record))
    assert ended.state is State.CANCELLED
    assert not worker.is_there()
    assert scene.desk.request_of(record) == request
    with refused("request_ended"):
        scene.desk.cancel(scene.cancellation(record))
    with refused("request_ended"):
        scene.release(record)


def test_an_expired_request_takes_nothing_more(scene: Scene) -> None:
    record = scene.approve(scene.ask(), *QUORUM)
    late, share = scene.approval(record, "eve")
    worker = scene.worker_of(record)
    scene.clock.pass_by(hours=24)
    with refused("request_expired"):
        scene.desk.decide(late, person("eve").signer.public, share)
    with refused("request_expired"):
        scene.release(record)
    scene.desk.sweep()
    assert scene.desk.book.request(record.request_sha256).state is State.EXPIRED
    assert not worker.is_there()


def test_a_lying_share_is_left_out_where_the_others_suffice(scene: Scene) -> None:
    record = scene.ask()
    request = scene.desk.request_of(record)
    worker = scene.worker_of(record)
    sharing = dealt(scene.text).sharing
    bad = Share(bytes([7]) + bytes(31), bytes([9]) + bytes(31))
    info = approved_info(sharing, request.digest, person("eve").digest)
    resealed = seal_to_worker(bad, worker.one_job_key.public_key, info)
    honest, _ = scene.approval(record, "eve")
    values = {
        **vars(DisclosureApprovalFacts.from_statement(honest.payload)),
        "share_sha256": hashlib.sha256(resealed).hexdigest(),
    }
    lie = Approval(
        sign_envelope(DisclosureApprovalFacts(**values).to_statement(), person("eve").signer), resealed
    )
    record = scene.desk.decide(lie.envelope, person("eve").signer.public, lie.sealed_share)
    record = scene.approve(record, "ada", "chloe")
    scene.clock.pass_by(minutes=11)
    with pytest.raises(ServiceError, match=person("eve").digest) as caught:
        scene.release(record)
    assert caught.value.code == "share_false"
    assert scene.release(scene.approve(record, "dan")).state is State.RELEASED


LIES: dict[str, dict[str, Any]] = {
    "of another request": {"admission": {"request_sha256": hex_of("other")}},
    "of another job": {"admission": {"job_id": "ff" * 16}},
    "that believes another trust file": {"admission": {"trust_sha256": hex_of("operator's own")}},
    "that nobody certified": {"node": HybridSigner.generate()},
}


@pytest.mark.parametrize("name", LIES)
def test_a_worker_with_false_evidence_is_shown_to_no_custodian(scene: Scene, name: str) -> None:
    scene.lies = LIES[name]
    record = scene.ask()
    assert record.state is State.LOST
    assert record.worker_sha256 == ""
    assert "disclosure-worker" not in scene.kinds()
    assert scene.vault.let_in == []


def test_a_release_of_more_than_was_asked_for_is_recorded_by_nobody(scene: Scene) -> None:
    scene.lies = {"release": {"tracks": (1, 2)}}
    record = ready(scene)
    with pytest.raises(Exception, match="more was disclosed"):
        scene.release(record)
    assert "disclosure-release" not in scene.kinds()


def test_a_header_that_does_not_fit_leaves_a_request_that_is_used_up(scene: Scene) -> None:
    scene.lies = {"header": b"not the header"}
    record = ready(scene)
    with refused("worker_reply_invalid"):
        scene.release(record)
    after = scene.desk.book.request(record.request_sha256)
    assert (after.state, after.error_code) == (State.LOST, "release_lost")
    assert doors.is_answered(after)
    assert not scene.doors.path(record.request_sha256).exists()


def test_a_service_that_stops_loses_its_open_requests_and_keeps_what_is_on_record(scene: Scene) -> None:
    record = scene.approve(scene.ask(), "ada")
    scene.restart()
    after = scene.desk.book.request(record.request_sha256)
    assert (after.state, after.error_code) == (State.LOST, "worker_lost")
    assert len(scene.desk.decisions(record)) == 1
    with refused("request_ended"):
        scene.release(record)
    scene.clock.pass_by(seconds=1)
    assert ready(scene).state is State.READY


def test_a_worker_that_dies_loses_its_request(scene: Scene) -> None:
    record = ready(scene)
    scene.worker_of(record).is_alive = False
    with pytest.raises(EnclaveError):
        scene.release(record)
    assert scene.desk.book.request(record.request_sha256).state is State.LOST


def test_what_the_log_does_not_take_has_no_effect_until_it_does(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grpc_api.disclosures.recording.PATIENCE_SECONDS", 0.0)
    record = scene.approve(scene.ask(), "ada", "chloe")
    envelope, share = scene.approval(record, "dan")
    scene.witnesses[:] = WITNESSES[:1]
    with refused("quorum_not_met"):
        scene.desk.decide(envelope, person("dan").signer.public, share)
    assert scene.desk.book.request(record.request_sha256).state is State.WAITING
    second, other = scene.approval(record, "dan")
    with refused("decided_already"):  # What waits for the log counts as said.
        scene.desk.decide(second, person("dan").signer.public, other)
    scene.witnesses[:] = WITNESSES
    scene.desk.sweep()
    assert scene.desk.book.request(record.request_sha256).state is State.READY
    scene.clock.pass_by(minutes=11)
    assert scene.release(record).state is State.RELEASED


def test_a_statement_that_waited_when_the_service_died_is_recorded_at_its_next_start(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grpc_api.disclosures.recording.PATIENCE_SECONDS", 0.0)
    record = scene.ask()
    scene.witnesses[:] = WITNESSES[:1]
    with refused("quorum_not_met"):
        scene.desk.cancel(scene.cancellation(record))
    scene.witnesses[:] = WITNESSES
    scene.restart()
    assert scene.book.unplaced() == []
    assert "disclosure-cancellation" in scene.kinds()


def test_a_notice_waits_as_long_as_the_policy_says_and_opens_to_the_submitter_alone(scene: Scene) -> None:
    released = scene.release(ready(scene))
    assert scene.book.notices(OWNER) == []
    scene.clock.pass_by(days=7)
    assert scene.book.notices("x509:somebody else") == []
    (notice,) = scene.book.notices(OWNER)
    opened = io.BytesIO()
    open_sealed(io.BytesIO(notice.sealed), opened, [SUBMITTER])
    told = canonical.loads(opened.getvalue())
    assert (told["request_sha256"], told["tracks"], told["purpose"]) == (
        released.request_sha256,
        [2],
        "court_order",
    )
    assert verify_disclosure(base64_bytes(told["release_proof"]), scene.trust).facts.tracks == (2,)


def test_a_policy_that_does_not_tell_the_submitter_sends_no_notice(tmp_path: Path) -> None:
    scene = Scene(tmp_path, text=keeps_text(notice='[notice]\ntell = ["custodians"]\nhold_back_days = 0\n'))
    scene.release(ready(scene))
    scene.clock.pass_by(days=3650)
    assert scene.book.notices(OWNER) == []
    scene.close()


def test_every_refusal_of_a_worker_has_its_sentence() -> None:
    assert set(SENTENCES) == set(REFUSALS)
    assert all(sentence[0].isupper() and sentence.endswith(".") for sentence in SENTENCES.values())


def test_who_sees_a_request(scene: Scene) -> None:
    record = scene.ask()
    for name in ("desk", "ada", "eve"):
        assert scene.desk.seen_by(person(name).digest, record.request_sha256) == record
        assert scene.desk.all_seen_by(person(name).digest) == [record]
    with refused("request_unknown"):
        scene.desk.seen_by(person("stranger").digest, record.request_sha256)
    assert scene.desk.all_seen_by(person("stranger").digest) == []
    with refused("keys_without_part"):
        scene.desk.custody_for(person("stranger").digest, JOB_ID.hex())


def test_a_consent_is_about_somebody_who_is_there_and_given_by_who_signs(scene: Scene) -> None:
    giver = person("filmed").signer.public
    with refused("track_unknown"):
        scene.eraser.give(scene.kept, scene.consent(tracks=(2, 9)), giver)
    with refused("consent_invalid"):
        scene.eraser.give(scene.kept, scene.consent(job_id="ff" * 16), giver)
    with refused("consent_invalid"):
        scene.eraser.give(scene.kept, scene.consent(giver_key_sha256=person("ada").digest), giver)
    assert "consent" not in scene.kinds()
    scene.eraser.give(scene.kept, scene.consent(), giver)
    record = scene.ask(legal_basis="consent")
    assert record.state is State.WAITING
    with refused("consent_missing"):
        scene.ask(by="ada", legal_basis="consent", purpose="medical_care")


def test_a_consent_that_is_taken_back_erases_even_if_the_service_dies_between(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    giver = person("filmed")
    consent = scene.consent()
    scene.eraser.give(scene.kept, consent, giver.signer.public)
    record = scene.ask(legal_basis="consent")
    facts = ConsentWithdrawalFacts(consent.digest.hex(), giver.digest, format_instant(scene.clock.moment))
    taken = sign_envelope(facts.to_statement(), giver.signer)
    with monkeypatch.context() as gone:
        gone.setattr(scene.vault, "erase_tracks", _unavailable)
        with refused("vault_unavailable"):
            scene.eraser.withdraw(taken)
    assert "consent-withdrawal" in scene.kinds()
    assert "erasure" not in scene.kinds()
    scene.restart()
    assert scene.eraser.erased(JOB_ID.hex()) == {2}
    assert 2 not in scene.vault.tracks[JOB_ID]
    assert scene.vault.waiting == {}
    assert scene.book.request(record.request_sha256).state is State.LOST
    with refused("request_erased"):
        scene.ask()


def _unavailable(*_: object) -> tuple[bytes, int]:
    raise VaultUnavailableError("the vault does not answer")


def test_an_erasure_whose_record_failed_is_recorded_later(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grpc_api.disclosures.recording.PATIENCE_SECONDS", 0.0)
    record = scene.ask()
    worker = scene.worker_of(record)
    scene.witnesses[:] = WITNESSES[:1]
    with refused("quorum_not_met"):
        scene.eraser.erase(scene.kept, [2], "data_subject_request")
    assert 2 not in scene.vault.tracks[JOB_ID]
    assert not worker.is_there()
    assert len(scene.vault.waiting) == 1
    scene.witnesses[:] = WITNESSES
    scene.desk.sweep()
    assert scene.vault.waiting == {}
    assert scene.eraser.erased(JOB_ID.hex()) == {2}
    with refused("erasure_reason_unknown"):
        scene.eraser.erase(scene.kept, [1], "because")


def test_a_question_is_answered_once_to_who_asked_it_of_this_service(scene: Scene) -> None:
    signer = person("ada").signer

    def question(service: str = ORIGIN, call: str = "GetSheet", about: str = "x", seconds: int = 0) -> bytes:
        when = scene.clock.moment + timedelta(seconds=seconds)
        return sign_access(signer, signer.public, service, call, about, when).to_bytes()

    asked = question()
    assert scene.askers.require(asked, "GetSheet", "x") == person("ada").digest
    for wrong, code in (
        (asked, "access_replayed"),
        (question(service="another.log"), "access_invalid"),
        (question(call="GetCustody"), "access_invalid"),
        (question(about="y"), "access_invalid"),
        (question(seconds=-121), "access_expired"),
        (question(seconds=121), "access_expired"),
        (b"", "access_invalid"),
        (asked.replace(b'"about":"x"', b'"about":"z"'), "access_invalid"),
    ):
        with refused(code):
            scene.askers.require(wrong, "GetSheet", "x")
    with refused("access_invalid"):
        scene.askers.require_or_operator("x509:somebody", b"", "GetSheet", "x")
    assert scene.askers.require_or_operator("local", b"", "GetSheet", "x") == OPERATOR
    scene.clock.pass_by(seconds=300)
    with refused("access_expired"):
        scene.askers.require(asked, "GetSheet", "x")
