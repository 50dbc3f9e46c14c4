"""The key that a source gives to one submission: as good as random to everybody, and the source's own again.

Its scope is "submission " and 32 hex digits, drawn for this one submission. Number and key travel in the
job's terms and stand in its statement, so a source keeps no table: its secret and the proof give all back.
Whoever has no secret gives a key too, and forgets what it was made with: that a submission has a key says
nothing about who made it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.group import POINT_BYTES
from keyvault.submitter.pseudonyms import Pseudonym, SubmitterSecret

NUMBER_BYTES: Final = 16

_NUMBER = re.compile(rf"[0-9a-f]{{{2 * NUMBER_BYTES}}}")
_KEY = re.compile(rf"[0-9a-f]{{{2 * POINT_BYTES}}}")


@dataclass(frozen=True)
class SubmissionKey:
    """What one submission knows its source by.

    Attributes:
        number: 32 hex digits, random; no two submissions have the same.
        key: a point, 32 bytes.

    Raises:
        SubmitterError: submission_key_invalid or point_invalid.
    """

    number: str = field(repr=False)
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if _NUMBER.fullmatch(self.number) is None:
            raise _invalid()
        Pseudonym(scope_of(self.number), self.key)

    @classmethod
    def draw(cls, secret: SubmitterSecret) -> SubmissionKey:
        """Makes the key of a new submission by whoever has this secret."""
        number = os.urandom(NUMBER_BYTES).hex()
        return cls(number, secret.pseudonym(scope_of(number)).key)

    @classmethod
    def of_nobody(cls) -> SubmissionKey:
        """Makes one that nothing can ever be proven of: its secret is gone when this returns."""
        return cls.draw(SubmitterSecret.generate())

    @property
    def pseudonym(self) -> Pseudonym:
        """The key in its scope, as proofs are about it."""
        return Pseudonym(scope_of(self.number), self.key)

    def to_object(self) -> dict[str, str]:
        """Gives the JSON object."""
        return {"key": self.key.hex(), "number": self.number}

    @classmethod
    def from_object(cls, untrusted: object) -> SubmissionKey:
        """Reads the JSON object that `to_object` gives.

        Raises:
            SubmitterError: submission_key_invalid; point_invalid, no canonical point of prime order.
        """
        if not isinstance(untrusted, Mapping) or untrusted.keys() != {"key", "number"}:
            raise _invalid()
        key, number = _text(untrusted["key"]), _text(untrusted["number"])
        if _KEY.fullmatch(key) is None:
            raise _invalid()
        return cls(number, bytes.fromhex(key))


def scope_of(number: str) -> str:
    """The scope that a source's key of this submission is made in."""
    return f"submission {number}"


def _text(untrusted: Any) -> str:
    if not isinstance(untrusted, str):
        raise _invalid()
    return untrusted


def _invalid() -> SubmitterError:
    return SubmitterError(
        "submission_key_invalid", "a submission's key is a number of 32 hex digits and 32 bytes, and no more"
    )
