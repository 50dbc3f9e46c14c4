"""docs/formats.md and docs/statements.md say what the code does: fields, words, steps and examples."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from statement_makers import SOUND

from provenance import canonical
from provenance.entry import Entry
from provenance.statements import STATEMENTS, Facts, JobFacts, vocabulary
from provenance.verifier import RESULT_STEPS

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "formats.md").read_text()
STATEMENTS_TEXT = (DOCS / "statements.md").read_text()
EXAMPLES = re.findall(r"```json\n(.*?)```", STATEMENTS_TEXT + TEXT, re.DOTALL)


@pytest.mark.parametrize("kind", STATEMENTS, ids=lambda kind: kind.__name__)
def test_every_field_of_a_statement_is_listed_and_no_other(kind: type[Facts]) -> None:
    facts = SOUND[kind]()
    section = STATEMENTS_TEXT.split(f"### `{facts.PREDICATE_TYPE}`")[1].split("\n#")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)) == set(facts.predicate())
    assert f"`{facts.SUBJECT_NAME}`" in section


def test_every_predicate_is_listed_once_and_in_order() -> None:
    listed = re.findall(r"^\| `(urn:bauta:predicate:[^`]+)` \|.*\| (.*) \|$", TEXT, re.MULTILINE)
    assert [name for name, _ in listed] == [kind.PREDICATE_TYPE for kind in STATEMENTS]
    assert set(re.findall(r"^### `(.*)`$", STATEMENTS_TEXT, re.MULTILINE)) == {name for name, _ in listed}
    assert not [name for name, signer in listed if "nobody" in signer]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("tier", vocabulary.TIERS),
        ("wall", vocabulary.WALLS),
        ("mode", vocabulary.MODES),
        ("effect", vocabulary.EFFECTS),
        ("audio", vocabulary.AUDIO),
        ("sensor noise", vocabulary.SENSOR_NOISE),
        ("quality", vocabulary.QUALITY),
        ("quality check", vocabulary.QUALITY_CHECKS),
        ("recognized", vocabulary.RECOGNIZED),
        ("matched", vocabulary.MATCHED),
        ("untouched", vocabulary.UNTOUCHED),
        ("leak", vocabulary.LEAKS),
        ("leaks look", vocabulary.LEAKS_LOOKS),
        ("device", vocabulary.DEVICES),
        ("engine", vocabulary.ENGINES),
        ("media type", vocabulary.MEDIA_TYPES),
        ("model", vocabulary.MODELS),
        ("kind", vocabulary.KINDS),
        ("policy", vocabulary.POLICIES),
        ("digest of", tuple(vocabulary.DIGESTED)),
        ("purpose", vocabulary.PURPOSES),
        ("legal basis", vocabulary.LEGAL_BASES),
        ("denial reason", vocabulary.DENIAL_REASONS),
        ("erasure reason", vocabulary.ERASURE_REASONS),
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
