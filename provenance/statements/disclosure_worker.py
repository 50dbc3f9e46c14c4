"""The disclosure worker: who it is, and that it begins to count what custodians decided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from provenance.keys import ED25519_KEY_BYTES, MLDSA65_KEY_BYTES, HybridPublicKey
from provenance.statements.base import Facts
from provenance.statements.fields import JOB_ID, Digest, Instant, Raw, Sorted, Word, of
from provenance.statements.vocabulary import TIERS, WALLS

HPKE_KEY_BYTES: Final = 1184 + 32
NONCE_BYTES: Final = 32


@dataclass(frozen=True)
class DisclosureWorkerFacts(Facts):
    """Signed by the node key; certifies the one-job keys of one disclosure worker, for one request.

    Whoever approves checks it first: the share goes to this worker, which decides by this trust file.

    Attributes:
        request_sha256: hex SHA-256 of the request's envelope; the subject.
        job_id: 32 hex digits; the job whose result is asked about.
        tier: how the worker is kept apart.
        walls: sorted names of the walls around it.
        measurement: hex SHA-256 over its code, lock, models and policies.
        trust_sha256: hex SHA-256 of all that decides in the trust file that it checks everything against.
        worker_hpke: the one-job X-Wing public key that shares are sealed to, 1,216 bytes.
        worker_ed25519: the one-job Ed25519 public key, 32 bytes.
        worker_mldsa65: the one-job ML-DSA-65 public key, 1,952 bytes.
        admitted_at: "2026-11-21T00:00:00Z".

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:disclosure-worker:v1"
    SUBJECT_NAME: ClassVar[str] = "disclosure-request"
    SUBJECT_FIELD: ClassVar[str | None] = "request_sha256"

    request_sha256: str = of(Digest("envelope"))
    job_id: str = of(JOB_ID)
    tier: str = of(Word(TIERS))
    walls: tuple[str, ...] = of(Sorted(Word(WALLS)))
    measurement: str = of(Digest("measurement"))
    trust_sha256: str = of(Digest("trust"))
    worker_hpke: bytes = of(Raw(HPKE_KEY_BYTES))
    worker_ed25519: bytes = of(Raw(ED25519_KEY_BYTES))
    worker_mldsa65: bytes = of(Raw(MLDSA65_KEY_BYTES))
    admitted_at: str = of(Instant())

    def subject_sha256(self) -> str:
        """SHA-256 of the request's envelope."""
        return self.request_sha256

    @property
    def worker_key(self) -> HybridPublicKey:
        """The certified keys that sign count and release."""
        return HybridPublicKey(ed25519=self.worker_ed25519, mldsa65=self.worker_mldsa65)


@dataclass(frozen=True)
class DisclosureCountFacts(Facts):
    """Signed by a disclosure worker's one-job keys, each time it is about to count.

    It has no clock that its operator cannot set. A checkpoint with this entry in it is younger than the
    nonce: so the witnesses' times under it are the present, and the log up to it is not an old one.

    Attributes:
        request_sha256: hex SHA-256 of the request's envelope; the subject.
        nonce: 32 bytes that the worker has just drawn.

    Raises:
        FormatError: a field does not take its value.
    """

    PREDICATE_TYPE: ClassVar[str] = "urn:bauta:predicate:disclosure-count:v1"
    SUBJECT_NAME: ClassVar[str] = "disclosure-request"
    SUBJECT_FIELD: ClassVar[str | None] = "request_sha256"

    request_sha256: str = of(Digest("envelope"))
    nonce: bytes = of(Raw(NONCE_BYTES))

    def subject_sha256(self) -> str:
        """SHA-256 of the request's envelope."""
        return self.request_sha256
