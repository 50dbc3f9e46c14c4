"""Custodians hand on, at the desk: who may, in which order, how often, and who decides afterwards."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from enclave.errors import EnclaveError
from grpc_api.disclosures.states import DisclosureRecord, State
from grpc_api.disclosures.succession import MAX_DEALINGS
from grpc_api.errors import ServiceError
from keyvault.custody.decisions import approve, opened_share
from keyvault.custody.handover import sign_dealing
from keyvault.custody.holding import Holding, part_digests, part_for, require_own_part, seal_parts
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.resharing import redeal
from keyvault.custody.seals import approved_info, redealt_info, seal_share, seal_to_worker
from keyvault.custody.sharing import Dealt, Share, deal, job_context
from keyvault.errors import KeyvaultError
from provenance.dsse import Envelope, sign_envelope
from provenance.keys import HybridPublicKey
from provenance.statements import DisclosureApprovalFacts, ResharingFacts
from provenance.statements.fields import format_instant
from tests.unit.grpc_api.disclosure_makers import JOB_ID, Scene, dealt, keeps_text
from tests.unit.keyvault.custody.custody_makers import custodian_tables, person

BEFORE = keeps_text(
    head='schema = "bauta.custody/v1"\nname = "two-of-three"\nsummary = "Two of three."\nquorum = "some"\n',
    custodians=custodian_tables(("ada", "ben", "chloe")),
    groups='[[groups]]\nname = "some"\nneed = 2\nof = ["ada", "ben", "chloe"]\n',
)
FIVE = ("ben", "chloe", "dan", "eve", "fay")


def five(name: str = "three-of-five") -> CustodyPolicy:
    """Whom they hand on to."""
    head = f'schema = "bauta.custody/v1"\nname = "{name}"\nsummary = "Three of five."\nquorum = "some"\n'
    groups = '[[groups]]\nname = "some"\nneed = 3\nof = ["ben", "chloe", "dan", "eve", "fay"]\n'
    return parse_custody_policy(keeps_text(head=head, custodians=custodian_tables(FIVE), groups=groups))


AFTER = five()
Handed = tuple[Envelope, HybridPublicKey, bytes, str, bytes]


@pytest.fixture(autouse=True)
def no_disk_is_worn(monkeypatch: pytest.MonkeyPatch) -> None:
    """What survives a power cut is not asked here, and a disk takes its time."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path, text=BEFORE)
    yield made
    made.close()


@contextmanager
def refused(code: str) -> Iterator[pytest.ExceptionInfo[Any]]:
    with pytest.raises((ServiceError, KeyvaultError, EnclaveError)) as caught:
        yield caught
    assert caught.value.code == code


def dealing(
    scene: Scene, who: str, *, to: CustodyPolicy = AFTER, job_id: bytes = JOB_ID, made: Dealt | None = None
) -> Handed:
    """What somebody hands in, out of the share that the job's worker dealt them."""
    first = dealt(BEFORE)
    own = person(who)
    if made is None and own.digest in first.shares:
        made = redeal(first.sharing, own.digest, first.shares[own.digest], to.rule)
    made = made or deal(to.rule, job_context(job_id), epoch=1)
    parts = seal_parts(made, own.digest, to)
    signed = sign_dealing(first.sharing, made.sharing, job_id, to, own, scene.clock.moment, parts)
    return signed, own.signer.public, made.sharing.to_bytes(), to.text, parts


def hand_on(scene: Scene, *names: str, to: CustodyPolicy = AFTER) -> list[bool]:
    """They deal, one after the other; whether the policy decided with each."""
    return [scene.desk.redeal(*dealing(scene, name, to=to))[1] for name in names]


def _other(scene: Scene, at: int, change: Callable[[Any], Any]) -> Handed:
    given = dealing(scene, "ada")
    return cast("Handed", (*given[:at], change(given[at]), *given[at + 1 :]))


def _of_another_job(scene: Scene) -> Handed:
    made = deal(AFTER.rule, job_context(bytes(16)), epoch=1)
    return dealing(scene, "ada", job_id=bytes(16), made=made)


def _false(scene: Scene) -> Handed:
    return dealing(scene, "ada", made=deal(AFTER.rule, job_context(JOB_ID), epoch=1))


def _of_an_epoch_that_never_was(scene: Scene) -> Handed:
    first, ada = dealt(BEFORE), person("ada").digest
    made = deal(AFTER.rule, first.sharing.context, first.shares[ada], epoch=2)
    return dealing(scene, "ada", made=made)


REFUSED: dict[str, tuple[Callable[[Scene], Handed], str]] = {
    "by somebody who decides nothing": (lambda scene: dealing(scene, "dan"), "custodian_unknown"),
    "by who only asks": (lambda scene: dealing(scene, "desk"), "custodian_unknown"),
    "signed by somebody else": (
        lambda scene: _other(scene, 1, lambda _: person("ben").signer.public),
        "decision_invalid",
    ),
    "of a job that nobody knows": (_of_another_job, "nothing_kept"),
    "of something else than the share": (_false, "redeal_false"),
    "of an epoch that never was": (_of_an_epoch_that_never_was, "redeal_false"),
    "with a weaker policy than was signed": (
        lambda scene: _other(
            scene, 3, lambda text: text.replace("cool_off_minutes = 10", "cool_off_minutes = 0")
        ),
        "dealing_other",
    ),
    "with a policy that is none": (lambda scene: _other(scene, 3, lambda _: "x"), "custody_policy_invalid"),
    "with another dealing than was signed": (
        lambda scene: _other(scene, 2, lambda _: dealing(scene, "ada")[2]),
        "dealing_other",
    ),
    "with a public part that is none": (lambda scene: _other(scene, 2, lambda _: b"{}"), "sharing_invalid"),
    "with a public part too large": (
        lambda scene: _other(scene, 2, lambda _: bytes(1 << 17)),
        "sharing_invalid",
    ),
    "with other parts than were signed": (
        lambda scene: _other(scene, 4, lambda parts: parts[1200:] + parts[:1200]),
        "dealing_other",
    ),
    "with a part too few": (
        lambda scene: _other(scene, 4, lambda parts: parts[1200:]),
        "sealed_share_invalid",
    ),
    "with a part too many": (lambda scene: _other(scene, 4, lambda parts: parts * 2), "sealed_share_invalid"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_dealing_that_does_not_fit_does_not_get_into_the_log(scene: Scene, name: str) -> None:
    make, code = REFUSED[name]
    with refused(code):
        scene.desk.redeal(*make(scene))
    assert "resharing" not in scene.kinds()


def test_too_few_change_nothing_and_a_quorum_changes_everything(scene: Scene) -> None:
    assert hand_on(scene, "ada") == [False]
    assert scene.desk.successions.now(JOB_ID.hex()).policy == scene.policy
    record = scene.ask()
    scene.approve(record, "ben", "chloe")
    scene.clock.pass_by(minutes=11)
    assert scene.release(record).state is State.RELEASED
    assert hand_on(scene, "chloe") == [True]
    now = scene.desk.successions.now(JOB_ID.hex())
    assert (now.policy, now.divided.epoch, now.divided.root) == (AFTER, 1, dealt(BEFORE).sharing.root)
    assert scene.kept_store.get(JOB_ID.hex()).shares == {}


def test_a_dealing_ends_the_requests_before_it(scene: Scene) -> None:
    record = scene.ask()
    hand_on(scene, "ada")
    ended = scene.book.request(record.request_sha256)
    assert (ended.state, ended.error_code) == (State.LOST, "request_reshared")
    assert not scene.worker_of(record).is_there()


def test_nobody_deals_twice_to_one_policy_nor_to_many(scene: Scene) -> None:
    given = dealing(scene, "ada")
    proof, _ = scene.desk.redeal(*given)
    # The very same again, over a line that broke, is on record already.
    assert scene.desk.redeal(*given)[1] is False
    assert proof
    with refused("dealt_already"):
        hand_on(scene, "ada")
    for number in range(1, MAX_DEALINGS):
        hand_on(scene, "ada", to=five(f"another-{number}"))
    with refused("too_many_resharings"):
        hand_on(scene, "ada", to=five("one-too-many"))
    assert scene.kinds().count("resharing") == MAX_DEALINGS


def test_dealings_to_two_policies_make_neither(scene: Scene) -> None:
    assert hand_on(scene, "ada") == [False]
    assert hand_on(scene, "ben", to=five("another")) == [False]
    assert hand_on(scene, "chloe", to=five("another")) == [True]


def test_who_handed_on_deals_no_more(scene: Scene) -> None:
    hand_on(scene, "ada", "ben")
    with refused("dealing_stale"):
        hand_on(scene, "chloe")
    with refused("dealing_stale"):
        hand_on(scene, "ada", to=five("another"))


def holding(scene: Scene, who: str, *, lies: str = "") -> Holding:
    """What somebody gets from the desk; where a dealer lies, their part is another's."""
    (step,) = scene.desk.successions.of(scene.kept).steps
    by = {one.written.envelope.digest: one for one in scene.desk.successions.dealings(JOB_ID.hex())}
    parts = {
        dealer: by[one.recorded.statement.digest].part_for(person(who).digest)
        for dealer, one in step.dealings.items()
    }
    if lies:
        dealer = person(lies).digest
        info = redealt_info(step.dealings[dealer].redealt, dealer, person(who).digest)
        lie = Share((5).to_bytes(32, "little"), (7).to_bytes(32, "little"))
        parts[dealer] = seal_share(lie, person(who).identity.recipient, info)
    return Holding(step.left, {dealer: one.redealt for dealer, one in step.dealings.items()}, parts)


def approved(scene: Scene, record: DisclosureRecord, who: str, sealed: bytes | Holding) -> DisclosureRecord:
    """Somebody approves with what they hold now."""
    now = scene.desk.successions.now(JOB_ID.hex())
    request = scene.desk.request_of(record)
    key = scene.worker_of(record).one_job_key.public_key
    made = approve(now.policy, now.divided, request, person(who), sealed, key, scene.clock.moment)
    return scene.desk.decide(made.envelope, person(who).signer.public, made.sealed_share)


def decide_with_an_old_share(scene: Scene, record: DisclosureRecord, who: str, sealed: bytes) -> None:
    """With a process of their own making somebody approves as if nothing had been handed on."""
    own, first = person(who), dealt(BEFORE).sharing
    share = opened_share(first, own, sealed)
    key = scene.worker_of(record).one_job_key.public_key
    name = bytes.fromhex(record.request_sha256)
    resealed = seal_to_worker(share, key, approved_info(first, name, own.digest))
    facts = DisclosureApprovalFacts(
        request_sha256=record.request_sha256,
        custodian_key_sha256=own.digest,
        sharing_sha256=first.digest.hex(),
        worker_key_sha256=hashlib.sha256(key).hexdigest(),
        share_sha256=hashlib.sha256(resealed).hexdigest(),
        approved_at=format_instant(scene.clock.moment),
    )
    signed = sign_envelope(facts.to_statement(), own.signer)
    scene.desk.decide(signed, own.signer.public, resealed)


def test_the_new_group_decides_with_new_shares_and_the_old_one_is_refused(scene: Scene) -> None:
    old = dict(scene.kept.shares)
    hand_on(scene, "ada", "chloe")
    with refused("request_other_policy"):
        scene.ask()
    record = scene.ask(custody_policy_sha256=AFTER.digest.hex())
    with refused("custodian_unknown"):
        approved(scene, record, "ada", old[person("ada").digest])
    with refused("share_seal_broken"):
        approved(scene, record, "ben", old[person("ben").digest])
    with refused("approval_other_sharing"):
        decide_with_an_old_share(scene, record, "ben", old[person("ben").digest])
    for who in ("ben", "dan"):
        assert approved(scene, record, who, holding(scene, who)).state is State.WAITING
    assert approved(scene, record, "fay", holding(scene, "fay")).state is State.READY
    scene.clock.pass_by(minutes=11)
    assert scene.release(record).state is State.RELEASED


def test_a_lying_dealer_is_named_to_whoever_got_the_lie(scene: Scene) -> None:
    hand_on(scene, "ada", "chloe")
    fay = person("fay")
    assert holding(scene, "fay").share(fay.identity, fay.digest)
    with refused("redeal_false") as caught:
        holding(scene, "fay", lies="chloe").share(fay.identity, fay.digest)
    assert caught.value.custodian == person("chloe").digest
    swapped = holding(scene, "fay")
    parts = dict(swapped.parts)
    parts[person("ada").digest] = holding(scene, "dan").parts[person("ada").digest]
    with refused("redeal_false") as caught:
        replace(swapped, parts=parts).share(fay.identity, fay.digest)
    assert caught.value.custodian == person("ada").digest
    with refused("redeal_incomplete"):
        replace(swapped, parts={}).share(fay.identity, fay.digest)


def test_a_part_that_the_service_changed_is_nobody_elses_lie(scene: Scene) -> None:
    hand_on(scene, "ada", "chloe")
    ada, _ = scene.desk.successions.dealings(JOB_ID.hex())
    signed = ResharingFacts.from_statement(ada.written.envelope.payload).parts_sha256
    fay, dan = person("fay").digest, person("dan").digest
    own, digests = ada.part_for(fay), ada.part_digests
    require_own_part(own, digests, signed, AFTER, fay)
    changed = bytes([own[0] ^ 1]) + own[1:]
    for given in (
        (changed, digests, signed, AFTER, fay),
        (ada.part_for(dan), digests, signed, AFTER, fay),
        (changed, part_digests(changed), signed, AFTER, fay),
        (own, digests, signed, AFTER, dan),
        (own, digests, signed, AFTER, person("stranger").digest),
        (own, digests[32:], signed, AFTER, fay),
    ):
        with refused("sealed_share_invalid"):
            require_own_part(*given)


def test_who_is_brought_in_sees_how_custody_stands_and_a_stranger_does_not(scene: Scene) -> None:
    fay = person("fay").digest
    with refused("keys_without_part"):
        scene.desk.custody_for(fay, JOB_ID.hex())
    hand_on(scene, "ada", "chloe")
    assert scene.desk.custody_for(fay, JOB_ID.hex())
    with refused("keys_without_part"):
        scene.desk.custody_for(person("stranger").digest, JOB_ID.hex())
    (ada, _) = scene.desk.successions.dealings(JOB_ID.hex())
    assert len(ada.part_for(fay)) == 1200
    assert ada.part_for(person("stranger").digest) == b""
    assert part_for(b"", AFTER, fay) == b""


def test_a_service_that_starts_anew_knows_who_decides(scene: Scene) -> None:
    hand_on(scene, "ada", "chloe")
    scene.restart()
    assert scene.desk.successions.now(JOB_ID.hex()).policy == AFTER
    with refused("dealing_stale"):
        hand_on(scene, "ben")


def test_dealings_come_into_the_log_one_after_the_other(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that the log does not take has no effect until it does, and the next one waits for it."""
    monkeypatch.setattr("grpc_api.disclosures.recording.PATIENCE_SECONDS", 0.0)
    witnesses, scene.witnesses = scene.witnesses, scene.witnesses[:1]
    with refused("quorum_not_met"):
        hand_on(scene, "ada")
    with refused("dealing_waiting"):
        hand_on(scene, "ben")
    assert scene.desk.successions.dealings(JOB_ID.hex()) == []
    scene.witnesses = witnesses
    assert hand_on(scene, "ben") == [True]
    assert scene.kinds().count("resharing") == 2


def test_the_dealings_of_a_job_have_an_end(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grpc_api.disclosures.succession.MAX_DEALINGS_OF_JOB", 1)
    hand_on(scene, "ada")
    with refused("too_many_resharings"):
        hand_on(scene, "ben")


def test_without_witnesses_nobody_hands_on(tmp_path: Path) -> None:
    made = Scene(tmp_path, text=BEFORE, witnesses=0)
    try:
        with refused("witnesses_not_named"):
            hand_on(made, "ada")
    finally:
        made.close()
