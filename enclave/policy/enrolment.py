"""What instructions say of people who are enrolled: who has a role by being recognized, and by what.

    {"pictures":[n,...],"role":"..."}                     pictures of somebody, each n bytes
    {"embedding":"<base64>","role":"..."}                 a vector instead: little-endian float32

A list of these, one for each person. The pictures' bytes stand between the record of a review and the media,
person by person, in order: a picture is too large for a line of JSON.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from enclave.errors import PreambleError
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

MAX_PEOPLE = 8
MAX_PICTURES = 5
MAX_PICTURE_BYTES = 8 << 20
MAX_PICTURES_BYTES = 32 << 20
# 2048 numbers, the longest vector that a network may have.
MAX_EMBEDDING_BYTES = 8 << 10
MAX_ROLE_CHARACTERS = 32


@dataclass(frozen=True)
class EnrolledPerson:
    """One person.

    Attributes:
        role: as the policy calls it.
        picture_bytes: the length of each picture, up to five; empty with a vector.
        embedding: the vector; empty with pictures.

    Raises:
        PreambleError: it is not one of the two, or too many or too large.
    """

    role: str
    picture_bytes: tuple[int, ...] = ()
    embedding: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if not 0 < len(self.role) <= MAX_ROLE_CHARACTERS:
            raise PreambleError("an enrolled person has a role")
        if bool(self.picture_bytes) == bool(self.embedding):
            raise PreambleError("an enrolled person has pictures or a vector")
        if len(self.picture_bytes) > MAX_PICTURES or len(self.embedding) > MAX_EMBEDDING_BYTES:
            raise PreambleError(f"an enrolled person has at most {MAX_PICTURES} pictures")
        if not all(0 < count <= MAX_PICTURE_BYTES for count in self.picture_bytes):
            raise PreambleError(f"a picture of an enrolled person has 1 to {MAX_PICTURE_BYTES} bytes")

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        if self.embedding:
            return {"embedding": base64_text(self.embedding), "role": self.role}
        return {"pictures": list(self.picture_bytes), "role": self.role}

    @classmethod
    def from_object(cls, untrusted: object) -> EnrolledPerson:
        """Reads that object.

        Raises:
            PreambleError: it is another.
        """
        if not isinstance(untrusted, Mapping) or untrusted.keys() not in (
            {"pictures", "role"},
            {"embedding", "role"},
        ):
            raise PreambleError("an enrolled person has a role and pictures or a vector, and nothing else")
        role, pictures = untrusted["role"], untrusted.get("pictures", [])
        if not isinstance(role, str) or not isinstance(pictures, list):
            raise PreambleError("a role is text, and pictures are a list")
        if not all(type(count) is int for count in pictures):
            raise PreambleError("the length of a picture is a whole number")
        try:
            embedding = base64_bytes(untrusted.get("embedding", ""))
        except FormatError:
            raise PreambleError("a vector is base64") from None
        return cls(role=role, picture_bytes=tuple(pictures), embedding=embedding)


def require_bounded(people: Sequence[EnrolledPerson]) -> None:
    """Refuses too many people, and pictures that are too large together.

    Raises:
        PreambleError: they are.
    """
    if len(people) > MAX_PEOPLE or pictures_bytes(people) > MAX_PICTURES_BYTES:
        raise PreambleError(
            f"at most {MAX_PEOPLE} people are enrolled, by pictures of {MAX_PICTURES_BYTES >> 20} MiB in all"
        )


def enrolled_from_object(untrusted: object) -> tuple[EnrolledPerson, ...]:
    """Reads the list.

    Raises:
        PreambleError: it is none, or holds too much.
    """
    if not isinstance(untrusted, list) or len(untrusted) > MAX_PEOPLE:
        raise PreambleError(f"those who are enrolled are a list of at most {MAX_PEOPLE}")
    return tuple(EnrolledPerson.from_object(each) for each in untrusted)


def pictures_bytes(people: Sequence[EnrolledPerson]) -> int:
    """Gives the length of all pictures together."""
    return sum(sum(person.picture_bytes) for person in people)


def pictures_of(people: Sequence[EnrolledPerson], untrusted: bytes) -> Iterator[tuple[bytes, ...]]:
    """Yields the pictures of each person, out of all in a row; whoever calls has checked the length."""
    at = 0
    for person in people:
        ends = [at := at + count for count in person.picture_bytes]
        starts = [end - count for end, count in zip(ends, person.picture_bytes, strict=True)]
        yield tuple(untrusted[start:end] for start, end in zip(starts, ends, strict=True))
