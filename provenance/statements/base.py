"""The in-toto Statement v1 around each set of facts (github.com/in-toto/attestation, spec/v1).

A statement is read strictly: the facts that come out of it must give back the very same bytes, so an
unknown key, a missing one, another spelling of a number or a subject that does not fit is an error.
"""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from provenance import canonical
from provenance.errors import FormatError
from provenance.statements.fields import kind_of

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
MAX_STATEMENT_BYTES = 64 << 10


@dataclass(frozen=True)
class Facts(ABC):
    """The facts of one statement; checked when made, so that a bad one cannot be signed.

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str]
    SUBJECT_NAME: ClassVar[str]
    # The field that is the subject's digest and therefore not repeated in the predicate.
    SUBJECT_FIELD: ClassVar[str | None] = None

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            object.__setattr__(self, field.name, kind_of(field).check(getattr(self, field.name)))

    @classmethod
    def kind(cls) -> str:
        """The log's word for this kind of statement: the name in its predicate type."""
        return cls.PREDICATE_TYPE.removeprefix("urn:bauta:predicate:").rpartition(":")[0]

    @abstractmethod
    def subject_sha256(self) -> str:
        """The hex SHA-256 of what the statement is about."""

    def predicate(self) -> dict[str, Any]:
        """Gives the JSON object of every fact but the subject's digest, for the statement and for people."""
        return {
            json_name(field.name): kind_of(field).to_json(getattr(self, field.name))
            for field in self._predicate_fields()
        }

    def to_statement(self) -> bytes:
        """Gives the statement as canonical JSON."""
        return canonical.dumps(
            {
                "_type": STATEMENT_TYPE,
                "subject": [{"name": self.SUBJECT_NAME, "digest": {"sha256": self.subject_sha256()}}],
                "predicateType": self.PREDICATE_TYPE,
                "predicate": self.predicate(),
            }
        )

    @classmethod
    def from_statement(cls, untrusted: bytes) -> Self:
        """Reads what `to_statement` wrote.

        Raises:
            FormatError: another statement, or not exactly this form.
        """
        statement = canonical.loads(untrusted, MAX_STATEMENT_BYTES)
        if not isinstance(statement, dict) or statement.get("predicateType") != cls.PREDICATE_TYPE:
            raise FormatError("the statement is of another kind", "wrong_statement")
        predicate = statement.get("predicate")
        fields = cls._predicate_fields()
        if not isinstance(predicate, dict) or predicate.keys() != {json_name(field.name) for field in fields}:
            raise FormatError("the statement's predicate does not have exactly its fields")
        values = {field.name: kind_of(field).from_json(predicate[json_name(field.name)]) for field in fields}
        if cls.SUBJECT_FIELD is not None:
            values[cls.SUBJECT_FIELD] = _subject_digest(statement.get("subject"))
        facts = cls(**values)
        if facts.to_statement() != untrusted:
            raise FormatError("the statement's subject or frame is not exactly as it should be")
        return facts

    @classmethod
    def _predicate_fields(cls) -> list[dataclasses.Field[Any]]:
        return [field for field in dataclasses.fields(cls) if field.name != cls.SUBJECT_FIELD]


def json_name(name: str) -> str:
    """in-toto's house style: lowerCamelCase (docs/new_predicate_guidelines.md)."""
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _subject_digest(untrusted: Any) -> Any:
    match untrusted:
        case [{"digest": {"sha256": digest}}]:
            return digest
    raise FormatError("the statement does not have one subject with a SHA-256 digest")
