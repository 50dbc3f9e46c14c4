"""The erasure statement: what could have uncovered these tracks is destroyed. A format; nothing emits it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from provenance.errors import FormatError
from provenance.statements.base import Facts
from provenance.statements.fields import JOB_ID, Digest, Instant, Sorted, Word, of
from provenance.statements.scope import Tracks
from provenance.statements.vocabulary import ERASURE_REASONS


@dataclass(frozen=True)
class ErasureFacts(Facts):
    """To be signed by the node key, once the wrapped keys are destroyed.

    Attributes:
        job_id: 32 hex digits.
        tracks: numbers of the tracks that nobody can uncover any more.
        wrapped_keys_sha256: of the sealed keys that were destroyed, sorted.
        reason: why.
        erased_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value, or no key was destroyed.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:erasure:v1"
    SUBJECT_NAME: ClassVar[str] = "job"

    job_id: str = of(JOB_ID)
    tracks: tuple[int, ...] = of(Tracks())
    wrapped_keys_sha256: tuple[str, ...] = of(Sorted(Digest("ciphertext")))
    reason: str = of(Word(ERASURE_REASONS))
    erased_at: str = of(Instant())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.wrapped_keys_sha256:
            raise FormatError("an erasure names no destroyed key")

    def subject_sha256(self) -> str:
        """SHA-256 of the 16 bytes of the job id, as in a failure."""
        return hashlib.sha256(bytes.fromhex(self.job_id)).hexdigest()
