"""Statements: nothing that could name a person, a file or a place fits into any field of any of them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from provenance_makers import (
    TestSigner,
    failure_facts,
    hex_of,
    intake_facts,
    job_facts,
    release_facts,
    worker_release_facts,
)

from provenance import canonical
from provenance.errors import FormatError
from provenance.statements import Facts, FailureFacts, IntakeFacts, JobFacts, ReleaseFacts, WorkerReleaseFacts
from provenance.statements.fields import (
    AGE_RECIPIENT,
    JOB_ID,
    SHA256,
    Count,
    Instant,
    Kind,
    Maybe,
    Pattern,
    Raw,
    Sorted,
    Table,
    Word,
    format_instant,
    kind_of,
    parse_instant,
)
from provenance.statements.vocabulary import FAILURE_CODES, WALLS
from provenance.statements.worker_release import VERSION

WORKER = TestSigner("worker").public
SOUND: dict[type[Facts], Callable[..., Facts]] = {
    IntakeFacts: intake_facts,
    ReleaseFacts: lambda **changes: release_facts(WORKER, **changes),
    JobFacts: job_facts,
    FailureFacts: failure_facts,
    WorkerReleaseFacts: worker_release_facts,
}
FIELDS = [(kind, field) for kind in SOUND for field in dataclasses.fields(kind)]

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
    assert set(SOUND) == set(Facts.__subclasses__())
    assert len(FIELDS) > 30


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


@pytest.mark.parametrize(
    ("kind", "field"), FIELDS, ids=lambda item: getattr(item, "name", item.__class__.__name__)
)
def test_every_field_is_of_a_closed_kind(kind: type[Facts], field: dataclasses.Field[Any]) -> None:
    def assert_closed(declared: Kind) -> None:
        match declared:
            case Word(words):
                assert words
                assert all(word == word.lower() and " " not in word for word in words)
            case Pattern():
                assert declared in (JOB_ID, SHA256, AGE_RECIPIENT, VERSION)
            case Count(maximum):
                assert maximum <= canonical.MAX_INTEGER
            case Sorted(item, most):
                assert most <= 64
                assert_closed(item)
            case Table(key, item, most):
                assert most <= 16
                assert isinstance(key, Word)
                assert_closed(item)
            case Raw(size):
                assert size in (32, 1952)
            case Instant():
                pass
            case Maybe(item):
                assert_closed(item)
            case _:
                pytest.fail(f"{kind.__name__}.{field.name} is of an unknown kind")

    assert_closed(kind_of(field))


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
        {**content, "predicate": {**predicate, key: None}} for key in predicate if predicate[key] is not None
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
    for words in (WALLS, FAILURE_CODES):
        assert list(words) == sorted(set(words))
    assert "internal_error" in FAILURE_CODES
