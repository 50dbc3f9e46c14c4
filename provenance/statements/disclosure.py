"""Disclosure: somebody asks to see covered faces again, and what was given. Formats only; nothing emits them.

The two decisions between them are in `decision`. A custodian or a requester is named by the digest of a
public key, a reason by a word: who they are is for their own files, not for what a log records.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from provenance.errors import FormatError
from provenance.statements.base import Facts
from provenance.statements.fields import AGE_RECIPIENT, JOB_ID, Digest, Instant, Sorted, Word, of
from provenance.statements.scope import Stretches, Tracks, is_within
from provenance.statements.vocabulary import LEGAL_BASES, PURPOSES, TIERS, WALLS


@dataclass(frozen=True)
class DisclosureRequestFacts(Facts):
    """To be signed by the requester.

    Attributes:
        job_id: 32 hex digits; the job whose result is asked about.
        job_statement_sha256: hex SHA-256 of that job's envelope.
        custody_policy_sha256: hex SHA-256 of the text of the custody policy that decides.
        tracks: numbers of the tracks asked for.
        stretches: for these milliseconds of the video, (first, end).
        purpose: what for.
        legal_basis: by what right.
        recipient: "age1pq1…", to which alone a disclosure is sealed.
        requester_key_sha256: hex SHA-256 of the requester's key ids, a line each without a final newline.
        requested_at: "2026-11-21T00:00:00Z".
        expires_at: from this second on nobody may approve or release.

    Raises:
        FormatError: a field does not take its value, or the request expires before it is made.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:disclosure-request:v1"
    SUBJECT_NAME: ClassVar[str] = "job"

    job_id: str = of(JOB_ID)
    job_statement_sha256: str = of(Digest("envelope"))
    custody_policy_sha256: str = of(Digest("policy"))
    tracks: tuple[int, ...] = of(Tracks())
    stretches: tuple[tuple[int, int], ...] = of(Stretches())
    purpose: str = of(Word(PURPOSES))
    legal_basis: str = of(Word(LEGAL_BASES))
    recipient: str = of(AGE_RECIPIENT)
    requester_key_sha256: str = of(Digest("public-key"))
    requested_at: str = of(Instant())
    expires_at: str = of(Instant())

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.expires_at <= self.requested_at:
            raise FormatError("the request expires before it is made")

    def subject_sha256(self) -> str:
        """SHA-256 of the 16 bytes of the job id, as in a failure."""
        return hashlib.sha256(bytes.fromhex(self.job_id)).hexdigest()


@dataclass(frozen=True)
class DisclosureReleaseFacts(Facts):
    """To be signed by a disclosure worker's one-job keys.

    Attributes:
        request_sha256: hex SHA-256 of the request's envelope; the subject.
        approvals_sha256: of the approvals' envelopes, sorted.
        tracks: what was restored; at most what was asked for.
        stretches: likewise.
        disclosure_sha256: hex SHA-256 of the sealed disclosure.
        measurement: of the disclosure worker.
        tier: how it was kept apart.
        walls: sorted names of the walls around it.
        released_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value, or nobody approved.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:disclosure-release:v1"
    SUBJECT_NAME: ClassVar[str] = "disclosure-request"
    SUBJECT_FIELD: ClassVar[str | None] = "request_sha256"

    request_sha256: str = of(Digest("envelope"))
    approvals_sha256: tuple[str, ...] = of(Sorted(Digest("envelope")))
    tracks: tuple[int, ...] = of(Tracks())
    stretches: tuple[tuple[int, int], ...] = of(Stretches())
    disclosure_sha256: str = of(Digest("ciphertext"))
    measurement: str = of(Digest("measurement"))
    tier: str = of(Word(TIERS))
    walls: tuple[str, ...] = of(Sorted(Word(WALLS)))
    released_at: str = of(Instant())

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.approvals_sha256:
            raise FormatError("a disclosure names no approval")

    def subject_sha256(self) -> str:
        """SHA-256 of the request's envelope."""
        return self.request_sha256

    def require_within(self, request: DisclosureRequestFacts) -> None:
        """Checks that no more was restored than was asked for, and in time.

        Raises:
            FormatError: `scope_exceeded`, or `request_expired`.
        """
        if not set(self.tracks) <= set(request.tracks) or not is_within(self.stretches, request.stretches):
            raise FormatError("more was disclosed than was asked for", "scope_exceeded")
        if not request.requested_at <= self.released_at < request.expires_at:
            raise FormatError("the disclosure was not made while the request stood", "request_expired")
