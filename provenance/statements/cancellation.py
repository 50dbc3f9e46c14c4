"""The cancellation of a disclosure request, by who made it. A format; no service emits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from provenance.statements.base import Facts
from provenance.statements.fields import Digest, Instant, of


@dataclass(frozen=True)
class DisclosureCancellationFacts(Facts):
    """To be signed by the requester; from its record on nobody releases on this request.

    Attributes:
        request_sha256: hex SHA-256 of the request's envelope; the subject.
        requester_key_sha256: hex SHA-256 of the requester's key ids, a line each without a final newline.
        cancelled_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:disclosure-cancellation:v1"
    SUBJECT_NAME: ClassVar[str] = "disclosure-request"
    SUBJECT_FIELD: ClassVar[str | None] = "request_sha256"

    request_sha256: str = of(Digest("envelope"))
    requester_key_sha256: str = of(Digest("public-key"))
    cancelled_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the request's envelope."""
        return self.request_sha256
