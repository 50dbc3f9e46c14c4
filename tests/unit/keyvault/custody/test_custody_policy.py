"""Custody policies: every group rule, and every way to write one that means less than it seems to."""

from __future__ import annotations

import pytest

from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import MAX_POLICY_BYTES, parse_custody_policy
from tests.unit.keyvault.custody.custody_makers import custodian_tables, custody_text, person


def group(name: str, need: str, *of: str) -> str:
    members = ", ".join(f'"{member}"' for member in of)
    return f'[[groups]]\nname = "{name}"\nneed = {need}\nof = [{members}]\n'


HEAD = 'schema = "bauta.custody/v1"\nname = "n"\nsummary = "s"\nquorum = "q"\n'
FIVE = ("a", "b", "c", "d", "e")

RULES = {
    "one of one": (("a",), [group("q", "1", "a")], ["a"], []),
    "all of three": (("a", "b", "c"), [group("q", '"all"', "a", "b", "c")], ["abc"], ["ab", "bc", ""]),
    "any of three": (("a", "b", "c"), [group("q", '"any"', "a", "b", "c")], ["a", "c", "abc"], [""]),
    "two of three": (("a", "b", "c"), [group("q", "2", "a", "b", "c")], ["ab", "ac", "bc"], ["a", "c"]),
    "three of five": (FIVE, [group("q", "3", *FIVE)], ["abc", "cde", "abcde"], ["ab", "de"]),
    "one editor and two of three lawyers": (
        FIVE,
        [group("q", '"all"', "x", "y"), group("x", '"any"', "a", "b"), group("y", "2", "c", "d", "e")],
        ["acd", "bce", "abcde"],
        ["ab", "cde", "ac"],
    ),
    "the chief, or two of four": (
        FIVE,
        [group("q", '"any"', "a", "y"), group("y", "2", "b", "c", "d", "e")],
        ["a", "bc", "de"],
        ["b", "e", ""],
    ),
    "two of (a pair, a pair, one)": (
        FIVE,
        [group("q", "2", "x", "y", "e"), group("x", '"all"', "a", "b"), group("y", '"all"', "c", "d")],
        ["abcd", "abe", "cde"],
        ["ace", "ab", "bde"],
    ),
    "groups of groups, written in any order": (
        FIVE,
        [group("z", '"all"', "d", "e"), group("y", '"any"', "c", "z"), group("q", '"all"', "a", "b", "y")],
        ["abc", "abde"],
        ["abd", "bcde"],
    ),
}


@pytest.mark.parametrize("name", RULES)
def test_every_rule_takes_whom_it_says_and_nobody_else(name: str) -> None:
    people, groups, enough, too_few = RULES[name]
    policy = parse_custody_policy(
        custody_text(head=HEAD, custodians=custodian_tables(people), groups="".join(groups))
    )
    assert set(policy.custodians) == {person(one).digest for one in people}
    for present in enough:
        assert policy.rule.is_met_by({person(one).digest for one in present}), present
    for present in too_few:
        assert not policy.rule.is_met_by({person(one).digest for one in present}), present


def test_the_policy_says_what_its_text_says() -> None:
    policy = parse_custody_policy(custody_text())
    assert policy.requests.purposes == ("court_order", "medical_care")
    assert policy.requesters[person("desk").digest].purposes == ("court_order", "medical_care")
    assert policy.requesters[person("ada").digest].purposes == ("medical_care",)
    assert (policy.requests.cool_off_minutes, policy.requests.longest_hours) == (60, 72)
    assert (policy.requests.most_tracks, policy.requests.most_seconds) == (2, 30)
    assert (policy.tell, policy.hold_back_days) == (("custodians", "submitter"), 7)
    assert policy.custodians[person("eve").digest].recipient == str(person("eve").identity.recipient)


def _twice(name: str, key: str) -> str:
    """Two custodians, Ada and one who has one thing from her."""
    ada, other = custodian_tables(["ada"]), custodian_tables([name])
    values = [line for line in ada.splitlines() if line.startswith(key)]
    return ada + "\n".join(values[0] if line.startswith(key) else line for line in other.splitlines())


REQUESTS = {
    "purposes": '["court_order", "medical_care"]',
    "legal_bases": '["court_order", "consent"]',
    "longest_hours": "72",
    "cool_off_minutes": "60",
    "most_tracks": "2",
    "most_seconds": "30",
}


def requests(**changes: str) -> str:
    values = {**REQUESTS, **changes}
    return "[requests]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value)


LAST = group("lawyers", "2", "chloe", "dan", "eve")
EDITORS = group("editors", '"any"', "ada", "ben")
BOTH = group("both", '"all"', "editors", "lawyers")
BAD = {
    "another schema": {"head": HEAD.replace("v1", "v2")},
    "no quorum": {"head": HEAD.replace('quorum = "q"\n', "")},
    "a quorum of nobody's name": {"head": HEAD},
    "a custodian as quorum": {"head": HEAD.replace('"q"', '"ada"')},
    "no TOML": {"head": "schema = "},
    "an unknown key": {"head": HEAD.replace('"q"', '"both"') + "quorums = 2\n"},
    "a name with a capital": {"head": HEAD.replace('"q"', '"both"').replace('"n"', '"N"')},
    "no custodians": {"custodians": ""},
    "a custodian without a group": {"groups": BOTH + EDITORS + group("lawyers", "1", "chloe", "dan")},
    "a group without a place": {"groups": BOTH + EDITORS + LAST + group("more", "1", "ada")},
    "a custodian in two groups": {
        "groups": BOTH + EDITORS + group("lawyers", "2", "chloe", "dan", "eve", "ada")
    },
    "a custodian twice in a group": {
        "groups": BOTH + EDITORS + group("lawyers", "2", "chloe", "chloe", "dan")
    },
    "a member whom nobody knows": {"groups": BOTH + EDITORS + group("lawyers", "2", "chloe", "dan", "eva")},
    "a group in itself": {"groups": group("both", '"any"', "both", "lawyers", "editors") + EDITORS + LAST},
    "two groups in each other": {
        "groups": BOTH + group("editors", '"any"', "ada", "ben", "lawyers") + group("lawyers", "1", "editors")
    },
    "a need of none": {"groups": BOTH + EDITORS + group("lawyers", "0", "chloe", "dan", "eve")},
    "a need of more than there are": {
        "groups": BOTH + EDITORS + group("lawyers", "4", "chloe", "dan", "eve")
    },
    "a need in words": {"groups": BOTH + EDITORS + group("lawyers", '"most"', "chloe", "dan", "eve")},
    "a need of true": {"groups": BOTH + EDITORS + group("lawyers", "true", "chloe", "dan", "eve")},
    "two groups of one name": {"groups": BOTH + EDITORS + LAST + EDITORS},
    "a group of a custodian's name": {"groups": BOTH + EDITORS + LAST + group("ada", "1", "ben")},
    "two custodians with one name": {"custodians": _twice("ben", "name")},
    "two custodians with one signing key": {"custodians": _twice("ben", "keys")},
    "two custodians with one recipient": {"custodians": _twice("ben", "recipient")},
    "a recipient that is not post-quantum": {
        "custodians": custodian_tables(["ada"]).replace("age1pq1", "age1", 1)
    },
    "a recipient with a slip": {"custodians": custodian_tables(["ada"])[:-3] + 'qq"\n'},
    "nobody may ask": {"requesters": ""},
    "a requester for what the policy does not take": {
        "requesters": f'[[requesters]]\nname = "d"\nkeys = "{"0" * 64}"\npurposes = ["source_request"]\n'
    },
    "two requesters with one key": {
        "requesters": f'[[requesters]]\nname = "d"\nkeys = "{"0" * 64}"\n'
        f'[[requesters]]\nname = "e"\nkeys = "{"0" * 64}"\n'
    },
    "a purpose that is none": {"requests": requests(purposes='["curiosity"]')},
    "a legal basis that is none": {"requests": requests(legal_bases='["because"]')},
    "no purposes": {"requests": requests(purposes="[]")},
    "no cool-off said": {"requests": requests(cool_off_minutes="")},
    "a negative cool-off": {"requests": requests(cool_off_minutes="-1")},
    "a cool-off that outlasts every request": {"requests": requests(cool_off_minutes="4320")},
    "requests without end": {"requests": requests(longest_hours="1000000")},
    "no tracks": {"requests": requests(most_tracks="0")},
    "half a second": {"requests": requests(most_seconds="0.5")},
    "nobody is told": {"notice": "[notice]\ntell = []\nhold_back_days = 0\n"},
    "the press is told": {"notice": '[notice]\ntell = ["press"]\nhold_back_days = 0\n'},
    "held back from nobody": {"notice": '[notice]\ntell = ["custodians"]\nhold_back_days = 7\n'},
    "too many dots": {"head": HEAD + ".".join("a" * 80) + " = 1\n"},
    "too large": {"head": HEAD + "#" * MAX_POLICY_BYTES},
}


@pytest.mark.parametrize("name", BAD)
def test_a_policy_that_is_not_exactly_right_is_refused(name: str) -> None:
    with pytest.raises(CustodianError) as refused:
        parse_custody_policy(custody_text(**BAD[name]))
    assert refused.value.code == "custody_policy_invalid"
    assert person("ada").digest not in str(refused.value)
