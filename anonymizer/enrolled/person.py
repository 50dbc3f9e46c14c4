"""Somebody who is enrolled: the role that they have, and what their face is known by."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from anonymizer.errors import AnonymizerError

MOST_PEOPLE: Final = 8
MOST_PICTURES: Final = 5


@dataclass(frozen=True)
class Enrolled:
    """One person.

    Attributes:
        role: one of the job's roles (settings.Role).
        pictures: JPEG or PNG files, each with their face and nobody else's; up to five.
        embedding: instead of pictures: little-endian float32, as many as the network's vectors have.

    Raises:
        AnonymizerError: enrolment_invalid, unless there is exactly one of the two.
    """

    role: str
    pictures: tuple[bytes, ...] = field(default=(), repr=False)
    embedding: bytes = field(default=b"", repr=False)

    def __post_init__(self) -> None:
        if bool(self.pictures) == bool(self.embedding) or len(self.pictures) > MOST_PICTURES:
            raise AnonymizerError("enrolment_invalid", "Somebody has up to five pictures, or a vector.")
