"""Instructions: inside the seal only, in one form, bounded, and silent about themselves."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from enclave_makers import some_terms

from enclave.errors import PreambleError
from enclave.policy import Instructions, ReviewInstructions, parse_preamble, upload_preamble
from enclave.policy.instructions import instructions_from_object
from enclave.policy.review import MAX_DECISIONS_BYTES, MAX_RECORD_BYTES
from provenance import canonical

SALT = bytes(range(32))
KEY = bytes(range(32, 64))
NAMED = Instructions(pseudonym="Pantalone", scope="the harbour")
BASE64_KEY = base64.b64encode(KEY).decode()

SOUND = {
    "a pseudonym and its scope": (NAMED, {"pseudonym": "Pantalone", "scope": "the harbour"}),
    "names of other scripts": (
        Instructions(pseudonym="Zoë Ünal", scope="新闻"),
        {"pseudonym": "Zoë Ünal", "scope": "新闻"},
    ),
    "a device has committed": (Instructions(pieces_secret=KEY), {"pieces_secret": BASE64_KEY}),
    "templates come along": (Instructions(matching=4_000_000), {"matching": 4_000_000}),
    "no sound is wanted": (Instructions(sound="remove"), {"sound": "remove"}),
    "a review is wanted": (Instructions(review=ReviewInstructions(KEY)), {"review": {"key": BASE64_KEY}}),
    "a review has taken place": (
        Instructions(review=ReviewInstructions(KEY, 4, b"signed")),
        {"review": {"key": BASE64_KEY, "decisions": "c2lnbmVk", "record_bytes": 4}},
    ),
}


@pytest.mark.parametrize(("instructions", "said"), SOUND.values(), ids=SOUND)
def test_instructions_come_back_from_the_preamble(instructions: Instructions, said: dict[str, Any]) -> None:
    preamble = upload_preamble(some_terms(), SALT, instructions)
    assert json.loads(preamble.split(b"\n")[1])["instructions"] == said
    parsed = parse_preamble(preamble + b"the media")
    assert parsed.instructions == instructions
    assert parsed.header_bytes == len(preamble)
    assert parsed.size == len(preamble) + parsed.record_bytes + instructions.matching


def test_without_instructions_the_preamble_is_as_it_always_was() -> None:
    assert upload_preamble(some_terms(), SALT, Instructions()) == upload_preamble(some_terms(), SALT)
    assert b"instructions" not in upload_preamble(some_terms(), SALT)
    assert parse_preamble(upload_preamble(some_terms(), SALT)).instructions == Instructions()


def test_instructions_are_no_part_of_the_terms() -> None:
    """The request and every statement name the terms' digest: two people under one look alike."""
    with_name, without = (upload_preamble(some_terms(), SALT, said) for said in (NAMED, None))
    assert parse_preamble(with_name).terms.digest == parse_preamble(without).terms.digest


def test_no_repr_tells_a_name() -> None:
    instructions = Instructions("Pantalone", "the harbour", ReviewInstructions(KEY, 4, b"signed"))
    parsed = parse_preamble(upload_preamble(some_terms(), SALT, instructions))
    for text in (repr(instructions), repr(parsed), repr(instructions.review)):
        assert "Pantalone" not in text
        assert "harbour" not in text
        assert "signed" not in text


UNSOUND_NAMES = {
    "too long": "x" * 65,
    "two lines": "Panta\nlone",
    "a control character": "Panta\x00lone",
    "invisible": "Panta\u200blone",
    "turned around": "\u202eenolatnaP",
    "a blank before": " Pantalone",
    "a blank behind": "Pantalone ",
    "an accent of its own": "Zoe\u0308",
    "half a character": "\ud800",
}


@pytest.mark.parametrize("name", UNSOUND_NAMES.values(), ids=UNSOUND_NAMES)
def test_a_name_that_could_be_two_is_none(name: str) -> None:
    for names in ((name, "scope"), ("pseudonym", name)):
        with pytest.raises(PreambleError) as caught:
            Instructions(*names)
        assert name not in str(caught.value)
        with pytest.raises(PreambleError):
            instructions_from_object(dict(zip(("pseudonym", "scope"), names, strict=True)))


UNSOUND: dict[str, object] = {
    "nothing": {},
    "no object": ["Pantalone"],
    "null": None,
    "a pseudonym alone": {"pseudonym": "Pantalone"},
    "a scope alone": {"scope": "the harbour"},
    "an empty pseudonym": {"pseudonym": "", "scope": "the harbour"},
    "both empty": {"pseudonym": "", "scope": ""},
    "a number": {"pseudonym": 1, "scope": "the harbour"},
    "something more": {"pseudonym": "Pantalone", "scope": "the harbour", "name": "Antonio"},
    "no secret": {"pieces_secret": ""},
    "a short secret": {"pieces_secret": base64.b64encode(KEY[:31]).decode()},
    "a secret in hexadecimal": {"pieces_secret": KEY.hex()},
    "a secret that is a number": {"pieces_secret": 7},
    "templates of no length": {"matching": 0},
    "templates of less than nothing": {"matching": -1},
    "templates of true": {"matching": True},
    "templates as text": {"matching": "4000000"},
    "templates too large": {"matching": (8 << 20) + 1},
    "templates in the second run of a review": {
        "matching": 7,
        "review": {"key": BASE64_KEY, "decisions": "c2lnbmVk", "record_bytes": 4},
    },
    "sound that is to stay": {"sound": "keep"},
    "no word of sound": {"sound": ""},
    "sound that is a list": {"sound": ["remove"]},
    "an empty review": {"review": {}},
    "no review": {"review": None},
    "a review that is a list": {"review": [BASE64_KEY]},
    "a short review key": {"review": {"key": base64.b64encode(KEY[:31]).decode()}},
    "a review key in hexadecimal": {"review": {"key": KEY.hex()}},
    "a record without decisions": {"review": {"key": BASE64_KEY, "record_bytes": 1}},
    "decisions without a record": {"review": {"key": BASE64_KEY, "decisions": "c2lnbmVk"}},
    "an empty record": {"review": {"key": BASE64_KEY, "decisions": "c2lnbmVk", "record_bytes": 0}},
    "empty decisions": {"review": {"key": BASE64_KEY, "decisions": "", "record_bytes": 1}},
    "nothing decided about nothing": {"review": {"key": BASE64_KEY, "decisions": "", "record_bytes": 0}},
    "a record of less than nothing": {
        "review": {"key": BASE64_KEY, "decisions": "c2lnbmVk", "record_bytes": -1}
    },
    "a record of true": {"review": {"key": BASE64_KEY, "decisions": "c2lnbmVk", "record_bytes": True}},
    "a record too large": {
        "review": {"key": BASE64_KEY, "decisions": "c2lnbmVk", "record_bytes": MAX_RECORD_BYTES + 1}
    },
    "decisions too large": {
        "review": {
            "key": BASE64_KEY,
            "decisions": base64.b64encode(bytes(MAX_DECISIONS_BYTES + 1)).decode(),
            "record_bytes": 1,
        }
    },
}


@pytest.mark.parametrize("said", UNSOUND.values(), ids=UNSOUND)
def test_other_instructions_are_refused(said: object) -> None:
    line = json.loads(upload_preamble(some_terms(), SALT).split(b"\n")[1])
    untrusted = b"bauta.upload/v1\n" + canonical.dumps({**line, "instructions": said}) + b"\nmedia"
    with pytest.raises(PreambleError) as caught:
        parse_preamble(untrusted)
    assert caught.value.code == "preamble_invalid"


def names_in(schema: object) -> set[str]:
    """Every property that a statement of this schema may have."""
    if isinstance(schema, dict):
        own = set(schema["properties"]) if isinstance(schema.get("properties"), dict) else set()
        return own.union(*map(names_in, schema.values()))
    return set().union(*map(names_in, schema)) if isinstance(schema, list) else set()


def test_no_statement_has_a_place_for_what_only_the_worker_is_told() -> None:
    schemas = sorted((Path(__file__).parents[3] / "docs" / "schemas").glob("*.json"))
    assert schemas
    for path in schemas:
        schema = json.loads(path.read_bytes())
        names = names_in(schema)
        assert names, path.name
        told = ("pseudonym", "scope", "instruction", "persona", "derived")
        assert not [name for name in names if any(word in name.lower() for word in told)], path.name
