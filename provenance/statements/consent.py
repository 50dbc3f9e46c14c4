"""Somebody who was filmed agrees to be seen again, and takes it back.

A consent is signed by whoever gives it and vouched for by whoever handed the job in: only they can know whose
track it is. Taking it back needs the giver's signature alone, and erases the tracks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from provenance.errors import FormatError
from provenance.statements.base import Facts
from provenance.statements.fields import JOB_ID, Digest, Instant, Sorted, Word, of
from provenance.statements.scope import Tracks
from provenance.statements.vocabulary import PURPOSES


@dataclass(frozen=True)
class ConsentFacts(Facts):
    """To be signed by whoever consents.

    Attributes:
        job_id: 32 hex digits.
        tracks: numbers of the tracks on which the giver is seen.
        purposes: what they may be seen again for, sorted.
        giver_key_sha256: hex SHA-256 of the giver's key ids, a line each without a final newline.
        given_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value, or it is a consent to nothing.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:consent:v1"
    SUBJECT_NAME: ClassVar[str] = "job"

    job_id: str = of(JOB_ID)
    tracks: tuple[int, ...] = of(Tracks())
    purposes: tuple[str, ...] = of(Sorted(Word(PURPOSES)))
    giver_key_sha256: str = of(Digest("public-key"))
    given_at: str = of(Instant())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.purposes:
            raise FormatError("a consent names no purpose")

    def subject_sha256(self) -> str:
        """SHA-256 of the 16 bytes of the job id, as in a failure."""
        return hashlib.sha256(bytes.fromhex(self.job_id)).hexdigest()


@dataclass(frozen=True)
class ConsentWithdrawalFacts(Facts):
    """To be signed by whoever gave the consent; the tracks of it are erased thereupon.

    Attributes:
        consent_sha256: hex SHA-256 of the consent's envelope; the subject.
        giver_key_sha256: hex SHA-256 of the giver's key ids, a line each without a final newline.
        withdrawn_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:consent-withdrawal:v1"
    SUBJECT_NAME: ClassVar[str] = "consent"
    SUBJECT_FIELD: ClassVar[str | None] = "consent_sha256"

    consent_sha256: str = of(Digest("envelope"))
    giver_key_sha256: str = of(Digest("public-key"))
    withdrawn_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the consent's envelope."""
        return self.consent_sha256
