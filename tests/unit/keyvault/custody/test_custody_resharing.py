"""Re-sharing: to a changed group without the key, refreshed shares, and dealers who lie."""

from __future__ import annotations

import dataclasses

import pytest

from keyvault.custody import group
from keyvault.custody.errors import CustodianError
from keyvault.custody.resharing import new_share, new_sharing, redeal
from keyvault.custody.rule import Gate
from keyvault.custody.sharing import Dealt, Share, Sharing, deal, job_context

CONTEXT = job_context(b"j" * 16)


def custodian(number: int) -> str:
    return f"{number:064x}"


def of(need: int, *numbers: int) -> Gate:
    return Gate(need, tuple(custodian(number) for number in numbers))


GROUPS = {
    "2 of 3 to 3 of 5": (of(2, 1, 2, 3), {1, 3}, of(3, 11, 12, 13, 14, 15), {11, 13, 15}),
    "a refresh of 2 of 3": (of(2, 1, 2, 3), {2, 3}, of(2, 1, 2, 3), {1, 2}),
    "3 of 5 to 2 of 3, some stay": (of(3, 1, 2, 3, 4, 5), {1, 2, 5}, of(2, 5, 6, 7), {5, 7}),
    "a list to groups": (of(2, 1, 2, 3), {1, 2}, Gate(2, (of(1, 1, 2), of(2, 3, 4, 5))), {2, 3, 5}),
    "groups to a list": (Gate(2, (of(1, 1, 2), of(2, 3, 4, 5))), {1, 4, 5}, of(2, 7, 8, 9), {8, 9}),
    "one to one": (of(1, 1), {1}, of(1, 2), {2}),
}


def dealings(dealt: Dealt, dealers: set[int], rule: Gate) -> dict[str, Dealt]:
    return {
        custodian(n): redeal(dealt.sharing, custodian(n), dealt.shares[custodian(n)], rule) for n in dealers
    }


def public(redeals: dict[str, Dealt]) -> dict[str, Sharing]:
    return {dealer: dealing.sharing for dealer, dealing in redeals.items()}


def shares_of(old: Sharing, redeals: dict[str, Dealt], rule: Gate) -> dict[str, Share]:
    return {
        holder: new_share(
            old, public(redeals), holder, {dealer: one.shares[holder] for dealer, one in redeals.items()}
        )
        for holder in rule.custodians
    }


@pytest.mark.parametrize("name", GROUPS)
def test_the_new_group_has_the_same_secret_in_other_shares(name: str) -> None:
    old_rule, dealers, rule, enough = GROUPS[name]
    dealt = deal(old_rule, CONTEXT)
    redeals = dealings(dealt, dealers, rule)
    sharing = new_sharing(dealt.sharing, public(redeals))
    shares = shares_of(dealt.sharing, redeals, rule)
    assert sharing.epoch == 1
    assert sharing.root == dealt.sharing.root
    assert sharing.rebuild({custodian(n): shares[custodian(n)] for n in enough}) == dealt.secret
    assert Sharing.from_bytes(sharing.to_bytes()) == sharing
    for holder in set(shares) & set(dealt.shares):
        assert shares[holder] != dealt.shares[holder]


def test_it_can_be_done_again_and_again() -> None:
    dealt = deal(of(2, 1, 2, 3), CONTEXT)
    secret, rule = dealt.secret, of(2, 1, 2, 3)
    for epoch in (1, 2, 3):
        redeals = dealings(dealt, {1, 2}, rule)
        shares = shares_of(dealt.sharing, redeals, rule)
        dealt = Dealt(new_sharing(dealt.sharing, public(redeals)), shares, secret)
        assert dealt.sharing.epoch == epoch
    assert dealt.sharing.rebuild(dict(list(dealt.shares.items())[1:])) == secret


def test_old_and_new_shares_do_not_fit_together() -> None:
    dealt = deal(of(2, 1, 2, 3), CONTEXT)
    redeals = dealings(dealt, {1, 2}, of(2, 1, 2, 3))
    sharing = new_sharing(dealt.sharing, public(redeals))
    shares = shares_of(dealt.sharing, redeals, of(2, 1, 2, 3))
    mixed = {custodian(1): shares[custodian(1)], custodian(3): dealt.shares[custodian(3)]}
    for against in (sharing, dealt.sharing):
        with pytest.raises(CustodianError) as refused:
            against.rebuild(mixed)
        assert refused.value.code == "share_false"


def test_a_dealer_who_divides_something_else_is_named() -> None:
    dealt = deal(of(2, 1, 2, 3), CONTEXT)
    rule = of(2, 4, 5)
    redeals = public(dealings(dealt, {1, 2}, rule))
    honest = redeals[custodian(1)]
    lies = {
        "another secret": deal(rule, CONTEXT, epoch=1).sharing,
        "another's share": deal(rule, CONTEXT, dealt.shares[custodian(2)], 1).sharing,
        "for another job": deal(rule, job_context(bytes(16)), dealt.shares[custodian(1)], 1).sharing,
        "of an old epoch": deal(rule, CONTEXT, dealt.shares[custodian(1)], 0).sharing,
        "by another rule": deal(of(1, 4, 5), CONTEXT, dealt.shares[custodian(1)], 1).sharing,
    }
    for name, lie in lies.items():
        with pytest.raises(CustodianError) as refused:
            new_sharing(dealt.sharing, {custodian(2): redeals[custodian(2)], custodian(1): lie})
        assert refused.value.code == "redeal_false", name
    with pytest.raises(CustodianError) as refused:
        new_sharing(
            dealt.sharing, {custodian(1): lies["another secret"], custodian(2): redeals[custodian(2)]}
        )
    assert refused.value.custodian == custodian(1)
    assert new_sharing(dealt.sharing, {**redeals, custodian(1): honest}).epoch == 1


def test_a_dealer_who_hands_out_a_false_part_is_named() -> None:
    dealt = deal(of(2, 1, 2, 3), CONTEXT)
    redeals = dealings(dealt, {1, 3}, of(2, 4, 5))
    parts = {dealer: one.shares[custodian(5)] for dealer, one in redeals.items()}
    parts[custodian(3)] = dataclasses.replace(parts[custodian(3)], value=group.random_scalar())
    with pytest.raises(CustodianError) as refused:
        new_share(dealt.sharing, public(redeals), custodian(5), parts)
    assert (refused.value.code, refused.value.custodian) == ("redeal_false", custodian(3))


@pytest.mark.parametrize("dealers", [{1}, {1, 2, 3}, set()], ids=["too few", "too many", "none"])
def test_it_takes_exactly_a_quorum_of_dealers(dealers: set[int]) -> None:
    dealt = deal(of(2, 1, 2, 3), CONTEXT)
    with pytest.raises(CustodianError) as refused:
        new_sharing(dealt.sharing, public(dealings(dealt, dealers, of(1, 4))))
    assert refused.value.code == "redeal_incomplete"


def test_a_part_too_few_or_for_a_stranger_is_refused() -> None:
    dealt = deal(of(2, 1, 2, 3), CONTEXT)
    redeals = dealings(dealt, {1, 3}, of(2, 4, 5))
    parts = {dealer: one.shares[custodian(5)] for dealer, one in redeals.items()}
    with pytest.raises(CustodianError) as refused:
        new_share(dealt.sharing, public(redeals), custodian(5), {custodian(1): parts[custodian(1)]})
    assert refused.value.code == "redeal_incomplete"
    with pytest.raises(CustodianError) as refused:
        new_share(dealt.sharing, public(redeals), custodian(9), parts)
    assert refused.value.code == "custodian_unknown"


def test_nobody_deals_with_a_share_that_is_not_theirs() -> None:
    dealt = deal(of(2, 1, 2, 3), CONTEXT)
    with pytest.raises(CustodianError) as refused:
        redeal(dealt.sharing, custodian(1), dealt.shares[custodian(2)], of(1, 4))
    assert (refused.value.code, refused.value.custodian) == ("share_false", custodian(1))
