"""The submission statement: this service holds a sealed upload, under these terms, since then. A receipt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from provenance.statements.base import Facts
from provenance.statements.fields import JOB_ID, Digest, Instant, of


@dataclass(frozen=True)
class SubmissionFacts(Facts):
    """Signed by the node key once the upload is durable and the vault keeps its file key.

    It says nothing about the plaintext: the digest is of ciphertext, and even the size is left out, since the
    size of an age file tells that of what is in it. That the digest is the spooled file's is the front desk's
    word; header and terms are those that the vault accepted.

    Attributes:
        job_id: 32 hex digits.
        upload_sha256: hex SHA-256 of the sealed upload, to its last byte; the subject.
        upload_header_sha256: hex SHA-256 of its age header, by which the job's release names it too.
        terms_sha256: hex SHA-256 of the canonical terms.
        accepted_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:submission:v1"
    SUBJECT_NAME: ClassVar[str] = "sealed-upload"
    SUBJECT_FIELD: ClassVar[str | None] = "upload_sha256"

    job_id: str = of(JOB_ID)
    upload_sha256: str = of(Digest("ciphertext"))
    upload_header_sha256: str = of(Digest("upload-header"))
    terms_sha256: str = of(Digest("terms"))
    accepted_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the sealed upload."""
        return self.upload_sha256
