"""A custodian's decision on a disclosure request: approval or denial. Formats only; nothing emits them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from provenance.statements.base import Facts
from provenance.statements.fields import Digest, Instant, Word, of
from provenance.statements.vocabulary import DENIAL_REASONS


@dataclass(frozen=True)
class DisclosureApprovalFacts(Facts):
    """To be signed by the custodian. It approves one request, byte for byte, and one worker.

    Attributes:
        request_sha256: hex SHA-256 of the request's envelope; the subject.
        custodian_key_sha256: hex SHA-256 of the custodian's key ids, a line each without a final newline.
        sharing_sha256: hex SHA-256 of the sharing that the share is of; after a re-sharing an old one does
            not count, and its holder is not taken for a liar.
        worker_key_sha256: hex SHA-256 of the disclosure worker's one-job sealing key.
        share_sha256: hex SHA-256 of the custodian's share, sealed to that key.
        approved_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:disclosure-approval:v1"
    SUBJECT_NAME: ClassVar[str] = "disclosure-request"
    SUBJECT_FIELD: ClassVar[str | None] = "request_sha256"

    request_sha256: str = of(Digest("envelope"))
    custodian_key_sha256: str = of(Digest("public-key"))
    sharing_sha256: str = of(Digest("sharing"))
    worker_key_sha256: str = of(Digest("public-key"))
    share_sha256: str = of(Digest("ciphertext"))
    approved_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the request's envelope."""
        return self.request_sha256


@dataclass(frozen=True)
class DisclosureDenialFacts(Facts):
    """To be signed by the custodian.

    Attributes:
        request_sha256: hex SHA-256 of the request's envelope; the subject.
        custodian_key_sha256: hex SHA-256 of the custodian's key ids, a line each without a final newline.
        reason: a word; what a custodian has to say beyond it has no place in a record that lasts.
        denied_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:disclosure-denial:v1"
    SUBJECT_NAME: ClassVar[str] = "disclosure-request"
    SUBJECT_FIELD: ClassVar[str | None] = "request_sha256"

    request_sha256: str = of(Digest("envelope"))
    custodian_key_sha256: str = of(Digest("public-key"))
    reason: str = of(Word(DENIAL_REASONS))
    denied_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the request's envelope."""
        return self.request_sha256
