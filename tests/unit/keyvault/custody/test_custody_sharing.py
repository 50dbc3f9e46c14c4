"""Sharing: every threshold and group rule, lying shares by name, and that too few shares tell nothing."""

from __future__ import annotations

import dataclasses
import itertools
import json

import pytest

from keyvault.custody import group
from keyvault.custody.errors import CustodianError
from keyvault.custody.rule import Gate
from keyvault.custody.sharing import Dealt, Share, Sharing, deal, job_context, recovery_key
from tests.unit.keyvault.custody import plain_group as plain

CONTEXT = job_context(bytes(range(16)))


def custodian(number: int) -> str:
    return f"{number:064x}"


def of(need: int, *numbers: int) -> Gate:
    return Gate(need, tuple(custodian(number) for number in numbers))


EDITOR_AND_LAWYERS = Gate(2, (of(1, 1, 2), of(2, 3, 4, 5)))
CHIEF_OR_TWO = Gate(1, (custodian(1), of(2, 2, 3, 4)))
DEEP = Gate(2, (custodian(1), Gate(1, (of(2, 2, 3), Gate(2, (custodian(4), of(1, 5, 6)))))))

RULES = {
    "1 of 1": (of(1, 1), [{1}], [set()]),
    "1 of 3": (of(1, 1, 2, 3), [{1}, {2}, {3}, {1, 2, 3}], [set()]),
    "2 of 2": (of(2, 1, 2), [{1, 2}], [{1}, {2}]),
    "2 of 3": (of(2, 1, 2, 3), [{1, 2}, {1, 3}, {2, 3}, {1, 2, 3}], [set(), {1}, {2}, {3}]),
    "3 of 5": (of(3, 1, 2, 3, 4, 5), [{1, 2, 3}, {1, 3, 5}, {3, 4, 5}, {1, 2, 3, 4, 5}], [{1, 2}, {4, 5}]),
    "5 of 5": (of(5, 1, 2, 3, 4, 5), [{1, 2, 3, 4, 5}], [{1, 2, 3, 4}, {2, 3, 4, 5}]),
    "an editor AND two of three lawyers": (
        EDITOR_AND_LAWYERS,
        [{1, 3, 4}, {2, 4, 5}, {1, 2, 3, 4, 5}],
        [{1, 2}, {3, 4, 5}, {1, 3}, {1, 2, 5}],
    ),
    "the chief OR two of three": (CHIEF_OR_TWO, [{1}, {2, 3}, {3, 4}, {1, 2}], [{2}, {4}, set()]),
    "four levels": (DEEP, [{1, 2, 3}, {1, 4, 5}, {1, 4, 6}], [{2, 3}, {1, 2}, {1, 5, 6}, {4, 5, 6}, {1, 4}]),
}


def rebuild(dealt: Dealt, numbers: set[int]) -> bytes:
    return dealt.sharing.rebuild({custodian(n): dealt.shares[custodian(n)] for n in numbers})


@pytest.mark.parametrize("name", RULES)
def test_who_suffices_rebuilds_the_secret_and_nobody_else(name: str) -> None:
    rule, enough, too_few = RULES[name]
    dealt = deal(rule, CONTEXT)
    for numbers in enough:
        assert rebuild(dealt, numbers) == dealt.secret
    for numbers in too_few:
        with pytest.raises(CustodianError) as refused:
            rebuild(dealt, numbers)
        assert refused.value.code == "quorum_not_met"


@pytest.mark.parametrize("name", RULES)
def test_every_subset_is_judged_as_plain_counting_does(name: str) -> None:
    rule, _, _ = RULES[name]

    def suffices(member: Gate | str, present: set[str]) -> bool:
        if isinstance(member, str):
            return member in present
        return sum(suffices(one, present) for one in member.members) >= member.need

    everyone = rule.custodians
    for size in range(len(everyone) + 1):
        for chosen in itertools.combinations(everyone, size):
            assert rule.is_met_by(chosen) == suffices(rule, set(chosen))


@pytest.mark.parametrize("name", RULES)
def test_the_public_part_reads_back_to_the_same_bytes(name: str) -> None:
    dealt = deal(RULES[name][0], CONTEXT)
    encoded = dealt.sharing.to_bytes()
    assert Sharing.from_bytes(encoded) == dealt.sharing
    assert Sharing.from_bytes(encoded).digest == dealt.sharing.digest


def test_shares_are_the_values_of_a_polynomial_in_plain_integers() -> None:
    dealt = deal(of(3, 1, 2, 3, 4, 5), CONTEXT)
    for part in ("value", "blinding"):
        values = [int.from_bytes(getattr(share, part), "little") for share in dealt.shares.values()]
        first = dict(zip((1, 2, 3), values, strict=False))
        assert plain.interpolate_at(first, 4) == values[3]
        assert plain.interpolate_at(first, 5) == values[4]
        if part == "value":
            assert plain.interpolate_at(first, 0) == int.from_bytes(dealt.secret, "little")


def test_commitments_are_those_of_plain_integers() -> None:
    """The check of a share, once more, without a line of libsodium."""
    dealt = deal(of(2, 1, 2, 3), CONTEXT)
    h = plain.decode(group.second_base())
    points = [plain.decode(point) for point in dealt.sharing.commitments[()]]
    assert h is not None
    assert points[0] is not None
    assert points[1] is not None
    for place, share in enumerate(dealt.shares.values(), start=1):
        value, blinding = (int.from_bytes(part, "little") for part in (share.value, share.blinding))
        left = plain.add(plain.times(value, plain.BASE), plain.times(blinding, h))
        assert left == plain.add(points[0], plain.times(place, points[1]))


def test_too_few_shares_and_all_that_is_public_fit_every_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the logarithm of H, which nobody has, the same view is made for any other secret whatever."""
    logarithm = 0x1234567890ABCDEF
    monkeypatch.setattr(group, "second_base", lambda: plain.encode(plain.times(logarithm, plain.BASE)))
    dealt = deal(of(3, 1, 2, 3, 4, 5), CONTEXT)
    held = {place: dealt.shares[custodian(place)] for place in (2, 5)}
    real = int.from_bytes(dealt.secret, "little")
    for other in (1, 2, plain.L - 1, real ^ 1, 0xFEEDFACE):
        # The one polynomial through the other secret and both shares; and the blinding that hides it.
        values = {0: other, **{place: int.from_bytes(share.value, "little") for place, share in held.items()}}
        shift = (real - other) * pow(logarithm, -1, plain.L)
        all_blindings = {
            place: int.from_bytes(share.blinding, "little")
            for place, share in enumerate(dealt.shares.values(), start=1)
        }
        blindings = {
            0: (plain.interpolate_at({p: all_blindings[p] for p in (1, 2, 3)}, 0) + shift) % plain.L,
            **{place: int.from_bytes(share.blinding, "little") for place, share in held.items()},
        }
        for place in (1, 2, 3, 4, 5):
            share = Share(
                plain.interpolate_at(values, place).to_bytes(32, "little"),
                plain.interpolate_at(blindings, place).to_bytes(32, "little"),
            )
            dealt.sharing.require_true(custodian(place), share)
        assert other != real


def test_a_lying_share_is_named_and_the_secret_stays_shut() -> None:
    dealt = deal(EDITOR_AND_LAWYERS, CONTEXT)
    liar = custodian(4)
    honest = dealt.shares[liar]
    lies = {
        "another value": Share(group.random_scalar(), honest.blinding),
        "another blinding": Share(honest.value, group.random_scalar()),
        "the two exchanged": Share(honest.blinding, honest.value),
        "somebody else's": dealt.shares[custodian(3)],
        "off by one": Share(group.add(honest.value, group.small_scalar(1)), honest.blinding),
    }
    for lie in lies.values():
        with pytest.raises(CustodianError) as refused:
            dealt.sharing.rebuild(
                {
                    custodian(1): dealt.shares[custodian(1)],
                    custodian(3): dealt.shares[custodian(3)],
                    liar: lie,
                }
            )
        assert (refused.value.code, refused.value.custodian) == ("share_false", liar)


def test_a_stranger_is_no_custodian() -> None:
    dealt = deal(of(1, 1, 2), CONTEXT)
    with pytest.raises(CustodianError) as refused:
        dealt.sharing.rebuild({custodian(9): dealt.shares[custodian(1)]})
    assert refused.value.code == "custodian_unknown"


BAD_GATES = {
    "nobody is needed": (0, (custodian(1),)),
    "more are needed than there are": (2, (custodian(1),)),
    "no members": (1, ()),
    "one custodian twice": (1, (custodian(1), custodian(1))),
    "one custodian in two groups": (2, (of(1, 1, 2), of(1, 2, 3))),
    "a need that is true": (True, (custodian(1),)),
    "no digest": (1, ("ada",)),
    "a digest in capitals": (1, ("A" * 64,)),
    "sixty-five custodians": (1, tuple(custodian(number) for number in range(65))),
    "sixty-six in two groups": (1, (of(1, *range(33)), of(1, *range(33, 66)))),
    "five levels": (1, (Gate(1, (Gate(1, (Gate(1, (of(1, 1),)),)),)),)),
}


@pytest.mark.parametrize("name", BAD_GATES)
def test_a_rule_that_means_nothing_is_refused(name: str) -> None:
    need, members = BAD_GATES[name]
    with pytest.raises(CustodianError) as refused:
        Gate(need, members)
    assert refused.value.code == "rule_invalid"


def test_a_key_belongs_to_one_job() -> None:
    secret = deal(of(1, 1), CONTEXT).secret
    other = job_context(bytes(16))
    assert recovery_key(secret, CONTEXT) != recovery_key(secret, other)
    assert len(recovery_key(secret, CONTEXT)) == 32
    with pytest.raises(ValueError, match="16 bytes"):
        job_context(bytes(15))


def _changed(sharing: Sharing, **changes: object) -> bytes:
    return json.dumps(
        {**json.loads(sharing.to_bytes()), **changes}, sort_keys=True, separators=(",", ":")
    ).encode()


def test_a_changed_public_part_is_refused() -> None:
    sharing = deal(EDITOR_AND_LAWYERS, CONTEXT).sharing
    other = deal(EDITOR_AND_LAWYERS, CONTEXT).sharing
    good = json.loads(sharing.to_bytes())["commitments"]
    swapped = json.loads(other.to_bytes())["commitments"]
    small = "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"
    changes = {
        "a lower gate of another dealing": {"commitments": {**good, "2": swapped["2"]}},
        "the root of another dealing": {"commitments": {**good, "": swapped[""]}},
        "a commitment too few": {"commitments": {**good, "2": good["2"][:1]}},
        "a commitment too many": {"commitments": {**good, "1": good["1"] * 2}},
        "a gate without": {"commitments": {"": good[""], "1": good["1"]}},
        "a gate that is none": {"commitments": {**good, "3": good["2"]}},
        "a point of small order": {"commitments": {**good, "": [good[""][0], small]}},
        "capitals": {"commitments": {**good, "1": [good["1"][0].upper()]}},
        "no list": {"commitments": {**good, "1": good["1"][0]}},
        "a negative epoch": {"epoch": -1},
        "an epoch that is true": {"epoch": True},
        "another format": {"format": "bauta.sharing/v2"},
        "a field too many": {"more": 1},
        "a short context": {"context": "00"},
        "another rule": {"rule": of(2, 1, 2).to_object()},
        "a rule of text": {"rule": "anybody"},
    }
    for name, change in changes.items():
        with pytest.raises(CustodianError) as refused:
            Sharing.from_bytes(_changed(sharing, **change))
        assert refused.value.code in {"sharing_invalid", "rule_invalid", "point_invalid"}, name
    assert Sharing.from_bytes(_changed(sharing)) == sharing
    with pytest.raises(CustodianError):
        Sharing.from_bytes(sharing.to_bytes() + b" ")


def test_nothing_secret_is_shown() -> None:
    dealt = deal(of(2, 1, 2), CONTEXT)
    share = dealt.shares[custodian(1)]
    shown = repr(dealt) + repr(share) + str(dataclasses.asdict(dealt.sharing))
    for secret in (dealt.secret, share.value, share.blinding):
        assert repr(secret) not in shown
        assert secret.hex() not in shown
