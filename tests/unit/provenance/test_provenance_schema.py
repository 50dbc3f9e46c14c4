"""No statement and no entry can carry a file name, text of an upload, a raw hash of plaintext or a pseudonym.

Shown by types: every field of every statement is walked down to kinds that admit nothing but closed words,
counts, times, digests of listed things, and key material of a fixed length. And shown that the walk can fail:
statements made up to leak are caught by it.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statement_makers import SOUND

from provenance import canonical
from provenance.entry import KINDS, Entry
from provenance.errors import FormatError
from provenance.statements import STATEMENTS, Facts
from provenance.statements import schema as json_schema
from provenance.statements.fields import (
    AGE_RECIPIENT,
    JOB_ID,
    SHA256,
    Count,
    Digest,
    Instant,
    Kind,
    Maybe,
    Pattern,
    Raw,
    Sorted,
    Table,
    Word,
    kind_of,
    of,
)
from provenance.statements.scope import Stretches, Tracks
from provenance.statements.vocabulary import DIGESTED
from provenance.statements.worker_release import VERSION

SCHEMAS = Path(__file__).parents[3] / "docs" / "schemas"
KEY_BYTES = (32, 1216, 1952)
# Random numbers of a job, public keys, and a version number: shapes that no word of a person fits into. A
# source's key in a job's statement is 32 bytes, too, and names nobody: it is Pedersen's commitment under a
# blinding of that job alone, a uniformly random point to whoever does not have the source's secret.
SHAPES = {"job id": JOB_ID, "recipient": AGE_RECIPIENT, "version": VERSION}
WORD = re.compile(r"[a-z][a-z0-9_.-]*(/[a-z0-9]+)?")
MOST_WORDS = 128
# What a statement may hold a digest of. A new one is a decision: it is made here as well.
DIGESTS = {
    "ciphertext",
    "commitment",
    "decisions",
    "envelope",
    "lock",
    "measurement",
    "model",
    "policy",
    "public-key",
    "recovery",
    "result",
    "sharing",
    "terms",
    "trust",
    "upload-header",
}


def leaks(kind: Kind) -> list[str]:
    """Why a field of this kind could carry something that it must not; empty if it cannot."""
    # Exact types: a subclass could admit more than its parent.
    match kind:
        case Word(words) if type(kind) is Word:
            if 0 < len(words) <= MOST_WORDS and all(WORD.fullmatch(word) for word in words):
                return []
            return ["a list of words that is empty, open or holds a sentence"]
        case Pattern() if type(kind) is Pattern:
            return [] if kind in SHAPES.values() else ["a shape that is not one of the known ones"]
        case Digest(thing) if type(kind) is Digest:
            return [] if thing in DIGESTS else [f"a digest of {thing}"]
        case Raw(size) if type(kind) is Raw:
            return [] if size in KEY_BYTES else ["bytes that are no key"]
        case Count(maximum) if type(kind) is Count:
            return [] if maximum <= canonical.MAX_INTEGER else ["a number without a bound"]
        case Instant() | Tracks() | Stretches() if type(kind) in (Instant, Tracks, Stretches):
            return []
        case Sorted(item, most) if type(kind) is Sorted:
            return leaks(item) + ([] if most <= 64 else ["a list without a bound"])
        case Maybe(item) if type(kind) is Maybe:
            return leaks(item)
        case Table(key, item, most) if type(kind) is Table:
            bounded = most <= 32 and isinstance(key, Word)
            return leaks(key) + leaks(item) + ([] if bounded else ["a table with open keys"])
    return [f"a field of an unknown kind, {type(kind).__name__}"]


def complaints(facts: type[Facts]) -> list[str]:
    """What is wrong with one class of statements."""
    found: list[str] = []
    for field in dataclasses.fields(facts):
        if "kind" not in field.metadata:
            found.append(f"{field.name}: a field without a kind")
            continue
        found += [f"{field.name}: {leak}" for leak in leaks(kind_of(field))]
    subject = [f for f in dataclasses.fields(facts) if f.name == facts.SUBJECT_FIELD]
    if subject and not isinstance(kind_of(subject[0]), Digest):
        found.append("the subject's digest is of nothing that is listed")
    if not re.fullmatch(r"urn:bauta:predicate:[a-z-]+:v[1-9]", facts.PREDICATE_TYPE):
        found.append("the predicate type has no version")
    return found


def test_every_statement_is_registered() -> None:
    ours = {kind for kind in Facts.__subclasses__() if kind.__module__.startswith("provenance.")}
    assert ours == set(STATEMENTS)


@pytest.mark.parametrize("facts", STATEMENTS, ids=lambda facts: facts.__name__)
def test_no_statement_has_a_field_that_could_leak(facts: type[Facts]) -> None:
    assert complaints(facts) == []
    assert dataclasses.fields(facts), "a statement without fields would pass unseen"


class MadeUp(Facts):
    """The frame of a statement that nobody registered; never made, only walked."""

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:made-up:v1"
    SUBJECT_NAME: ClassVar[str] = "job"


class FreeText(Kind):
    """What nobody may add: a kind that takes everything."""

    def check(self, value: Any) -> Any:
        return value


class AnyWord(Word):
    """A list of words that is closed in name only."""

    def check(self, value: Any) -> Any:
        return value


BAD_KINDS = {
    "free text": FreeText(),
    "any shape": Pattern(re.compile(r".*")),
    "a shape for a name": Pattern(re.compile(r"[a-z]{1,20}")),
    "a bare SHA-256, of nobody knows what": SHA256,
    "a subclass that admits everything": AnyWord(("solid",)),
    "an empty list of words": Word(()),
    "a sentence as a word": Word(("The nurse on the left",)),
    "bytes of any use": Raw(20),
    "a list of free text": Sorted(FreeText()),
    "a list without end": Sorted(Word(("solid",)), most=1 << 20),
    "perhaps free text": Maybe(FreeText()),
    "a table with open keys": Table(Pattern(re.compile(r"\w+")), Count()),
    "a table of shapes": Table(Word(("solid",)), SHA256),
    "a number beyond every reader": Count(1 << 80),
}


@pytest.mark.parametrize("name", BAD_KINDS)
def test_a_made_up_statement_that_could_leak_is_caught(name: str) -> None:
    leaky = dataclasses.make_dataclass(
        "Leaky", [("note", Any, of(BAD_KINDS[name]))], bases=(MadeUp,), frozen=True
    )
    assert {complaint.split(":")[0] for complaint in complaints(leaky)} == {"note"}


def test_a_field_that_names_no_kind_is_caught() -> None:
    careless = dataclasses.make_dataclass("Careless", [("file_name", str)], bases=(MadeUp,), frozen=True)
    assert complaints(careless) == ["file_name: a field without a kind"]


@pytest.mark.parametrize("thing", ["original", "plaintext", "media", "file-name", "pseudonym", "", "Result"])
def test_a_digest_of_anything_else_cannot_even_be_declared(thing: str) -> None:
    with pytest.raises(FormatError):
        Digest(thing)


def test_the_list_of_digests_is_the_one_that_was_decided() -> None:
    assert set(DIGESTED) == DIGESTS


def smuggled() -> st.SearchStrategy[Any]:
    """What somebody would try: text alone, and text inside whatever a field may take."""
    words = sorted({word for facts in STATEMENTS for word in _words_of(facts)})
    text = st.one_of(
        st.text(min_size=1, max_size=80),
        st.from_regex(r"[a-z]+_[a-z]+\.(mp4|mov|jpg)", fullmatch=True),
        st.sampled_from(words).map(lambda word: f"{word} interview.mp4"),
        st.binary(min_size=1, max_size=24).map(bytes.hex),
    )
    return st.one_of(
        text,
        text.map(str.encode),
        text.map(lambda one: (one,)),
        text.map(lambda one: {one: "0" * 64}),
        text.map(lambda one: {"centerface": one}),
        text.map(lambda one: ((one, one),)),
        text.map(lambda one: (0, one)),
    )


def _words_of(facts: type[Facts]) -> set[str]:
    kinds = [kind_of(field) for field in dataclasses.fields(facts)]
    return {word for kind in kinds if isinstance(kind, Word) for word in kind.words}


@pytest.mark.parametrize("facts", STATEMENTS, ids=lambda facts: facts.__name__)
@given(value=smuggled())
@settings(max_examples=60, deadline=None)
def test_no_text_gets_into_any_field(facts: type[Facts], value: Any) -> None:
    for field in dataclasses.fields(facts):
        try:
            made = SOUND[facts](**{field.name: value})
        except FormatError:
            continue
        # It was taken: then it is a word of a list, has one of the known shapes, or is as long as a key.
        kind = kind_of(field)
        kind = kind.item if isinstance(kind, Maybe) else kind
        assert getattr(made, field.name) == value
        if isinstance(kind, Raw):
            assert isinstance(value, bytes)
            assert len(value) == kind.size
            continue
        if isinstance(kind, Table):
            # Words of a list, each with a word of another or what is shaped like a digest.
            assert isinstance(kind.key, Word)
            assert set(value) <= set(kind.key.words)
            assert all(re.fullmatch(r"[0-9a-f]{64}", one) for one in value.values())
            continue
        assert isinstance(value, str)
        assert isinstance(kind, Word | Pattern | Digest | Instant)
        assert not isinstance(kind, Digest) or re.fullmatch(r"[0-9a-f]{64}", value)


@given(kind=st.text(max_size=30), digest=st.binary(max_size=64))
def test_an_entry_takes_a_word_and_32_bytes_and_nothing_else(kind: str, digest: bytes) -> None:
    if kind in KINDS and len(digest) == 32:
        assert set(json.loads(Entry(kind, digest).to_bytes())) == {"entry", "kind", "sha256"}
        return
    with pytest.raises(FormatError):
        Entry(kind, digest)


@pytest.mark.parametrize("kind", KINDS)
def test_an_entry_is_a_kind_and_a_digest(kind: str) -> None:
    digest = hashlib.sha256(kind.encode()).digest()
    content = {"entry": "bauta.entry/v1", "kind": kind, "sha256": digest.hex()}
    assert json.loads(Entry(kind, digest).to_bytes()) == content


@pytest.mark.parametrize("facts", STATEMENTS, ids=lambda facts: facts.__name__)
def test_the_schema_files_are_those_of_the_code(facts: type[Facts]) -> None:
    """`python -m provenance.statements.schema docs/schemas` writes them anew."""
    written = (SCHEMAS / json_schema.file_name(facts)).read_text(encoding="utf-8")
    assert written == json_schema.to_text(json_schema.schema_of(facts))


def test_there_is_no_schema_of_anything_else() -> None:
    assert {path.name for path in SCHEMAS.iterdir()} == {json_schema.file_name(facts) for facts in STATEMENTS}


@pytest.mark.parametrize("facts", STATEMENTS, ids=lambda facts: facts.__name__)
def test_the_schema_takes_what_the_code_takes_and_no_other_key(facts: type[Facts]) -> None:
    schema = json.loads((SCHEMAS / json_schema.file_name(facts)).read_text(encoding="utf-8"))
    sound = json.loads(SOUND[facts]().to_statement())
    assert refusals(schema, sound) == []
    predicate = sound["predicate"]
    for broken in (
        {**sound, "note": "interview.mp4"},
        {**sound, "predicate": {**predicate, "note": "interview.mp4"}},
        {**sound, "predicateType": "urn:bauta:predicate:other:v1"},
        {**sound, "subject": sound["subject"] * 2},
        {**sound, "subject": [{**sound["subject"][0], "name": "interview.mp4"}]},
        *({**sound, "predicate": {**predicate, key: "interview.mp4"}} for key in predicate),
        *({**sound, "predicate": {**predicate, key: ["interview.mp4"]}} for key in predicate),
        *(
            {**sound, "predicate": {k: v for k, v in predicate.items() if k != missing}}
            for missing in predicate
        ),
    ):
        assert refusals(schema, broken) != []


def refusals(schema: dict[str, Any], value: Any) -> list[str]:
    """A reading of the keywords that our schemas use (JSON Schema 2020-12); any other keyword is an error."""
    found: list[str] = []
    for keyword, wanted in schema.items():
        match keyword:
            case "$schema" | "$id" | "title" | "description" | "contentEncoding" | "required":
                if keyword == "required" and isinstance(value, dict) and set(wanted) - set(value):
                    found.append("required")
            case "type":
                types = {"object": dict, "array": list, "string": str, "integer": int, "null": type(None)}
                if not isinstance(value, types[wanted]) or isinstance(value, bool):
                    found.append("type")
            case "const" | "enum":
                if value not in ([wanted] if keyword == "const" else wanted):
                    found.append(keyword)
            case "pattern":
                if isinstance(value, str) and not re.search(wanted, value):
                    found.append("pattern")
            case "minimum" | "maximum" if isinstance(value, int):
                if not (value >= wanted if keyword == "minimum" else value <= wanted):
                    found.append(keyword)
            case (
                "minLength" | "maxLength" | "minItems" | "maxItems" | "maxProperties" | "minimum" | "maximum"
            ):
                if isinstance(value, str | list | dict):
                    enough = len(value) >= wanted if keyword.startswith("min") else len(value) <= wanted
                    found += [] if enough else [keyword]
            case "uniqueItems":
                if isinstance(value, list) and len({json.dumps(item) for item in value}) != len(value):
                    found.append("uniqueItems")
            case "items":
                found += [why for item in value for why in refusals(wanted, item)] * isinstance(value, list)
            case "properties":
                if isinstance(value, dict):
                    found += [
                        w for key in wanted.keys() & value.keys() for w in refusals(wanted[key], value[key])
                    ]
            case "additionalProperties":
                if isinstance(value, dict) and set(value) - set(schema["properties"]):
                    found.append("additionalProperties")
            case "anyOf":
                if all(refusals(option, value) for option in wanted):
                    found.append("anyOf")
            case _:
                pytest.fail(f"the schemas use a keyword that nobody reads: {keyword}")
    return found
