"""The release statement: the vault's evidence that one worker, behind these walls, got one upload's key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from provenance.keys import ED25519_KEY_BYTES, MLDSA65_KEY_BYTES, SLHDSA128S_KEY_BYTES, HybridPublicKey
from provenance.statements.base import Facts
from provenance.statements.fields import JOB_ID, Digest, Instant, Maybe, Raw, Sorted, Word, of
from provenance.statements.vocabulary import TIERS, WALLS


@dataclass(frozen=True)
class ReleaseFacts(Facts):
    """Signed by the node key; certifies the worker's one-job keys.

    Attributes:
        job_id: 32 hex digits.
        tier: how the worker is kept apart.
        walls: sorted names of the walls around the worker.
        measurement: hex SHA-256 over the worker's code, lock, models and policies.
        policy_sha256: hex SHA-256 of the policy's text.
        terms_sha256: hex SHA-256 of the canonical terms.
        upload_header_sha256: hex SHA-256 of the upload's age header; the subject.
        worker_ed25519: the one-job Ed25519 public key, 32 bytes.
        worker_mldsa65: the one-job ML-DSA-65 public key, 1,952 bytes.
        released_at: "2026-11-21T00:00:00Z".
        worker_slhdsa128s: the one-job SLH-DSA-SHA2-128s public key, 32 bytes, where the job's policy asks for
            a signature that rests on hashes alone; otherwise None.

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:release:v1"
    SUBJECT_NAME: ClassVar[str] = "upload-header"
    SUBJECT_FIELD: ClassVar[str | None] = "upload_header_sha256"

    job_id: str = of(JOB_ID)
    tier: str = of(Word(TIERS))
    walls: tuple[str, ...] = of(Sorted(Word(WALLS)))
    measurement: str = of(Digest("measurement"))
    policy_sha256: str = of(Digest("policy"))
    terms_sha256: str = of(Digest("terms"))
    upload_header_sha256: str = of(Digest("upload-header"))
    worker_ed25519: bytes = of(Raw(ED25519_KEY_BYTES))
    worker_mldsa65: bytes = of(Raw(MLDSA65_KEY_BYTES))
    released_at: str = of(Instant())
    worker_slhdsa128s: bytes | None = of(Maybe(Raw(SLHDSA128S_KEY_BYTES)), default=None)

    def subject_sha256(self) -> str:
        """SHA-256 of the upload's age header."""
        return self.upload_header_sha256

    @property
    def worker_key(self) -> HybridPublicKey:
        """The certified one-job keys."""
        return HybridPublicKey(
            ed25519=self.worker_ed25519, mldsa65=self.worker_mldsa65, slhdsa128s=self.worker_slhdsa128s
        )

    @property
    def signatures(self) -> tuple[str, ...]:
        """What the job's policy demands of this statement and the worker's: one by each key of the worker."""
        return self.worker_key.algorithms
