"""Enrolled people in policies and in the seal: what may be said, and what of it is believed."""

from __future__ import annotations

from typing import Any

import pytest

from enclave.errors import PolicyError, PreambleError, WorkerError
from enclave.policy import EnrolledPerson, Instructions, ReviewInstructions, parse_policy, upload_preamble
from enclave.policy.enrolment import MAX_PICTURE_BYTES, pictures_of
from enclave.policy.instructions import instructions_from_object
from enclave.policy.preamble import parse_preamble
from enclave.policy.terms import Terms
from enclave.worker.enrolment import enrolled_in
from enclave.worker.opening import OpenedUpload
from keyvault.age import HybridIdentity
from provenance.pieces.original import OriginalTrees
from tests.unit.enclave.enclave_makers import POLICY_TEXT

ROLE = '\n[[roles]]\nname = "host"\nenrolled = true\n[roles.faces]\neffect = "keep"\n'
PEOPLE = '\n[people]\neffect = "solid"\nshape = "box"\nscale = 1.1\nthreshold = 0.3\n'
PEOPLE += "linger_seconds = 1.0\nlookahead_seconds = 1.0\n"
GIVEN = '\n[[roles]]\nname = "guest"\n[roles.faces]\neffect = "blur"\n'
MAY = '\n[review]\nmay = ["role"]\n'


def test_a_role_may_be_had_by_recognition_alone_by_review_or_by_both() -> None:
    assert parse_policy(POLICY_TEXT + ROLE).enrolled_roles == ("host",)
    both = parse_policy(POLICY_TEXT + ROLE + GIVEN + MAY)
    assert (both.enrolled_roles, both.role_names) == (("host",), ("host", "guest"))
    assert parse_policy(POLICY_TEXT + ROLE.replace("true", "false") + MAY).enrolled_roles == ()


WRONG_POLICIES: dict[str, str] = {
    "a role that nobody can have": ROLE + GIVEN,
    "no role to give": MAY,
    "a role that is not enrolled": ROLE.replace("true", "false"),
    "neither true nor false": ROLE.replace("true", '"yes"'),
    "a role of bodies": ROLE.replace("roles.faces", "roles.people") + PEOPLE,
    "a role of faces and bodies": ROLE + '[roles.people]\neffect = "blur"\n' + PEOPLE,
    "whole people are covered": ROLE + PEOPLE,
}


@pytest.mark.parametrize("more", WRONG_POLICIES.values(), ids=WRONG_POLICIES)
def test_a_policy_that_promises_what_cannot_be_is_refused(more: str) -> None:
    with pytest.raises(PolicyError):
        parse_policy(POLICY_TEXT + more)


def test_a_locked_policy_shows_nobody() -> None:
    modes = 'modes = ["original"]'
    text = "\n".join(modes if line.startswith("modes") else line for line in POLICY_TEXT.splitlines())
    locked = text.replace("locked = false", "locked = true")
    assert parse_policy(locked).locked
    with pytest.raises(PolicyError, match="locked"):
        parse_policy(locked + ROLE)


HOST = EnrolledPerson("host", (3, 5))
GUEST = EnrolledPerson("guest", embedding=bytes(64))


def test_what_is_said_is_read_again_and_the_pictures_are_apart() -> None:
    said = Instructions("Pantalone", "the harbour", enrolled=(HOST, GUEST))
    assert instructions_from_object(said.to_object()) == said
    assert list(pictures_of(said.enrolled, b"onetwice")) == [(b"one", b"twice"), ()]
    terms = Terms(parse_policy(POLICY_TEXT + ROLE), "balanced", (str(HybridIdentity.generate().recipient),))
    plain = upload_preamble(terms, bytes(32), said) + b"onetwicemedia"
    parsed = parse_preamble(plain)
    assert (parsed.pictures_bytes, parsed.record_bytes) == (8, 0)
    assert plain[parsed.size :] == b"media"
    assert "twice" not in repr(parsed)


UNSOUND: dict[str, Any] = {
    "no list": {"role": "host", "pictures": [3]},
    "nobody": [],
    "nine people": [HOST.to_object()] * 9,
    "no role": [{"pictures": [3]}],
    "an empty role": [{"role": "", "pictures": [3]}],
    "a long role": [{"role": "h" * 33, "pictures": [3]}],
    "no pictures": [{"role": "host", "pictures": []}],
    "both": [{"role": "host", "pictures": [3], "embedding": "AAAA"}],
    "six pictures": [{"role": "host", "pictures": [3] * 6}],
    "a picture of nothing": [{"role": "host", "pictures": [0]}],
    "a picture of less": [{"role": "host", "pictures": [-1]}],
    "truth for a length": [{"role": "host", "pictures": [True]}],
    "a picture too large": [{"role": "host", "pictures": [MAX_PICTURE_BYTES + 1]}],
    "pictures too large together": [{"role": "host", "pictures": [MAX_PICTURE_BYTES] * 5}],
    "no vector": [{"role": "host", "embedding": ""}],
    "a vector too long": [{"role": "host", "embedding": "A" * 4 * 2731}],
    "a vector that is no base64": [{"role": "host", "embedding": "%%%%"}],
}


@pytest.mark.parametrize("enrolled", UNSOUND.values(), ids=UNSOUND)
def test_anything_else_is_no_enrolment(enrolled: Any) -> None:
    with pytest.raises(PreambleError):
        instructions_from_object({"enrolled": enrolled})


def test_nobody_is_enrolled_in_the_second_run_of_a_review() -> None:
    second = ReviewInstructions(bytes(32), 5, b"signed")
    assert Instructions(review=ReviewInstructions(bytes(32)), enrolled=(HOST,))
    with pytest.raises(PreambleError):
        Instructions(review=second, enrolled=(HOST,))
    said = Instructions(review=second).to_object() | {"enrolled": [HOST.to_object()]}
    with pytest.raises(PreambleError):
        instructions_from_object(said)


def opened(*people: EnrolledPerson) -> OpenedUpload:
    return OpenedUpload(
        media=None,  # type: ignore[arg-type] - it is not read
        commitment=bytes(32),
        salt=bytes(32),
        instructions=Instructions(enrolled=people),
        untrusted_record=b"",
        secret=bytes(32),
        trees=OriginalTrees(bytes(32), tiles=False),
        untrusted_pictures=b"onetwice",
    )


def test_the_worker_takes_only_the_roles_that_the_policy_gives_by_recognition() -> None:
    policy = parse_policy(POLICY_TEXT + ROLE + GIVEN + MAY)
    (host,) = enrolled_in(opened(HOST), policy)
    assert (host.role, host.pictures, host.embedding) == ("host", (b"one", b"twice"), b"")
    assert enrolled_in(opened(), policy) == ()
    with pytest.raises(WorkerError) as caught:
        enrolled_in(opened(HOST, GUEST), policy)
    assert caught.value.code == "enrolment_not_allowed"
    with pytest.raises(WorkerError):
        enrolled_in(opened(HOST), parse_policy(POLICY_TEXT))
