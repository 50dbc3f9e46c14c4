"""After a re-sharing other custodians decide, with other shares: from the log alone, whoever shows it."""

from __future__ import annotations

import dataclasses
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from enclave.disclosure.checking import Granted, check
from enclave.errors import WorkerError
from enclave.host import Materials
from keyvault.custody.decisions import approve
from keyvault.custody.errors import CustodianError
from keyvault.custody.handover import sign_dealing
from keyvault.custody.policy import CustodyPolicy
from keyvault.custody.requests import check_request
from keyvault.custody.resharing import new_share, new_sharing, redeal
from keyvault.custody.seals import dealt_info, seal_share
from keyvault.custody.sharing import Dealt, Share, Sharing, deal, job_context, recovery_key
from keyvault.release import OneJobKey
from tests.disclosure_world import (
    CUSTODIANS,
    JOB_ID,
    LATER,
    Asked,
    Counter,
    World,
    as_read,
    order_of,
    policy_of,
)
from tests.unit.keyvault.custody.custody_makers import ASKED_AT, EDITORS, LAWYERS, person

AFTER = policy_of((*EDITORS, *LAWYERS), 3)


@dataclasses.dataclass
class Reshared:
    """A job whose recovery key went from two of three to three of five, on record.

    Attributes:
        world: the job.
        redealt: what those dealt who count.
        public: the public parts of what everybody dealt.
        sharing: what came of it.
    """

    world: World
    redealt: dict[str, Dealt]
    public: tuple[bytes, ...]
    sharing: Sharing

    @classmethod
    def make(cls, folder: Path, dealers: tuple[str, ...] = ("ada", "chloe"), lie: str = "") -> Reshared:
        """The dealers deal in this order; one of them, perhaps, something else than their share."""
        world = World.make(folder)
        old, redealt = world.dealt.sharing, {}
        for name in dealers:
            whose = person(name)
            own = redeal(old, whose.digest, world.dealt.shares[whose.digest], AFTER.rule)
            dealing = deal(AFTER.rule, old.context, epoch=old.epoch + 1) if name == lie else own
            signed = sign_dealing(old, dealing.sharing, JOB_ID, AFTER, whose, ASKED_AT, b"")
            world.log.prove(signed, "resharing")
            redealt[whose.digest] = dealing
        true = {digest: made for digest, made in redealt.items() if digest != person(lie or "eve").digest}
        quorum = old.rule.weights(true)
        made = new_sharing(old, {digest: true[digest].sharing for digest in quorum})
        public = tuple(dealing.sharing.to_bytes() for dealing in redealt.values())
        return cls(world, {digest: true[digest] for digest in quorum}, public, made)

    def share_of(self, name: str) -> Share:
        """What somebody computes out of what all dealers gave them."""
        own = person(name).digest
        public = {dealer: made.sharing for dealer, made in self.redealt.items()}
        parts = {dealer: made.shares[own] for dealer, made in self.redealt.items()}
        return new_share(self.world.dealt.sharing, public, own, parts)

    def release(self, *names: str, policy: CustodyPolicy = AFTER, **changes: Any) -> Granted:
        """These approve with their new shares, and all is shown."""
        key = OneJobKey.generate()
        asked = Asked.begin(self.world, key.public_key, custody_policy_sha256=policy.digest.hex())
        request = check_request(policy, asked.request, person("desk").signer.public)
        for name in names:
            whose = person(name)
            info = dealt_info(self.sharing, whose.digest)
            sealed = seal_share(self.share_of(name), whose.identity.recipient, info)
            approval = approve(
                policy, self.sharing, request, whose, sealed, key.public_key, ASKED_AT + timedelta(minutes=1)
            )
            self.world.log.prove(approval.envelope, "disclosure-approval")
            asked.approvals.append(approval)
        self.world.log.now = LATER
        counting = Counter(order_of(self.world, asked.request), key).count(self.world.log)
        return check(counting, as_read(self.shown(asked, **changes)))

    def shown(self, asked: Asked, **changes: Any) -> Materials:
        """As an honest front desk has it, with what was dealt."""
        return asked.materials(
            **{
                "custody_policies": (self.world.policy.text, AFTER.text),
                "redealt": self.public,
                **changes,
            }
        )


def test_from_two_of_three_to_three_of_five(tmp_path: Path) -> None:
    case = Reshared.make(tmp_path)
    granted = case.release("ben", "dan", "eve")
    assert granted.recovery_key == recovery_key(case.world.dealt.secret, job_context(JOB_ID))


def test_two_of_five_are_not_enough_any_more(tmp_path: Path) -> None:
    with pytest.raises(CustodianError) as refused:
        Reshared.make(tmp_path).release("ben", "dan")
    assert refused.value.code == "quorum_not_met"


def test_the_old_policy_decides_no_more(tmp_path: Path) -> None:
    case = Reshared.make(tmp_path)
    asked = Asked.begin(case.world, OneJobKey.generate().public_key)
    asked.approve(*CUSTODIANS[:2])
    case.world.log.now = LATER
    counting = Counter(order_of(case.world, asked.request), OneJobKey.generate()).count(case.world.log)
    with pytest.raises(CustodianError) as refused:
        check(counting, as_read(case.shown(asked)))
    assert refused.value.code == "request_other_policy"


@pytest.mark.parametrize(
    ("left_out", "code"),
    [("redealt", "sharing_changed"), ("custody_policies", "custody_policy_changed")],
)
def test_a_resharing_cannot_be_hidden(tmp_path: Path, left_out: str, code: str) -> None:
    case = Reshared.make(tmp_path)
    shown = {"redealt": (), "custody_policies": (case.world.policy.text,)}[left_out]
    with pytest.raises(WorkerError) as refused:
        case.release("ben", "dan", "eve", **{left_out: shown})
    assert refused.value.code == code


def test_one_dealer_of_two_changes_nothing(tmp_path: Path) -> None:
    """Old shares and the old policy hold until a quorum has dealt."""
    world = World.make(tmp_path)
    ada = person("ada")
    dealing = redeal(world.dealt.sharing, ada.digest, world.dealt.shares[ada.digest], AFTER.rule)
    signed = sign_dealing(world.dealt.sharing, dealing.sharing, JOB_ID, AFTER, ada, ASKED_AT, b"")
    world.log.prove(signed, "resharing")
    key = OneJobKey.generate()
    asked = Asked.begin(world, key.public_key)
    asked.approve("ada", "ben")
    world.log.now = LATER
    counting = Counter(order_of(world, asked.request), key).count(world.log)
    materials = asked.materials(
        custody_policies=(world.policy.text, AFTER.text), redealt=(dealing.sharing.to_bytes(),)
    )
    assert check(counting, as_read(materials)).approvals_sha256


def test_a_false_dealer_is_left_out_where_the_others_suffice(tmp_path: Path) -> None:
    case = Reshared.make(tmp_path, dealers=("ben", "ada", "chloe"), lie="ben")
    assert set(case.redealt) == {person("ada").digest, person("chloe").digest}
    granted = case.release("ben", "dan", "eve")
    assert granted.recovery_key == recovery_key(case.world.dealt.secret, job_context(JOB_ID))
    # On record it is, false or not: so it has to be shown.
    with pytest.raises(WorkerError) as refused:
        case.release("ben", "dan", "eve", redealt=case.public[1:])
    assert refused.value.code == "sharing_changed"
