"""The one decision that matters: whether a worker gets an upload's file key.

It gets it when the job is the one that its host registered, the request answers this vault's challenge, the
upload was accepted for this job under these terms, and its intake key was announced for this worker's
measurement. It gets it in two steps: first a signed statement about all of that; and the key, sealed to the
worker's one-job key, only once that statement is in the log.

Every name `untrusted_*` here was chosen by a process that has parsed a stranger's video.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass

from keyvault.release import ReleaseKeyError, require_one_job_key, seal_file_key
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.acceptances import Acceptances, Accepted, parse_upload_header
from keyvault.vault.announcements import WorkerFacts, instant
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError
from protos.bauta.internal.v1.release_pb2 import ReleaseRequest
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements.release import ReleaseFacts

TIER = "process"


@dataclass(frozen=True)
class Offer:
    """What the vault will give, once its evidence is in the log.

    Attributes:
        job_id: 16 bytes.
        worker: who asked.
        evidence: the signed release statement.
        age_header: of the upload.
        terms_sha256: of the job.
        worker_hpke_key: the one-job key that the file key will be sealed to.
    """

    job_id: bytes
    worker: WorkerFacts
    evidence: Envelope
    age_header: bytes
    terms_sha256: bytes
    worker_hpke_key: bytes


class ReleaseDesk:
    """Decides on release requests. Keeps nothing between two of them; thread-safe.

    Args:
        node: signs the evidence.
        acceptances: the uploads that may be released.
        config: limits.
        clock: seconds since the epoch.
    """

    def __init__(
        self, node: HybridSigner, acceptances: Acceptances, config: VaultConfig, clock: Callable[[], float]
    ) -> None:
        self._node = node
        self._acceptances = acceptances
        self._config = config
        self._clock = clock

    def offer(self, job_id: bytes, worker: WorkerFacts, nonce: bytes, untrusted: ReleaseRequest) -> Offer:
        """Checks a request and signs the evidence for it. No key has moved yet.

        Args:
            job_id: as the worker host registered it, 16 bytes.
            worker: the worker host.
            nonce: this vault's challenge to the child.
            untrusted: what the job's child asks for.

        Raises:
            VaultRequestError: with one of the codes to a worker.
        """
        if untrusted.job_id != job_id:
            raise VaultRequestError("release_job_mismatch", "the request is for another job")
        if not hmac.compare_digest(untrusted.nonce, nonce):
            raise VaultRequestError("release_nonce_wrong", "the request does not answer this challenge")
        header = parse_upload_header(untrusted.age_header, self._config)
        facts = self._facts(job_id, worker, untrusted, header.raw)
        offer = Offer(
            job_id=job_id,
            worker=worker,
            evidence=sign_envelope(facts.to_statement(), self._node, facts.signatures),
            age_header=header.raw,
            terms_sha256=untrusted.terms_sha256,
            worker_hpke_key=untrusted.worker_hpke_key,
        )
        self._find(offer)
        return offer

    def seal(self, offer: Offer) -> bytes:
        """Seals the file key to the worker. To be called once the offer's evidence is in the log.

        Raises:
            VaultRequestError: the job has ended meanwhile.
        """
        file_key = self._find(offer).file_key
        try:
            return seal_file_key(file_key.view, offer.worker_hpke_key, offer.job_id, offer.age_header)
        except RuntimeError:  # It was closed between the two lines.
            raise VaultRequestError("upload_not_accepted", "the job has ended meanwhile") from None

    def require_open(self, offer: Offer) -> Accepted:
        """Refuses a job that has ended since; gives the upload of one that has not.

        Raises:
            VaultRequestError: upload_not_accepted.
        """
        return self._find(offer)

    def _find(self, offer: Offer) -> Accepted:
        header_sha256 = hashlib.sha256(offer.age_header).digest()
        return self._acceptances.find(
            offer.job_id, header_sha256, offer.terms_sha256, offer.worker.measurement
        )

    def _facts(
        self, job_id: bytes, worker: WorkerFacts, untrusted: ReleaseRequest, age_header: bytes
    ) -> ReleaseFacts:
        untrusted_walls = tuple(sorted(untrusted.walls))
        # A child can lose walls on the way, it cannot have more than its host gives.
        if not untrusted_walls or not worker.walls.issuperset(untrusted_walls):
            raise VaultRequestError("release_refused", "the worker claims no walls or walls it cannot have")
        try:
            require_one_job_key(untrusted.worker_hpke_key)
            worker_key = HybridPublicKey(
                ed25519=untrusted.worker_ed25519_key,
                mldsa65=untrusted.worker_mldsa65_key,
                slhdsa128s=untrusted.worker_slhdsa128s_key or None,
            )
        except (ProvenanceError, ReleaseKeyError):
            raise VaultRequestError("worker_key_invalid", "a one-job key is no key") from None
        try:
            return ReleaseFacts(
                job_id=job_id.hex(),
                tier=TIER,
                walls=untrusted_walls,
                measurement=worker.measurement.hex(),
                policy_sha256=untrusted.policy_sha256.hex(),
                terms_sha256=untrusted.terms_sha256.hex(),
                upload_header_sha256=hashlib.sha256(age_header).hexdigest(),
                worker_ed25519=worker_key.ed25519,
                worker_mldsa65=worker_key.mldsa65,
                worker_slhdsa128s=worker_key.slhdsa128s,
                released_at=instant(self._clock()),
            )
        except ProvenanceError:
            raise VaultRequestError("release_refused", "the request does not make a statement") from None
