"""Reversible policies and their terms: who decides is said, or there is nothing to decide."""

from __future__ import annotations

import json

import pytest
from enclave_makers import POLICY_TEXT, RECIPIENT

from enclave.errors import PolicyError, TermsError
from enclave.policy import Terms, parse_policy, parse_preamble, parse_terms, shipped, upload_preamble
from keyvault.custody.policy import parse_custody_policy
from tests.unit.keyvault.custody.custody_makers import custodian_tables, custody_text

KEEPING = POLICY_TEXT + '\n[recovery]\nkeep = "covers"\n'


def asked(policy: str = KEEPING, custody: str | None = None) -> Terms:
    who = parse_custody_policy(custody) if custody is not None else None
    return Terms(parse_policy(policy), "balanced", (RECIPIENT,), who)


def test_a_policy_keeps_nothing_unless_it_says_so() -> None:
    assert not parse_policy(POLICY_TEXT).recovery.keeps
    assert parse_policy(KEEPING).recovery.keeps
    assert not any(policy.recovery.keeps for policy in shipped().values())


WRONG_TABLES = {
    "an empty table": "[recovery]\n",
    "another word": '[recovery]\nkeep = "everything"\n',
    "nothing, said aloud": '[recovery]\nkeep = ""\n',
    "a flag": "[recovery]\nkeep = true\n",
    "a key that there is not": '[recovery]\nkeep = "covers"\nfor_days = 30\n',
}


@pytest.mark.parametrize("name", WRONG_TABLES)
def test_a_table_that_is_not_understood_keeps_nothing_and_covers_nothing(name: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(f"{POLICY_TEXT}\n{WRONG_TABLES[name]}")


def test_a_locked_policy_lets_custodians_show_no_more_either() -> None:
    locked = KEEPING.replace("locked = false", "locked = true")
    assert parse_policy(locked.replace('[recovery]\nkeep = "covers"\n', "")).locked
    with pytest.raises(PolicyError, match="locked"):
        parse_policy(locked)


def test_the_custody_policy_travels_whole_in_the_terms_and_in_the_seal() -> None:
    terms = asked(custody=custody_text())
    again = parse_terms(terms.to_bytes())
    assert again == terms
    assert again.custody is not None
    assert again.custody.text == custody_text()
    assert parse_preamble(upload_preamble(terms, bytes(32))).terms == terms
    commented = asked(custody=custody_text() + "# harmless\n")
    assert commented.digest != terms.digest


def test_the_largest_custody_policy_fits() -> None:
    """Thirty-two people, and a text that JSON makes longer."""
    names = [f"keeper-{number}" for number in range(32)]
    text = custody_text(
        custodians=custodian_tables(names),
        groups=f'[[groups]]\nname = "both"\nneed = 20\nof = {json.dumps(names)}\n',
    )
    text += "# " + '"' * 100_000 + "\n"
    terms = asked(custody=text)
    assert parse_terms(terms.to_bytes()) == terms
    assert parse_preamble(upload_preamble(terms, bytes(32))).terms == terms


def changed(**members: object) -> bytes:
    value = {**json.loads(asked(custody=custody_text()).to_bytes()), **members}
    kept = {name: member for name, member in value.items() if member is not None}
    return json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def too_many() -> str:
    names = [f"keeper-{number}" for number in range(33)]
    return custody_text(
        custodians=custodian_tables(names),
        groups=f'[[groups]]\nname = "both"\nneed = 20\nof = {json.dumps(names)}\n',
    )


REFUSED = {
    "a reversible policy without custodians": (lambda: changed(custody=None), "custody_missing"),
    "custodians of nothing": (lambda: changed(policy=POLICY_TEXT), "custody_not_asked"),
    "a custody policy that is none": (lambda: changed(custody="schema = 1"), "custody_policy_invalid"),
    "an empty one": (lambda: changed(custody=""), "custody_policy_invalid"),
    "one that is no text": (lambda: changed(custody=["x"]), "terms_invalid"),
    "more custodians than a sheet is sealed to": (
        lambda: changed(custody=too_many()),
        "custody_policy_invalid",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_terms_without_the_right_custodians_are_refused(name: str) -> None:
    make, code = REFUSED[name]
    with pytest.raises(TermsError) as refusal:
        parse_terms(make())
    assert refusal.value.code == code
