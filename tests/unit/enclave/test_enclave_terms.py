"""Terms and the upload preamble: canonical both ways, strict, and no downgrade."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace

import pytest
from enclave_makers import OTHER_RECIPIENT, POLICY_TEXT, RECIPIENT, a_policy, some_terms

from enclave.errors import PreambleError, TermsError
from enclave.policy import Terms, parse_preamble, parse_terms, shipped, upload_preamble
from keyvault.submitter.submission_key import SubmissionKey

SALT = bytes(range(32))
SOURCE = SubmissionKey.of_nobody()


def canonical(value: object) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def test_terms_are_the_canonical_json_of_the_format() -> None:
    terms = some_terms(a_policy())
    assert terms.to_bytes() == canonical(
        {"format": "bauta.terms/v1", "mode": "balanced", "policy": POLICY_TEXT, "recipients": [RECIPIENT]}
    )
    assert terms.digest == hashlib.sha256(terms.to_bytes()).digest()
    assert parse_terms(terms.to_bytes()) == terms


@pytest.mark.parametrize("name", list(shipped()))
def test_every_shipped_policy_survives_the_trip(name: str) -> None:
    terms = some_terms(shipped()[name])
    assert parse_terms(terms.to_bytes()).policy.digest == shipped()[name].digest


def changed(**fields: object) -> bytes:
    value = {"format": "bauta.terms/v1", "mode": "fast", "policy": POLICY_TEXT, "recipients": [RECIPIENT]}
    return canonical({key: item for key, item in (value | fields).items() if item is not None})


REFUSED = {
    "spaces between": (json.dumps(json.loads(changed())).encode(), "terms_invalid"),
    "a newline at the end": (changed() + b"\n", "terms_invalid"),
    "an unknown key": (changed(priority=1), "terms_invalid"),
    "no recipients key": (changed(recipients=None), "terms_invalid"),
    "no recipients": (changed(recipients=[]), "terms_invalid"),
    "a recipient twice": (changed(recipients=[RECIPIENT, RECIPIENT]), "terms_invalid"),
    "too many recipients": (
        changed(recipients=["age1pq1" + "q" * 1951 + letter for letter in "qpzry9x8gf2tvdw0s"]),
        "terms_invalid",
    ),
    "a recipient that is a number": (changed(recipients=[1]), "terms_invalid"),
    "a classic recipient": (
        changed(recipients=["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]),
        "recipient_invalid",
    ),
    "a hybrid and a classic one": (changed(recipients=[RECIPIENT, "age1q"]), "recipient_invalid"),
    "a recipient in capitals": (changed(recipients=[RECIPIENT.upper()]), "recipient_invalid"),
    "a recipient with a newline": (changed(recipients=[RECIPIENT + "\n"]), "recipient_invalid"),
    "a recipient that is an option": (changed(recipients=["--help"]), "recipient_invalid"),
    "a mode that the policy does not allow": (changed(mode="quality"), "mode_not_allowed"),
    "a mode that is no mode": (changed(mode=1), "terms_invalid"),
    "another format": (changed(format="bauta.terms/v2"), "terms_invalid"),
    "a policy that is none": (changed(policy="nonsense"), "policy_invalid"),
    "a policy that is a table": (changed(policy={}), "terms_invalid"),
    "a source that is a name": (changed(submitter="anna"), "terms_invalid"),
    "a source without a number": (changed(submitter={"key": SOURCE.key.hex()}), "terms_invalid"),
    "a source with a name besides": (
        changed(submitter=SOURCE.to_object() | {"name": "anna"}),
        "terms_invalid",
    ),
    "a source's key that is no point": (
        changed(submitter={"key": "02" + "00" * 31, "number": SOURCE.number}),
        "terms_invalid",
    ),
    "no source, said aloud": (changed(submitter=0), "terms_invalid"),
    "a list": (b"[]", "terms_invalid"),
    "no JSON": (b"\xff\xfe", "terms_invalid"),
    "a lone surrogate": (b'{"format":"\\ud800"}', "terms_invalid"),
    "nested too deep": (b"[" * 20_000, "terms_invalid"),
    "too large": (b" " * (300 << 10), "terms_invalid"),
    "empty": (b"", "terms_invalid"),
}


def test_what_knows_a_source_is_a_part_of_the_terms_and_of_their_digest() -> None:
    plain = some_terms(a_policy())
    named = replace(plain, submitter=SOURCE)
    assert json.loads(named.to_bytes()) == json.loads(plain.to_bytes()) | {"submitter": SOURCE.to_object()}
    assert parse_terms(named.to_bytes()) == named
    assert len({plain.digest, named.digest, replace(plain, submitter=SubmissionKey.of_nobody()).digest}) == 3
    sealed = parse_preamble(upload_preamble(named, SALT))
    assert sealed.terms.submitter == SOURCE


@pytest.mark.parametrize(("untrusted", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(untrusted: bytes, code: str) -> None:
    with pytest.raises(TermsError) as caught:
        parse_terms(untrusted)
    assert caught.value.code == code


def test_a_locked_policy_takes_its_first_mode_only() -> None:
    policy = a_policy(POLICY_TEXT.replace("locked = false", "locked = true"))
    assert Terms(policy, "balanced", (RECIPIENT,)).mode == "balanced"
    with pytest.raises(TermsError) as caught:
        Terms(policy, "fast", (RECIPIENT,))
    assert caught.value.code == "mode_not_allowed"


def test_the_preamble_is_two_lines_that_a_shell_can_write() -> None:
    terms = some_terms()
    preamble = upload_preamble(terms, SALT)
    first, second, rest = preamble.split(b"\n")
    assert first == b"bauta.upload/v1"
    assert json.loads(second) == {
        "salt": base64.b64encode(SALT).decode(),
        "terms": json.loads(terms.to_bytes()),
    }
    assert rest == b""


def test_the_preamble_ends_where_the_media_begins() -> None:
    preamble = upload_preamble(some_terms(), SALT)
    parsed = parse_preamble(preamble + b"\nmedia\n")
    assert parsed.size == len(preamble)
    assert parsed.salt == SALT
    assert parsed.terms == some_terms()
    assert SALT.hex() not in repr(parsed)
    assert repr(SALT) not in repr(parsed)


GOOD = upload_preamble(some_terms(), SALT)
BAD_PREAMBLES = {
    "empty": b"",
    "media and nothing else": b"\x00\x00\x00\x18ftypmp42",
    "another version": GOOD.replace(b"upload/v1", b"upload/v2"),
    "cut within the header": GOOD[:-1],
    "spaces in the header": GOOD.replace(b'{"salt":', b'{ "salt":'),
    "a short salt": GOOD.replace(base64.b64encode(SALT), base64.b64encode(SALT[:31])),
    "another spelling of the salt": GOOD.replace(base64.b64encode(SALT), base64.b64encode(SALT)[:-1]),
    "no salt": GOOD.replace(b'"salt"', b'"sand"'),
    "a header without end": b"bauta.upload/v1\n" + b"a" * (300 << 10),
    "a header too large": GOOD.replace(b"schema", b"schema" + b" " * (300 << 10), 1),
}


@pytest.mark.parametrize("untrusted", BAD_PREAMBLES.values(), ids=BAD_PREAMBLES.keys())
def test_a_bad_preamble_is_refused(untrusted: bytes) -> None:
    if untrusted == GOOD:
        pytest.fail("the case does not change the good preamble")
    with pytest.raises(PreambleError) as caught:
        parse_preamble(untrusted[: 256 << 10])
    assert caught.value.code == "preamble_invalid"


def test_a_salt_of_another_length_is_not_written() -> None:
    with pytest.raises(PreambleError):
        upload_preamble(some_terms(), SALT[:16])


def test_other_recipients_make_other_terms() -> None:
    assert some_terms().digest != some_terms(recipient=OTHER_RECIPIENT).digest
