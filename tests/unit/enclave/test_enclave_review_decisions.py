"""Decisions: read strictly, written in one form, and somebody's word only with the review key's signature."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enclave.errors import ReviewError
from enclave.policy import ReviewInstructions
from enclave.policy.review import MAX_DECISIONS_BYTES as MOST_IN_INSTRUCTIONS
from enclave.review.decisions import (
    MAX_DECISIONS,
    MAX_DECISIONS_BYTES,
    MAX_KEYS,
    MAX_SPEAKERS,
    MAX_TRACK,
    WORDS,
    Decisions,
    Draw,
    OnTrack,
    parse_decisions,
)
from enclave.review.signed import MAX_SIGNED_BYTES, SignedDecisions, parse_signed_decisions
from provenance import canonical
from tests.unit.enclave.review_makers import EVERY_DECISION, RECORD_SHA256, some_decisions

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()


def with_decision(**members: Any) -> dict[str, Any]:
    """The JSON object of decisions with this one."""
    return {"format": "bauta.decisions/v1", "record_sha256": RECORD_SHA256, "decisions": [members]}


def test_every_word_comes_back_as_it_went() -> None:
    assert {decision.to_object()["do"] for decision in EVERY_DECISION} == set(WORDS)
    assert parse_decisions(some_decisions().to_bytes()) == some_decisions()


def test_the_bytes_are_the_published_ones() -> None:
    decided = Decisions("00" * 32, (OnTrack("role", 6, "teacher"), *EVERY_DECISION[-2:]))
    assert decided.to_bytes().decode() == (
        '{"decisions":[{"do":"role","role":"teacher","track":6},'
        '{"do":"whole_frame","from_ms":2000,"to_ms":3000},'
        '{"do":"draw","from_ms":0,"keys":[{"at_ms":0,"box":[0,0,100,100]},'
        '{"at_ms":1000,"box":[9000,9000,10000,10000]}],"to_ms":1500}],'
        '"format":"bauta.decisions/v1","record_sha256":"' + "00" * 32 + '"}'
    )


def test_a_file_that_a_person_saved_is_free_in_its_layout() -> None:
    saved = json.dumps(some_decisions().to_object(), indent=3).encode()
    assert parse_decisions(saved) == some_decisions()


def test_nothing_decided_is_a_decision_too() -> None:
    nothing = Decisions(RECORD_SHA256, ())
    assert parse_decisions(nothing.to_bytes()) == nothing


BAD: dict[str, Any] = {
    "an unknown word": with_decision(do="uncover", track=1),
    "no word": with_decision(track=1),
    "a word that is no text": with_decision(do=["keep"], track=1),
    "no track": with_decision(do="keep"),
    "a track below zero": with_decision(do="keep", track=-1),
    "a track beyond counting": with_decision(do="keep", track=MAX_TRACK + 1),
    "a track that is true": with_decision(do="keep", track=True),
    "a track that is text": with_decision(do="keep", track="1"),
    "one member too many": with_decision(do="keep", track=1, name="Jane"),
    "a role with a person's name": with_decision(do="role", track=1, role="Jane Doe"),
    "a role without an end": with_decision(do="role", track=1, role="a" * 33),
    "an effect that is no text": with_decision(do="effect", track=1, effect=None),
    "a keep with half a span": with_decision(do="keep", track=1, from_ms=0),
    "a keep for no time": with_decision(do="keep", track=1, from_ms=5, to_ms=5),
    "a cover with a span": with_decision(do="cover", track=1, from_ms=0, to_ms=5),
    "a stretch that ends before it begins": with_decision(do="whole_frame", from_ms=2, to_ms=1),
    "a stretch of nothing": with_decision(do="whole_frame", from_ms=2, to_ms=2),
    "a stretch of a week": with_decision(do="whole_frame", from_ms=0, to_ms=7 * 24 * 3600 * 1000),
    "a voice kept by the word for tracks": with_decision(do="keep", speaker=0),
    "a voice and a track at once": with_decision(do="role", role="teacher", speaker=0, track=1),
    "a voice with a cover": with_decision(do="effect", effect="mosaic", speaker=0),
    "a track with a bleep for a number": with_decision(do="effect", effect=1, speaker=0),
    "a speaker beyond counting": with_decision(do="effect", effect="bleep", speaker=MAX_SPEAKERS),
    "a speaker below zero": with_decision(do="role", role="teacher", speaker=-1),
    "a stretch muted by another voice": with_decision(do="mute", effect="anonymize", from_ms=0, to_ms=9),
    "a stretch muted by what was said": with_decision(do="mute", effect="keep", from_ms=0, to_ms=9),
    "a stretch muted for no time": with_decision(do="mute", effect="bleep", from_ms=9, to_ms=9),
    "a mute without an effect": with_decision(do="mute", from_ms=0, to_ms=9),
    "a box without keys": with_decision(do="draw", from_ms=0, to_ms=1, keys=[]),
    "a box with keys beyond counting": with_decision(
        do="draw", from_ms=0, to_ms=1, keys=[{"at_ms": at, "box": [0, 0, 1, 1]} for at in range(MAX_KEYS + 1)]
    ),
    "keys out of order": with_decision(
        do="draw", from_ms=0, to_ms=9, keys=[{"at_ms": at, "box": [0, 0, 1, 1]} for at in (2, 1)]
    ),
    "two keys at one moment": with_decision(
        do="draw", from_ms=0, to_ms=9, keys=[{"at_ms": 1, "box": [0, 0, 1, 1]}] * 2
    ),
    "a box turned inside out": with_decision(
        do="draw", from_ms=0, to_ms=1, keys=[{"at_ms": 0, "box": [5, 0, 1, 1]}]
    ),
    "a box outside": with_decision(
        do="draw", from_ms=0, to_ms=1, keys=[{"at_ms": 0, "box": [0, 0, 10_001, 1]}]
    ),
    "a box of three edges": with_decision(
        do="draw", from_ms=0, to_ms=1, keys=[{"at_ms": 0, "box": [0, 0, 1]}]
    ),
    "another format": {**some_decisions().to_object(), "format": "bauta.decisions/v2"},
    "no record": {
        key: value for key, value in some_decisions().to_object().items() if key != "record_sha256"
    },
    "half a record": {**some_decisions().to_object(), "record_sha256": "00"},
    "a list": [],
    "too many": {
        **some_decisions().to_object(),
        "decisions": [{"do": "cover", "track": track} for track in range(MAX_DECISIONS + 1)],
    },
    "keep and cover of one track": {
        **some_decisions().to_object(),
        "decisions": [{"do": "keep", "track": 1}, {"do": "cover", "track": 1}],
    },
    "two for one voice": {
        **some_decisions().to_object(),
        "decisions": [
            {"do": "role", "role": "teacher", "speaker": 1},
            {"do": "effect", "effect": "remove", "speaker": 1},
        ],
    },
    "the same twice": {**some_decisions().to_object(), "decisions": [{"do": "keep", "track": 1}] * 2},
}


@pytest.mark.parametrize("said", BAD.values(), ids=BAD.keys())
def test_what_is_no_decision_is_refused(said: Any) -> None:
    with pytest.raises(ReviewError) as caught:
        parse_decisions(canonical.dumps(said))
    assert caught.value.code == "decisions_invalid"
    assert "Jane" not in str(caught.value)


NO_JSON = {
    "nothing": b"",
    "a number that is no integer": some_decisions().to_bytes().replace(b"2000", b"2000.5"),
    "a key twice": b'{"format":"a","format":"a"}',
    "more than any can be": b" " * (MAX_DECISIONS_BYTES + 1),
    "no UTF-8": b"\xff",
}


@pytest.mark.parametrize("said", NO_JSON.values(), ids=NO_JSON.keys())
def test_what_is_no_json_is_refused(said: bytes) -> None:
    with pytest.raises(ReviewError) as caught:
        parse_decisions(said)
    assert caught.value.code == "decisions_invalid"


def test_the_review_key_signs_and_only_it() -> None:
    signed = SignedDecisions.sign(some_decisions(), KEY)
    read = parse_signed_decisions(signed.to_bytes())
    assert read == signed
    assert read.verify(PUBLIC) == some_decisions()


def forged(signed: SignedDecisions, case: str) -> tuple[SignedDecisions, bytes]:
    """A signature that must not hold, and the key it is held against."""
    other = Ed25519PrivateKey.generate()
    decided = signed.decisions
    match case:
        case "by somebody else":
            return SignedDecisions.sign(decided, other), PUBLIC
        case "held against another key":
            return signed, other.public_key().public_bytes_raw()
        case "one decision less":
            return SignedDecisions(
                Decisions(decided.record_sha256, decided.decisions[1:]), signed.signature
            ), PUBLIC
        case "about another record":
            return SignedDecisions(Decisions("00" * 32, decided.decisions), signed.signature), PUBLIC
        case "over the bytes alone":
            return SignedDecisions(decided, KEY.sign(decided.to_bytes())), PUBLIC
        case "one bit":
            bent = bytes([signed.signature[0] ^ 1]) + signed.signature[1:]
            return SignedDecisions(decided, bent), PUBLIC
    return signed, bytes(32)


FORGED = [
    "by somebody else",
    "held against another key",
    "one decision less",
    "about another record",
    "over the bytes alone",
    "one bit",
    "held against no key",
]


@pytest.mark.parametrize("case", FORGED)
def test_a_forged_signature_is_refused(case: str) -> None:
    signed, key = forged(SignedDecisions.sign(some_decisions(), KEY), case)
    with pytest.raises(ReviewError) as caught:
        signed.verify(key)
    assert caught.value.code == "review_signature_invalid"


BAD_SIGNED: dict[str, dict[str, Any]] = {
    "no signature": {"decisions": some_decisions().to_object()},
    "a short signature": {"decisions": some_decisions().to_object(), "signature": "AAAA"},
    "a signature that is no base64": {"decisions": some_decisions().to_object(), "signature": "!"},
    "no decisions": {"decisions": None, "signature": base64.b64encode(bytes(64)).decode()},
}


@pytest.mark.parametrize("said", BAD_SIGNED.values(), ids=BAD_SIGNED.keys())
def test_what_is_not_signed_decisions_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ReviewError) as caught:
        parse_signed_decisions(canonical.dumps(said))
    assert caught.value.code == "decisions_invalid"


def test_signed_decisions_have_one_form() -> None:
    loose = json.dumps(json.loads(SignedDecisions.sign(some_decisions(), KEY).to_bytes()), indent=1).encode()
    with pytest.raises(ReviewError):
        parse_signed_decisions(loose)


def test_the_most_that_can_be_decided_fits_into_the_instructions() -> None:
    """Whatever `parse_decisions` takes can be signed and sent."""
    keys = tuple(EVERY_DECISION[-1].keys[:1]) if isinstance(EVERY_DECISION[-1], Draw) else ()
    assert keys
    many = Decisions(RECORD_SHA256, tuple(Draw(0, 86_400_000 - n, keys) for n in range(MAX_DECISIONS)))
    assert len(many.to_bytes()) <= MAX_DECISIONS_BYTES
    largest = MAX_DECISIONS_BYTES + len(b'{"decisions":,"signature":""}') + 88
    assert largest <= MAX_SIGNED_BYTES <= MOST_IN_INSTRUCTIONS
    signed = SignedDecisions.sign(many, KEY).to_bytes()
    assert ReviewInstructions(PUBLIC, record_bytes=1, decisions=signed).decisions == signed
