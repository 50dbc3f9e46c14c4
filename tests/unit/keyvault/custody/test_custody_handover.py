"""A re-sharing on record, from 2 of 3 to 3 of 5: signed by its dealers and nobody else, for one job alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import Dealing, sign_dealing, take_over
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.resharing import new_share, redeal
from keyvault.custody.sharing import Dealt, deal, job_context
from tests.unit.keyvault.custody.custody_makers import (
    ASKED_AT,
    JOB_ID,
    WitnessedLog,
    custodian_tables,
    custody_policy,
    custody_text,
    person,
)

OLD = ("ada", "ben", "chloe")
NEW = ("chloe", "dan", "eve", "fay", "gus")


def flat_policy(need: int, names: tuple[str, ...]) -> CustodyPolicy:
    members = ", ".join(f'"{name}"' for name in names)
    group = f'[[groups]]\nname = "both"\nneed = {need}\nof = [{members}]\n'
    return parse_custody_policy(custody_text(custodians=custodian_tables(names), groups=group))


@dataclass
class Case:
    log: WitnessedLog
    old: CustodyPolicy
    new: CustodyPolicy
    dealt: Dealt
    dealings: dict[str, Dealing]
    redealt: dict[str, Dealt]

    def take_over(self) -> object:
        return take_over(self.old, self.dealt.sharing, JOB_ID, self.new, self.dealings)


@pytest.fixture
def case(tmp_path: Path) -> Iterator[Case]:
    log, old, new = WitnessedLog(tmp_path), flat_policy(2, OLD), flat_policy(3, NEW)
    dealt = deal(old.rule, job_context(JOB_ID))
    dealings, redealt = {}, {}
    for name in ("ada", "chloe"):
        whose = person(name)
        made = redeal(dealt.sharing, whose.digest, dealt.shares[whose.digest], new.rule)
        signed = sign_dealing(dealt.sharing, made.sharing, JOB_ID, new, whose, ASKED_AT, b"")
        recorded = log.record(signed, "resharing")
        dealings[whose.digest] = Dealing(recorded, whose.signer.public, made.sharing)
        redealt[whose.digest] = made
    yield Case(log, old, new, dealt, dealings, redealt)
    log.log.close()


def test_two_of_three_hand_over_to_three_of_five(case: Case) -> None:
    sharing = take_over(case.old, case.dealt.sharing, JOB_ID, case.new, case.dealings)
    assert (sharing.rule, sharing.epoch, sharing.root) == (case.new.rule, 1, case.dealt.sharing.root)
    public = {dealer: made.sharing for dealer, made in case.redealt.items()}
    shares = {
        holder: new_share(
            case.dealt.sharing,
            public,
            holder,
            {dealer: made.shares[holder] for dealer, made in case.redealt.items()},
        )
        for holder in (person(name).digest for name in ("chloe", "eve", "gus"))
    }
    assert sharing.rebuild(shares) == case.dealt.secret
    # Chloe's old share is none of the new sharing.
    shares[person("chloe").digest] = case.dealt.shares[person("chloe").digest]
    with pytest.raises(CustodianError) as refused:
        sharing.rebuild(shares)
    assert (refused.value.code, refused.value.custodian) == ("share_false", person("chloe").digest)


def _swap(case: Case, **changes: object) -> None:
    ada = person("ada").digest
    case.dealings[ada] = dataclasses.replace(case.dealings[ada], **changes)


def _resign(case: Case, job_id: bytes = JOB_ID, by: str = "ada", kind: str = "resharing") -> None:
    """Ada's dealing, signed and recorded once more."""
    made = case.redealt[person("ada").digest].sharing
    if job_id != JOB_ID:
        made = dataclasses.replace(made, context=job_context(job_id))
    signed = sign_dealing(case.dealt.sharing, made, job_id, case.new, person(by), ASKED_AT, b"")
    _swap(case, recorded=case.log.record(signed, kind))


def _other_policy(case: Case) -> None:
    """A policy with the same custodians, and without a cool-off."""
    case.new = parse_custody_policy(case.new.text.replace("cool_off_minutes = 60", "cool_off_minutes = 0"))


def _drop(case: Case) -> None:
    del case.dealings[person("ada").digest]


def _stranger(case: Case) -> None:
    case.dealings[person("mallory").digest] = case.dealings.pop(person("ada").digest)


def _other_dealing(case: Case) -> None:
    ada = person("ada").digest
    again = redeal(case.dealt.sharing, ada, case.dealt.shares[ada], case.new.rule)
    _swap(case, redealt=again.sharing)


TRICKS: dict[str, tuple[str, Callable[[Case], None]]] = {
    "another's key": ("decision_invalid", lambda case: _swap(case, key=person("ben").signer.public)),
    "signed by another": ("decision_invalid", lambda case: _resign(case, by="ben")),
    "under another kind of entry": ("decision_invalid", lambda case: _resign(case, kind="job")),
    "for another job": ("dealing_other", lambda case: _resign(case, job_id=bytes(16))),
    "under a weaker policy than was signed": ("dealing_other", _other_policy),
    "with another dealing than was signed": ("dealing_other", _other_dealing),
    "by too few": ("redeal_incomplete", _drop),
    "by a stranger": ("custodian_unknown", _stranger),
}


@pytest.mark.parametrize("name", TRICKS)
def test_nobody_else_changes_who_custodians_are(name: str, case: Case) -> None:
    code, trick = TRICKS[name]
    trick(case)
    with pytest.raises(CustodianError) as refused:
        case.take_over()
    assert refused.value.code == code


def test_a_handover_belongs_to_its_job_and_its_old_policy(case: Case) -> None:
    for old, job_id in ((case.old, bytes(16)), (custody_policy(), JOB_ID)):
        with pytest.raises(CustodianError) as refused:
            take_over(old, case.dealt.sharing, job_id, case.new, case.dealings)
        assert refused.value.code == "sharing_invalid"


def test_a_dealer_signs_no_dealing_by_another_rule(case: Case) -> None:
    made = case.redealt[person("ada").digest].sharing
    with pytest.raises(CustodianError) as refused:
        sign_dealing(case.dealt.sharing, made, JOB_ID, case.old, person("ada"), ASKED_AT, b"")
    assert refused.value.code == "sharing_invalid"
