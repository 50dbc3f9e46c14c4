"""The policy statement: this service ships a policy of this name with exactly this text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from provenance.statements.base import Facts
from provenance.statements.fields import Digest, Instant, Word, of
from provenance.statements.vocabulary import POLICIES


@dataclass(frozen=True)
class PolicyFacts(Facts):
    """Signed by the node key, once for each text and worker version.

    A job whose `policy_sha256` is this subject was done under a policy that the service had put on record
    before; a submitter's own policy has none.

    Attributes:
        policy: its name.
        policy_sha256: hex SHA-256 of its text; the subject.
        measurement: of the worker version that it ships with.
        announced_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:policy:v1"
    SUBJECT_NAME: ClassVar[str] = "policy"
    SUBJECT_FIELD: ClassVar[str | None] = "policy_sha256"

    policy: str = of(Word(POLICIES))
    policy_sha256: str = of(Digest("policy"))
    measurement: str = of(Digest("measurement"))
    announced_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the policy's text."""
        return self.policy_sha256
