"""The failure statement: a job ended without a result, and why."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from provenance.statements.base import Facts
from provenance.statements.fields import JOB_ID, Instant, Word, of
from provenance.statements.vocabulary import FAILURE_CODES


@dataclass(frozen=True)
class FailureFacts(Facts):
    """Signed by the node key, because a worker that failed may have no keys left to sign with.

    Attributes:
        job_id: 32 hex digits.
        code: a word of the published list; never a message.
        failed_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:failure:v1"
    SUBJECT_NAME: ClassVar[str] = "job"

    job_id: str = of(JOB_ID)
    code: str = of(Word(FAILURE_CODES))
    failed_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the 16 bytes of the job id."""
        return hashlib.sha256(bytes.fromhex(self.job_id)).hexdigest()
