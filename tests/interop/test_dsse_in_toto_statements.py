"""The in-toto project's own Python package (in-toto-attestation) takes every statement that we can make."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.json_format import MessageToDict, ParseDict, ParseError
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.statement import Statement

from provenance.statements import STATEMENTS, Facts
from tests.unit.provenance.provenance_makers import job_facts
from tests.unit.provenance.statement_makers import SOUND

Content = dict[str, Any]


def as_read_by_others(content: Content) -> Statement:
    """Parses by their schema, which refuses unknown fields, and applies their rules."""
    statement = Statement.copy_from_pb(ParseDict(content, statement_pb2.Statement()))
    statement.validate()
    return statement


@pytest.mark.parametrize("kind", STATEMENTS, ids=lambda kind: kind.__name__)
def test_they_take_each_statement_whole(kind: type[Facts]) -> None:
    content: Content = json.loads(SOUND[kind]().to_statement())
    statement = as_read_by_others(content)
    assert statement.pb.predicate_type == content["predicateType"]
    assert {item.name: dict(item.digest) for item in statement.pb.subject} == {
        item["name"]: item["digest"] for item in content["subject"]
    }
    # Nothing of ours is lost on the way through their schema.
    assert MessageToDict(statement.pb) == content


DEFECTS: dict[str, Callable[[Content], object]] = {
    "no subject": lambda content: content.update(subject=[]),
    "a subject without a digest": lambda content: content["subject"][0].update(digest={}),
    "no predicate type": lambda content: content.update(predicateType=""),
    "no predicate": lambda content: content.update(predicate={}),
    "an older statement type": lambda content: content.update(_type="https://in-toto.io/Statement/v0.1"),
    "a field of no statement": lambda content: content.update(note="free text"),
}


@pytest.mark.parametrize("defect", DEFECTS)
def test_they_refuse_what_is_no_statement(defect: str) -> None:
    content: Content = json.loads(job_facts().to_statement())
    as_read_by_others(content)
    DEFECTS[defect](content)
    with pytest.raises((ValueError, ParseError)):
        as_read_by_others(content)
