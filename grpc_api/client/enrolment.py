"""People who are enrolled in a submission: what is said of them, and their pictures."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from enclave.policy import EnrolledPerson, Instructions
from grpc_api.errors import precondition
from provenance.register import SignedRelease

# What recognizes them: the operator of a worker adds it (docs/models.md).
FACE_EMBEDDING = "custom-face-embedding"


@dataclass(frozen=True)
class Enrolment:
    """Everybody who is enrolled.

    Attributes:
        people: who has which role, by how many pictures of which length, or by which vector.
        pictures: all pictures in a row, person by person.
    """

    people: tuple[EnrolledPerson, ...] = ()
    pictures: bytes = field(default=b"", repr=False)

    @classmethod
    def of(cls, people: Iterable[tuple[str, tuple[bytes, ...]] | EnrolledPerson]) -> Enrolment:
        """Gathers people: with a vector as they are, or a role and pictures.

        Raises:
            PreambleError: too much, or nothing, is enrolled for somebody.
        """
        taken, pictures = [], b""
        for person in people:
            if isinstance(person, EnrolledPerson):
                taken.append(person)
                continue
            role, theirs = person
            taken.append(EnrolledPerson(role, tuple(map(len, theirs))))
            pictures += b"".join(theirs)
        return cls(tuple(taken), pictures)

    def told(self, instructions: Instructions | None) -> Instructions | None:
        """Gives the instructions with those who are enrolled; as they were where nobody is.

        Raises:
            PreambleError: too many are.
        """
        return replace(instructions or Instructions(), enrolled=self.people) if self.people else instructions

    def require_network(self, release: SignedRelease) -> None:
        """Refuses, before anything is sealed, a worker that could recognize nobody.

        Raises:
            ServiceError: `model_missing`.
        """
        if self.people and FACE_EMBEDDING not in release.facts.models:
            raise precondition(
                "model_missing",
                "Nobody can be recognized: the operator of this service has added no network that tells "
                "faces apart. Nothing was sent; leave out the enrolment, or decide in a review.",
            )
