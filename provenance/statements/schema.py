"""The same statements as JSON Schema (draft 2020-12), for tools that are not ours: `docs/schemas`.

Made from the dataclasses, so that the two cannot differ. A schema cannot say all that `from_statement` checks
(that times are real, that one number is not above another); what a schema refuses, `from_statement` refuses.

Run `python -m provenance.statements.schema FOLDER` to write them.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path
from typing import Any

from provenance.statements import STATEMENTS
from provenance.statements.base import STATEMENT_TYPE, Facts, json_name
from provenance.statements.fields import (
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
)
from provenance.statements.scope import MAX_MILLISECONDS, MAX_TRACK, Stretches, Tracks
from provenance.statements.vocabulary import DIGESTED

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema_of(facts: type[Facts]) -> dict[str, Any]:
    """Gives the schema of one kind of statement: the whole payload of its envelope.

    Raises:
        TypeError: a field is of a kind that has no schema.
    """
    fields = [field for field in dataclasses.fields(facts) if field.name != facts.SUBJECT_FIELD]
    return {
        "$schema": DRAFT,
        "$id": facts.PREDICATE_TYPE,
        "title": f"Bauta statement: {facts.kind()}",
        **_object(
            {
                "_type": {"const": STATEMENT_TYPE},
                "subject": {"type": "array", "minItems": 1, "maxItems": 1, "items": _subject(facts)},
                "predicateType": {"const": facts.PREDICATE_TYPE},
                "predicate": _object({json_name(field.name): _kind(kind_of(field)) for field in fields}),
            }
        ),
    }


def file_name(facts: type[Facts]) -> str:
    """Names a schema's file: "job.v1.json"."""
    version = facts.PREDICATE_TYPE.rpartition(":")[2]
    return f"{facts.kind()}.{version}.json"


def to_text(schema: dict[str, Any]) -> str:
    """Gives the file's text."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def main(folder: Path) -> None:
    """Writes every schema."""
    for facts in STATEMENTS:
        (folder / file_name(facts)).write_text(to_text(schema_of(facts)), encoding="utf-8")


def _subject(facts: type[Facts]) -> dict[str, Any]:
    described = [_kind(kind_of(f)) for f in dataclasses.fields(facts) if f.name == facts.SUBJECT_FIELD]
    digest = described[0] if described else _text(SHA256)
    return _object({"name": {"const": facts.SUBJECT_NAME}, "digest": _object({"sha256": digest})})


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _kind(kind: Kind) -> dict[str, Any]:
    match kind:
        case Word(words):
            return {"enum": list(words)}
        case Digest(thing):
            return {**_text(SHA256), "description": f"SHA-256 in hex: {DIGESTED[thing]}"}
        case Pattern():
            return _text(kind)
        case Instant():
            return {"type": "string", "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"}
        case Count(maximum):
            return {"type": "integer", "minimum": 0, "maximum": maximum}
        case Raw(size):
            length = 4 * -(-size // 3)
            return {"type": "string", "contentEncoding": "base64", "minLength": length, "maxLength": length}
        case Sorted(item, most):
            return {"type": "array", "items": _kind(item), "maxItems": most, "uniqueItems": True}
        case Table(Word(words), item, most):
            names = {word: _kind(item) for word in words}
            return {
                "type": "object",
                "properties": names,
                "additionalProperties": False,
                "maxProperties": most,
            }
        case Maybe(item):
            return {"anyOf": [_kind(item), {"type": "null"}]}
        case Tracks(most):
            return {**_numbers(MAX_TRACK), "minItems": 1, "maxItems": most, "uniqueItems": True}
        case Stretches(most):
            pair = {**_numbers(MAX_MILLISECONDS), "minItems": 2, "maxItems": 2}
            return {"type": "array", "items": pair, "minItems": 1, "maxItems": most}
        case _:
            raise TypeError(f"{type(kind).__name__} has no schema")


def _numbers(maximum: int) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "integer", "minimum": 0, "maximum": maximum}}


def _text(pattern: Pattern) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{pattern.shape.pattern})$"}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
