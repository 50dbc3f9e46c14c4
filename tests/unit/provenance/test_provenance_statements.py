"""Statements: nothing that could name a person, a file or a place fits into any field of any of them."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provenance_makers import hex_of, job_facts
from statement_makers import SOUND

from provenance import canonical
from provenance.entry import KINDS
from provenance.errors import FormatError
from provenance.statements import (
    STATEMENTS,
    ConsentFacts,
    DisclosureApprovalFacts,
    DisclosureDenialFacts,
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    ErasureFacts,
    Facts,
    FailureFacts,
    IntakeFacts,
    JobFacts,
    KeyRotationFacts,
    PolicyFacts,
    ReleaseFacts,
)
from provenance.statements.base import json_name
from provenance.statements.fields import (
    AGE_RECIPIENT,
    JOB_ID,
    SHA256,
    Maybe,
    format_instant,
    kind_of,
    parse_instant,
)
from provenance.statements.vocabulary import (
    DENIAL_REASONS,
    DIGESTED,
    ERASURE_REASONS,
    FAILURE_CODES,
    LEGAL_BASES,
    PURPOSES,
    WALLS,
)

FIELDS = [(kind, field) for kind in SOUND for field in dataclasses.fields(kind)]

UNTOUCHED = {"frames": 90, "open_permille": 900, "tiles": 1800, "tiles_open": 1600}
SHOWN = {"pieces": hex_of("x"), "untouched": UNTOUCHED, "untouched_sha256": hex_of("y")}

FREE_TEXT = [
    "interview.mp4",
    "/home/anna/interview.mp4",
    "C:\\Users\\anna\\clip.mov",
    "anna",
    "Anna Schmidt",
    "anna_schmidt",
    "anna@example.org",
    "The nurse on the left is my sister.",
    "198.51.100.7",
    "+49 30 123456",
    "52.5200,13.4050",
    "",
    " ",
    "\n",
    "solid ",
    "SOLID",
    "process\n",
    "٣",
    "2026-11-21",
    "21 November 2026",
    "0" * 31,
    "0" * 33,
    "a" * 63,
    "g" * 64,
    "A" * 64,
    "https://example.org/?q=anna",
]


def test_every_kind_of_statement_is_walked() -> None:
    assert set(SOUND) == set(STATEMENTS)
    assert len(FIELDS) > 70


def test_the_log_has_a_word_for_every_statement_and_no_other() -> None:
    assert tuple(kind.kind() for kind in STATEMENTS) == KINDS
    assert len(set(KINDS)) == len(KINDS)


@pytest.mark.parametrize("kind", SOUND, ids=lambda kind: kind.__name__)
def test_a_sound_statement_round_trips(kind: type[Facts]) -> None:
    facts = SOUND[kind]()
    statement = facts.to_statement()
    assert kind.from_statement(statement) == facts
    content = json.loads(statement)
    assert content["_type"] == "https://in-toto.io/Statement/v1"
    assert content["predicateType"].startswith("urn:bauta:predicate:")
    assert [set(subject) for subject in content["subject"]] == [{"name", "digest"}]
    assert len(statement) < 8192


@pytest.mark.parametrize(
    ("kind", "field"), FIELDS, ids=lambda item: getattr(item, "name", item.__class__.__name__)
)
def test_no_field_takes_free_text(kind: type[Facts], field: dataclasses.Field[Any]) -> None:
    for text in FREE_TEXT:
        for value in (
            text,
            text.encode(),
            (text,),
            [text],
            {text: hex_of("x")},
            {"centerface": text},
            {text: text},
        ):
            with pytest.raises(FormatError):
                SOUND[kind](**{field.name: value})


@given(st.text(max_size=80))
def test_no_pattern_takes_what_is_not_a_digest(text: str) -> None:
    for pattern in (JOB_ID, SHA256, AGE_RECIPIENT):
        if pattern.shape.fullmatch(text) is None:
            with pytest.raises(FormatError):
                pattern.check(text)
        else:
            assert set(text) <= set("0123456789abcdef")


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (JobFacts, {"frames": -1}),
        (JobFacts, {"tracks": True}),
        (JobFacts, {"frames": 90.0}),
        (JobFacts, {"frames": "90"}),
        (JobFacts, {"frames": 2**53}),
        (JobFacts, {"frames_with_faces": 91}),
        (JobFacts, {"frames_also_covered": {"plate": 91}}),
        (JobFacts, {"frames_also_covered": {"text": 12}}),
        (JobFacts, {"frames_also_covered": {}}),
        (JobFacts, {"review_sha256": "ab"}),
        (JobFacts, {"pieces": "ab"}),
        (JobFacts, {"untouched_sha256": hex_of("x")}),
        (JobFacts, {"untouched": UNTOUCHED, "pieces": hex_of("x")}),
        (JobFacts, {**SHOWN, "pieces": None}),
        (JobFacts, {**SHOWN, "untouched": {**UNTOUCHED, "frames": 89}}),
        (JobFacts, {**SHOWN, "untouched": {**UNTOUCHED, "tiles": 91}}),
        (JobFacts, {**SHOWN, "untouched": {**UNTOUCHED, "tiles": 0, "tiles_open": 0}}),
        (JobFacts, {**SHOWN, "untouched": {**UNTOUCHED, "tiles_open": 1801}}),
        (JobFacts, {**SHOWN, "untouched": {**UNTOUCHED, "open_permille": 1001}}),
        (JobFacts, {**SHOWN, "untouched": {**UNTOUCHED, "anna": 1}}),
        (JobFacts, {**SHOWN, "untouched": {"frames": 90}}),
        (JobFacts, {"scores_sha256": hex_of("x")}),
        (JobFacts, {"matched": {"templates": 1, "vectors": 2}}),
        (JobFacts, {"matched": {"templates": 1, "vectors": 0}, "scores_sha256": hex_of("x")}),
        (JobFacts, {"matched": {"templates": 0, "vectors": 0}}),
        (JobFacts, {"matched": {"vectors": 2}, "scores_sha256": hex_of("x")}),
        (JobFacts, {"matched": {"templates": 1, "vectors": 2, "anna": 1}, "scores_sha256": hex_of("x")}),
        (JobFacts, {"decided": {"keep": 1}}),
        (JobFacts, {"decided": {"keep": 0}, "decisions_commitment": "ab" * 32}),
        (JobFacts, {"decided": {"uncover": 1}, "decisions_commitment": "ab" * 32}),
        (JobFacts, {"decided": {"keep": True}, "decisions_commitment": "ab" * 32}),
        (JobFacts, {"quality": {"frames_read": 91}}),
        (JobFacts, {"quality": {"anna": 1}}),
        (JobFacts, {"quality": {"ssim_permille": 0.9}}),
        (JobFacts, {"quality": {}, "quality_short": ("ssim",)}),
        (JobFacts, {"quality_short": ("ssim", "black")}),
        (JobFacts, {"quality_short": ("ugly",)}),
        (JobFacts, {"sensor_noise": "keep"}),
        (JobFacts, {"also_covered": {"plate": "solid", "face": "solid"}}),
        (JobFacts, {"also_covered": {"plate": "whitewash"}}),
        (JobFacts, {"result_bytes": None}),
        (JobFacts, {"walls": ("seccomp", "landlock_fs")}),
        (JobFacts, {"walls": ("seccomp", "seccomp")}),
        (JobFacts, {"walls": ["seccomp"]}),
        (JobFacts, {"walls": (["seccomp"],)}),
        (JobFacts, {"models": {"centerface": hex_of("x"), "anna": hex_of("y")}}),
        (JobFacts, {"models": [("centerface", hex_of("x"))]}),
        (JobFacts, {"models": {("centerface",): hex_of("x")}}),
        (JobFacts, {"started_at": "2026-02-30T00:00:00Z"}),
        (JobFacts, {"started_at": "2026-11-21T00:00:00+00:00"}),
        (JobFacts, {"started_at": "2026-11-21T00:00:00.5Z"}),
        (JobFacts, {"started_at": "2026-11-21t00:00:00z"}),
        (JobFacts, {"started_at": "2026-11-21T00:00:60Z"}),
        (JobFacts, {"started_at": "2026-1-21T00:00:00Z"}),
        (JobFacts, {"started_at": 1_795_219_200}),
        (ReleaseFacts, {"worker_ed25519": bytes(31)}),
        (ReleaseFacts, {"worker_mldsa65": "A" * 1952}),
        (ReleaseFacts, {"worker_slhdsa128s": bytes(31)}),
        (ReleaseFacts, {"worker_slhdsa128s": b""}),
        (JobFacts, {"signatures": ()}),
        (JobFacts, {"signatures": ("ed25519",)}),
        (JobFacts, {"signatures": ("mldsa65", "slhdsa128s")}),
        (JobFacts, {"signatures": ("mldsa65", "ed25519")}),
        (JobFacts, {"signatures": ("ed25519", "mldsa44", "mldsa65")}),
        (IntakeFacts, {"valid_until": "2026-11-21T00:00:00Z"}),
        (IntakeFacts, {"worker_measurements": ()}),
        (IntakeFacts, {"worker_measurements": tuple(sorted(hex_of(str(i)) for i in range(65)))}),
        (IntakeFacts, {"recipient": "age1" + "q" * 58}),
        (PolicyFacts, {"policy": "our-own"}),
        (KeyRotationFacts, {"successor_sha256": hex_of("recipient")}),
        (KeyRotationFacts, {"destroyed_at": "2026-11-20T23:59:59Z"}),
        (DisclosureRequestFacts, {"tracks": ()}),
        (DisclosureRequestFacts, {"tracks": (7, 1)}),
        (DisclosureRequestFacts, {"tracks": (1, 1)}),
        (DisclosureRequestFacts, {"tracks": (True,)}),
        (DisclosureRequestFacts, {"tracks": (2**32,)}),
        (DisclosureRequestFacts, {"tracks": tuple(range(65))}),
        (DisclosureRequestFacts, {"tracks": [1]}),
        (DisclosureRequestFacts, {"stretches": ()}),
        (DisclosureRequestFacts, {"stretches": ((5, 5),)}),
        (DisclosureRequestFacts, {"stretches": ((6, 5),)}),
        (DisclosureRequestFacts, {"stretches": ((0, 5), (5, 6))}),
        (DisclosureRequestFacts, {"stretches": ((7, 9), (0, 5))}),
        (DisclosureRequestFacts, {"stretches": ((0, 5, 6),)}),
        (DisclosureRequestFacts, {"stretches": ((-1, 5),)}),
        (DisclosureRequestFacts, {"stretches": ((0, 24 * 3600 * 1000 + 1),)}),
        (DisclosureRequestFacts, {"stretches": ([0, 5],)}),
        (DisclosureRequestFacts, {"expires_at": "2026-11-22T08:00:00Z"}),
        (DisclosureRequestFacts, {"purpose": "curiosity"}),
        (DisclosureApprovalFacts, {"share_sha256": None}),
        (DisclosureDenialFacts, {"reason": "I do not like her."}),
        (DisclosureReleaseFacts, {"approvals_sha256": ()}),
        (DisclosureReleaseFacts, {"approvals_sha256": (hex_of("a"), hex_of("a"))}),
        (ErasureFacts, {"wrapped_keys_sha256": ()}),
        (ConsentFacts, {"purposes": ()}),
        (ConsentFacts, {"purposes": ("whatever she likes",)}),
        (ConsentFacts, {"tracks": ()}),
        (FailureFacts, {"code": "no_such_code"}),
        (FailureFacts, {"job_id": "0123456789ABCDEF" * 2}),
    ],
    ids=str,
)
def test_values_out_of_range_are_refused(kind: type[Facts], change: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        SOUND[kind](**change)


@pytest.mark.parametrize("kind", SOUND, ids=lambda kind: kind.__name__)
def test_a_statement_with_anything_else_in_it_is_refused(kind: type[Facts]) -> None:
    content = json.loads(SOUND[kind]().to_statement())
    predicate = content["predicate"]
    digest = content["subject"][0]["digest"]["sha256"]
    broken = [
        {**content, "comment": "x"},
        {**content, "_type": "https://in-toto.io/Statement/v0.1"},
        {**content, "predicateType": "urn:bauta:predicate:other:v1"},
        {**content, "predicate": {**predicate, "comment": "x"}},
        {**content, "predicate": None},
        {**content, "subject": []},
        {**content, "subject": content["subject"] * 2},
        {**content, "subject": [{"name": "interview.mp4", "digest": {"sha256": digest}}]},
        {**content, "subject": [{**content["subject"][0], "uri": "x"}]},
        {**content, "subject": [{"name": kind.SUBJECT_NAME, "digest": {"sha256": digest, "sha1": "x"}}]},
        {**content, "subject": [{"name": kind.SUBJECT_NAME, "digest": {"sha256": digest.upper()}}]},
        {key: value for key, value in content.items() if key != "subject"},
        [content],
    ]
    broken += [
        {**content, "predicate": {k: v for k, v in predicate.items() if k != key}} for key in predicate
    ]
    broken += [
        {**content, "predicate": {**predicate, json_name(field.name): None}}
        for field in dataclasses.fields(kind)
        if field.name != kind.SUBJECT_FIELD and not isinstance(kind_of(field), Maybe)
    ]
    if kind.SUBJECT_FIELD is None:
        broken.append(
            {**content, "subject": [{"name": kind.SUBJECT_NAME, "digest": {"sha256": hex_of("other")}}]}
        )
    for statement in broken:
        with pytest.raises(FormatError):
            kind.from_statement(canonical.dumps(statement))
    with pytest.raises(FormatError):
        kind.from_statement(json.dumps(content).encode())


def test_no_statement_is_read_as_another() -> None:
    for kind, make in SOUND.items():
        for other in SOUND.keys() - {kind}:
            with pytest.raises(FormatError) as caught:
                other.from_statement(make().to_statement())
            assert caught.value.code == "wrong_statement"


REQUEST = SOUND[DisclosureRequestFacts]()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"tracks": (2,)}, "scope_exceeded"),
        ({"tracks": (1, 2, 7)}, "scope_exceeded"),
        ({"stretches": ((0, 10_001),)}, "scope_exceeded"),
        ({"stretches": ((9_000, 13_000),)}, "scope_exceeded"),
        ({"stretches": ((1_000, 9_000), (20_000, 20_001))}, "scope_exceeded"),
        ({"released_at": "2026-11-29T08:00:00Z"}, "request_expired"),
        ({"released_at": "2026-11-22T07:59:59Z"}, "request_expired"),
    ],
    ids=str,
)
def test_a_disclosure_beyond_its_request_is_told(change: dict[str, Any], code: str) -> None:
    assert isinstance(REQUEST, DisclosureRequestFacts)
    sound, beyond = SOUND[DisclosureReleaseFacts](), SOUND[DisclosureReleaseFacts](**change)
    assert isinstance(sound, DisclosureReleaseFacts)
    assert isinstance(beyond, DisclosureReleaseFacts)
    sound.require_within(REQUEST)
    with pytest.raises(FormatError) as caught:
        beyond.require_within(REQUEST)
    assert caught.value.code == code


def test_facts_do_not_follow_the_callers_changes() -> None:
    models = {"centerface": hex_of("x")}
    facts = job_facts(models=models)
    models["centerface"] = "interview.mp4"
    assert facts.models == {"centerface": hex_of("x")}
    assert dataclasses.asdict(facts)["models"] == {"centerface": hex_of("x")}


def test_times_have_one_form() -> None:
    moment = datetime(2026, 11, 21, 1, 2, 3, 999_999, tzinfo=timezone(timedelta(hours=1)))
    assert format_instant(moment) == "2026-11-21T00:02:03Z"
    assert parse_instant("2026-11-21T00:02:03Z") == datetime(2026, 11, 21, 0, 2, 3, tzinfo=UTC)
    with pytest.raises(FormatError):
        format_instant(moment.replace(tzinfo=None))


def test_the_vocabulary_is_sorted_and_has_a_word_for_the_unknown() -> None:
    for words in (
        WALLS,
        FAILURE_CODES,
        PURPOSES,
        LEGAL_BASES,
        DENIAL_REASONS,
        ERASURE_REASONS,
        tuple(DIGESTED),
    ):
        assert list(words) == sorted(set(words))
    assert "internal_error" in FAILURE_CODES


def test_a_job_says_what_of_its_result_is_shown_to_be_the_originals() -> None:
    facts = job_facts(**SHOWN)
    assert JobFacts.from_statement(facts.to_statement()) == facts
    assert json.loads(facts.to_statement())["predicate"]["untouched"] == UNTOUCHED
