"""One custodian's part in handing a job's recovery key to others, or to other shares."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import ClassVar

from provenance.statements.base import Facts
from provenance.statements.fields import JOB_ID, Digest, Instant, of


@dataclass(frozen=True)
class ResharingFacts(Facts):
    """Signed by each custodian who deals. A quorum of them makes a new sharing, under a new policy.

    Attributes:
        job_id: 32 hex digits.
        sharing_sha256: hex SHA-256 of the sharing that is left.
        redealt_sha256: hex SHA-256 of the public part of what this custodian dealt.
        parts_sha256: hex SHA-256 of the SHA-256s of the sealed parts, one after the other in the order of the
            new rule: whoever gets a false part knows that it is this custodian's.
        custody_policy_sha256: hex SHA-256 of the text of the policy that decides from then on.
        custodian_key_sha256: hex SHA-256 of the custodian's key ids, a line each without a final newline.
        dealt_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:resharing:v1"
    SUBJECT_NAME: ClassVar[str] = "job"

    job_id: str = of(JOB_ID)
    sharing_sha256: str = of(Digest("sharing"))
    redealt_sha256: str = of(Digest("sharing"))
    parts_sha256: str = of(Digest("ciphertext"))
    custody_policy_sha256: str = of(Digest("policy"))
    custodian_key_sha256: str = of(Digest("public-key"))
    dealt_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the 16 bytes of the job id, as in a failure."""
        return hashlib.sha256(bytes.fromhex(self.job_id)).hexdigest()
