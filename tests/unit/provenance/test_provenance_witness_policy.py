"""Witness policies: what the specification allows is read, everything else is refused with its line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from provenance.errors import FormatError, ProvenanceError
from provenance.note import ed25519_vkey
from provenance.witness.policy import MAX_GROUPS, MAX_POLICY_BYTES, MAX_WITNESSES, parse_policy
from provenance.witness.quorum import require_own_log, require_quorum
from tests.unit.provenance.provenance_makers import ORIGIN, TestLogKeys
from tests.unit.provenance.witness_makers import WITNESSES, TestWitness, cosigned, policy_text, with_lines

X1, X2, X3, Y1, Y2, Y3 = (TestWitness(f"{name}.test/w") for name in ("x1", "x2", "x3", "y1", "y2", "y3"))
LOG = TestLogKeys()
NOTE = LOG.sign_checkpoint(f"{ORIGIN}\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n".encode())

# The example of the specification, with keys.
EXAMPLE = f"""
log {LOG.vkeys[0]}

witness X1 {X1.vkeys[0]}
witness X2 {X2.vkeys[0]}
witness X3 {X3.vkeys[0]}
group X-witnesses 2 X1 X2 X3

witness Y1 {Y1.vkeys[0]}
witness Y2 {Y2.vkeys[0]}
witness Y3 {Y3.vkeys[0]}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


@pytest.mark.parametrize(
    ("signers", "is_met"),
    [
        ((X1, X2, Y1), True),
        ((X1, X3, Y3), True),
        ((X1, X2, X3, Y1, Y2, Y3), True),
        ((X1, X2, X3), False),
        ((X1, Y1, Y2, Y3), False),
        ((Y1,), False),
        ((), False),
        ((TestWitness("x1.test/W"), TestWitness("x2.test/W"), Y1), False),
    ],
    ids=["2 and 1", "others", "all", "no Y", "one X", "one Y", "nobody", "strangers of like names"],
)
def test_the_specification_s_example(signers: tuple[TestWitness, ...], is_met: bool) -> None:
    policy = parse_policy(EXAMPLE.encode())
    note = cosigned(NOTE, signers)
    if is_met:
        require_quorum(note, policy)
        return
    with pytest.raises(ProvenanceError) as refused:
        require_quorum(note, policy)
    assert refused.value.code == "quorum_not_met"


def _groups(count: int) -> str:
    lines = [f"witness w {X1.vkeys[0]}", "group g0 any w"]
    lines += [f"group g{n} any g{n - 1}" for n in range(1, count)]
    return "\n".join([*lines, f"quorum g{count - 1}", ""])


def _witnesses(count: int) -> str:
    lines = [f"witness w{n} {TestWitness(f'w{n}.test').vkeys[0]}" for n in range(count)]
    return "\n".join([*lines, "quorum w0", ""])


ALLOWED: dict[str, str] = {
    "nobody at all": "quorum none\n",
    "witnesses that nobody asks": f"witness w {X1.vkeys[0]}\nquorum none\n",
    "one witness": f"witness w {X1.vkeys[0]}\nquorum w\n",
    "an ML-DSA-44 witness": f"witness w {X1.vkeys[1]}\nquorum w\n",
    "tabs, spaces and comments": f" \t# ours\n\n  witness\tw   {X1.vkeys[0]}\t \n \t\nquorum w \n#",
    "addresses": f"log {LOG.vkeys[0]} https://l.test/\nwitness w {X1.vkeys[0]} http://w.test:1/\nquorum w\n",
    "no newline at the end": f"witness w {X1.vkeys[0]}\nquorum w",
    "definitions after the quorum": f"witness w {X1.vkeys[0]}\nquorum w\nwitness v {X2.vkeys[0]}\n",
    "words as names": f"witness quorum {X1.vkeys[0]}\ngroup all all quorum\nquorum all\n",
    "a name that is no ASCII": f"witness zür {X1.vkeys[0]}\nquorum zür\n",
    "a log of an algorithm that is not ours": "log other.test/log+01020304+AgECAwQFBgc=\nquorum none\n",
    "two logs": f"log {LOG.vkeys[0]}\nlog {LOG.vkeys[1]}\nquorum none\n",
    "as many groups as there is room for": _groups(MAX_GROUPS),
    "as many witnesses as there is room for": _witnesses(MAX_WITNESSES),
    "a group of one": f"witness w {X1.vkeys[0]}\ngroup g 1 w\nquorum g\n",
}


@pytest.mark.parametrize("text", ALLOWED.values(), ids=ALLOWED)
def test_what_the_specification_allows_is_read(text: str) -> None:
    parse_policy(text.encode())


def test_names_are_octets() -> None:
    policy = parse_policy(f"witness \u212a {X1.vkeys[0]}\nwitness K {X2.vkeys[0]}\nquorum K\n".encode())
    assert not policy.is_met_by(set(X1.keys))
    assert policy.is_met_by(set(X2.keys))
    latin = b"witness caf\xe9 " + X1.vkeys[0].encode() + b"\nquorum caf\xe9\n"
    assert parse_policy(latin).is_met_by(set(X1.keys))


W = f"witness w {X1.vkeys[0]}\n"
REFUSED: dict[str, str] = {
    "nothing": "",
    "no quorum": W,
    "two quorums": W + "quorum w\nquorum w\n",
    "a quorum that is not defined": W + "quorum v\n",
    "a quorum that is defined below": "quorum w\n" + W,
    "a quorum of two": W + "quorum w w\n",
    "an unknown line": W + "require w\nquorum w\n",
    "a witness without a key": "witness w\nquorum none\n",
    "a witness with a word too many": f"witness w {X1.vkeys[0]} http://w.test/ more\nquorum w\n",
    "a witness whose key is a log's": f"witness w {ed25519_vkey('w.test', bytes(32))}\nquorum w\n",
    "a witness of an unknown algorithm": "witness w w.test+01020304+AgECAwQFBgc=\nquorum w\n",
    "a witness with a false key id": f"witness w {X1.vkeys[0].replace('+', '+0', 1)}\nquorum w\n",
    "a witness twice": W + f"witness v {X1.vkeys[0]}\nquorum w\n",
    "a name twice": W + f"witness w {X2.vkeys[0]}\nquorum w\n",
    "a group with a witness's name": W + "group w any w\nquorum w\n",
    "a witness called none": f"witness none {X1.vkeys[0]}\nquorum none\n",
    "a group of none": "group g any none\nquorum g\n",
    "a group of nobody": W + "group g any\nquorum g\n",
    "a group of itself": W + "group g any g w\nquorum g\n",
    "a group of one that comes later": W + "group g any h\ngroup h any w\nquorum g\n",
    "a member twice in a group": W + "group g 2 w w\nquorum g\n",
    "a member of two groups": W + "group g any w\ngroup h any w\nquorum h\n",
    "zero of one": W + "group g 0 w\nquorum g\n",
    "two of one": W + "group g 2 w\nquorum g\n",
    "a number with a leading zero": W + "group g 01 w\nquorum g\n",
    "a number with a sign": W + "group g +1 w\nquorum g\n",
    "a huge number": W + f"group g {'9' * 4000} w\nquorum g\n",
    "a word for a number": W + "group g most w\nquorum g\n",
    "a carriage return": W.replace("\n", "\r\n") + "quorum w\n",
    "a form feed": W + "\x0cquorum w\n",
    "a zero byte": W + "quorum w\0\n",
    "a log without a key": "log\nquorum none\n",
    "a log's key that is none": "log bauta.test/log\nquorum none\n",
    "a log twice under two names": "".join(f"log {ed25519_vkey(name, bytes(32))}\n" for name in "ab")
    + "quorum none\n",
    "an address without end": f"witness w {X1.vkeys[0]} http://{'w' * 3000}\nquorum w\n",
    "too many groups": _groups(MAX_GROUPS + 1),
    "too many witnesses": _witnesses(MAX_WITNESSES + 1),
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(FormatError) as refused:
        parse_policy(text.encode())
    assert refused.value.code == "policy_invalid"


def test_the_line_at_fault_is_named_and_not_quoted() -> None:
    with pytest.raises(FormatError, match="line 3") as refused:
        parse_policy(f"{W}# fine\nsecret words\nquorum w\n".encode())
    assert "secret" not in str(refused.value)


def test_a_policy_without_end_is_not_read() -> None:
    with pytest.raises(FormatError) as refused:
        parse_policy(b"#" * (MAX_POLICY_BYTES + 1))
    assert refused.value.code == "too_large"


OWN: dict[str, tuple[Callable[[], str], bool]] = {
    "no log": (lambda: "quorum none\n", True),
    "our log": (lambda: f"log {LOG.vkeys[0]}\nquorum none\n", True),
    "our log and another": (
        lambda: f"log {LOG.vkeys[1]}\nlog {TestLogKeys('other.test').vkeys[0]}\nquorum none\n",
        True,
    ),
    "another log": (lambda: f"log {TestLogKeys('other.test').vkeys[0]}\nquorum none\n", False),
    "our log under another key": (lambda: f"log {TestLogKeys(name='other').vkeys[0]}\nquorum none\n", False),
    "our log, and under another key": (
        lambda: f"log {LOG.vkeys[0]}\nlog {TestLogKeys(name='other').vkeys[0]}\nquorum none\n",
        False,
    ),
}


@pytest.mark.parametrize(("text", "is_own"), OWN.values(), ids=OWN)
def test_a_policy_is_about_our_log_or_about_none(text: Callable[[], str], is_own: bool) -> None:
    policy = parse_policy(text().encode())
    if is_own:
        require_own_log(policy, LOG.verifier_keys)
        return
    with pytest.raises(FormatError) as refused:
        require_own_log(policy, LOG.verifier_keys)
    assert refused.value.code == "policy_of_another_log"


def test_thirty_two_witnesses_with_two_keys_each_fit_under_one_checkpoint() -> None:
    crowd = [TestWitness(f"w{number}.test/witness") for number in range(32)]
    lines = [f"witness {n}{half} {w.vkeys[half]}\n" for n, w in enumerate(crowd) for half in (0, 1)]
    names = " ".join(f"{n}{half}" for n in range(32) for half in (0, 1))
    policy = parse_policy(f"{''.join(lines)}group g all {names}\nquorum g\n".encode())
    assert len(require_quorum(cosigned(NOTE, crowd), policy)) == 64


def test_a_cosignature_of_one_kind_is_none_of_the_other() -> None:
    witness = WITNESSES[0]
    policy = parse_policy(policy_text("all", [witness], algorithm=1).encode())
    with pytest.raises(ProvenanceError) as refused:
        require_quorum(with_lines(NOTE, witness.lines(NOTE)[0]), policy)
    assert refused.value.code == "quorum_not_met"
