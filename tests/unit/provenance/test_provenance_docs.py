"""docs/formats.md says what the code does: its fields, words, steps and examples."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from provenance_makers import (
    TestSigner,
    failure_facts,
    intake_facts,
    job_facts,
    release_facts,
    worker_release_facts,
)

from provenance import canonical
from provenance.entry import Entry
from provenance.statements import Facts, JobFacts, vocabulary
from provenance.verifier import RESULT_STEPS

TEXT = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL)
SOUND = [
    intake_facts(),
    release_facts(TestSigner("worker").public),
    job_facts(),
    failure_facts(),
    worker_release_facts(),
]


@pytest.mark.parametrize("facts", SOUND, ids=lambda facts: type(facts).__name__)
def test_every_field_of_a_statement_is_listed_and_no_other(facts: Facts) -> None:
    section = TEXT.split(f"### `{facts.PREDICATE_TYPE}`")[1].split("\n#")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(facts.predicate())
    assert f"`{facts.SUBJECT_NAME}`" in section


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tier", vocabulary.TIERS),
        ("wall", vocabulary.WALLS),
        ("mode", vocabulary.MODES),
        ("effect", vocabulary.EFFECTS),
        ("audio", vocabulary.AUDIO),
        ("device", vocabulary.DEVICES),
        ("media type", vocabulary.MEDIA_TYPES),
        ("model", vocabulary.MODELS),
        ("kind", vocabulary.KINDS),
        ("policy", vocabulary.POLICIES),
        ("failure code", vocabulary.FAILURE_CODES),
    ],
)
def test_every_word_is_listed_and_no_other(name: str, words: tuple[str, ...]) -> None:
    found = re.search(rf"^\| {name} \| (.*) \|$", TEXT, re.MULTILINE)
    assert found is not None
    assert tuple(re.findall(r"`([^`]+)`", found[1])) == words


def test_the_steps_are_listed_in_order() -> None:
    assert re.findall(r"^\d+\. `(\w+)`: (.*)$", TEXT, re.MULTILINE) == list(RESULT_STEPS.items())


def test_the_examples_are_real() -> None:
    statement, entry = (canonical.dumps(json.loads(example)) for example in EXAMPLES)
    assert JobFacts.from_statement(statement).frames == 90
    digest = bytes.fromhex(json.loads(entry)["sha256"])
    assert Entry("job", digest).to_bytes() == entry == EXAMPLES[1].strip().encode()
