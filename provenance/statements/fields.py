"""The kinds of field. Each one knows which values it takes and how they look in JSON.

A statement's dataclass names a kind in each field's metadata (`of`). There is no kind for free text, and a
digest says what it is of, so that the hash of an original cannot become a field by mistake.
"""

from __future__ import annotations

import dataclasses
import re
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.statements.vocabulary import DIGESTED

INSTANT_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


class Kind(ABC):
    """One kind of field."""

    @abstractmethod
    def check(self, value: Any) -> Any:
        """Gives the value back.

        Raises:
            FormatError: the field does not take this value.
        """

    def to_json(self, value: Any) -> Any:
        """Gives the JSON value of a checked value."""
        return value

    def from_json(self, untrusted: Any) -> Any:
        """Undoes `to_json`; the caller checks the value."""
        return untrusted


@dataclass(frozen=True)
class Word(Kind):
    """One of a closed list of words."""

    words: tuple[str, ...]

    def check(self, value: Any) -> Any:
        """Takes a word of the list."""
        if not isinstance(value, str) or value not in self.words:
            raise FormatError("a field holds a word that is not in its list")
        return value


@dataclass(frozen=True)
class Pattern(Kind):
    """A string of one exact shape."""

    shape: re.Pattern[str]

    def check(self, value: Any) -> Any:
        """Takes a string that matches from end to end."""
        if not isinstance(value, str) or self.shape.fullmatch(value) is None:
            raise FormatError("a field does not have its exact shape")
        return value


@dataclass(frozen=True)
class Instant(Kind):
    """A time in UTC, to the second: "2026-11-21T00:00:00Z" (RFC 3339)."""

    def check(self, value: Any) -> Any:
        """Takes a real date and time in exactly that form."""
        parse_instant(value)
        return value


@dataclass(frozen=True)
class Count(Kind):
    """A whole number from 0 to `maximum`."""

    maximum: int = canonical.MAX_INTEGER

    def check(self, value: Any) -> Any:
        """Takes an int in range; True is not a number."""
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= self.maximum:
            raise FormatError("a field is not a whole number in its range")
        return value


@dataclass(frozen=True)
class Raw(Kind):
    """Exactly `size` bytes, base64 in JSON."""

    size: int

    def check(self, value: Any) -> Any:
        """Takes bytes of that length."""
        if not isinstance(value, bytes) or len(value) != self.size:
            raise FormatError("a field does not hold its number of bytes")
        return value

    def to_json(self, value: Any) -> Any:
        """Gives base64."""
        return base64_text(value)

    def from_json(self, untrusted: Any) -> Any:
        """Reads base64."""
        return base64_bytes(untrusted)


@dataclass(frozen=True)
class Sorted(Kind):
    """A tuple of distinct strings in order, so that one set has one encoding."""

    item: Kind
    most: int = 64

    def check(self, value: Any) -> Any:
        """Takes a sorted tuple without repetition."""
        if not isinstance(value, tuple) or len(value) > self.most:
            raise FormatError("a field is not a list of an accepted length")
        for element in value:
            self.item.check(element)
        if list(value) != sorted(set(value)):
            raise FormatError("a list is not sorted or repeats itself")
        return value

    def to_json(self, value: Any) -> Any:
        """Gives an array."""
        return list(value)

    def from_json(self, untrusted: Any) -> Any:
        """Reads an array."""
        return tuple(untrusted) if isinstance(untrusted, list) else untrusted


@dataclass(frozen=True)
class Table(Kind):
    """A mapping from words to strings of one shape."""

    key: Kind
    item: Kind
    most: int = 32

    def check(self, value: Any) -> Any:
        """Takes a mapping; gives a copy that nobody else holds."""
        if not isinstance(value, Mapping) or len(value) > self.most:
            raise FormatError("a field is not a table of an accepted length")
        for key, item in value.items():
            self.key.check(key)
            self.item.check(item)
        return dict(value)

    def to_json(self, value: Any) -> Any:
        """Gives an object."""
        return dict(value)


@dataclass(frozen=True)
class Maybe(Kind):
    """A field that can be empty: None, in JSON null. The field itself is always there."""

    item: Kind

    def check(self, value: Any) -> Any:
        """Takes None, and what the item takes."""
        return None if value is None else self.item.check(value)

    def to_json(self, value: Any) -> Any:
        """Gives null or the item's form."""
        return None if value is None else self.item.to_json(value)

    def from_json(self, untrusted: Any) -> Any:
        """Reads null or the item's form."""
        return None if untrusted is None else self.item.from_json(untrusted)


@dataclass(frozen=True)
class Digest(Kind):
    """The hex SHA-256 of one kind of thing, by its name in `vocabulary.DIGESTED`.

    Raises:
        FormatError: a digest of anything else is not for a statement.
    """

    thing: str

    def __post_init__(self) -> None:
        if self.thing not in DIGESTED:
            raise FormatError("a statement holds no digest of such a thing")

    def check(self, value: Any) -> Any:
        """Takes 64 lower-case hex digits."""
        return SHA256.check(value)


JOB_ID = Pattern(re.compile(r"[0-9a-f]{32}"))
# The form of every digest; no field is of this kind itself.
SHA256 = Pattern(re.compile(r"[0-9a-f]{64}"))
# Bech32 of a 1,216-byte X-Wing public key (c2sp.org/age, mlkem768x25519 recipients).
AGE_RECIPIENT = Pattern(re.compile(r"age1pq1[02-9ac-hj-np-z]{1952}"))


def of(kind: Kind, default: Any = dataclasses.MISSING) -> Any:
    """Declares a dataclass field of a kind; an empty table as default is a new one each time."""
    if isinstance(default, dict):
        return dataclasses.field(metadata={"kind": kind}, default_factory=default.copy)
    return dataclasses.field(metadata={"kind": kind}, default=default)


def kind_of(field: dataclasses.Field[Any]) -> Kind:
    """Gives the kind that `of` declared."""
    kind: Kind = field.metadata["kind"]
    return kind


def parse_instant(text: Any) -> datetime:
    """Reads "2026-11-21T00:00:00Z".

    Raises:
        FormatError: another form, or no such time.
    """
    try:
        moment = datetime.strptime(text, INSTANT_FORMAT).replace(tzinfo=UTC)
    except (TypeError, ValueError):
        raise FormatError('a time is not written like "2026-11-21T00:00:00Z"') from None
    if format_instant(moment) != text:
        raise FormatError('a time is not written like "2026-11-21T00:00:00Z"')
    return moment


def format_instant(moment: datetime) -> str:
    """Writes a time zone aware datetime in UTC, cut to the second.

    Raises:
        FormatError: the datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise FormatError("a time has no time zone")
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
