"""The one decision that matters: whether a worker gets an upload's file key.

It gets it when the job is the one that its host registered, the upload's header is strict and authentic, a
living intake key opens it, and that key was announced for this worker's measurement. What is given is a
signed statement about all of that, and the key, sealed to the worker's one-job key.

Every name `untrusted_*` here was chosen by a process that has parsed a stranger's video.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from keyvault.age import AgeError, AgeNoMatchError, Header, parse_header, unwrap_file_key
from keyvault.release import ReleaseKeyError, seal_file_key
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.announcements import WorkerFacts, instant
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.intake import IntakeKey, IntakeKeys
from protos.bauta.internal.v1.release_pb2 import ReleaseRequest, ReleaseResponse
from provenance.dsse import sign_envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements.release import ReleaseFacts

TIER = "process"


class ReleaseDesk:
    """Answers release requests. Keeps nothing between two of them; thread-safe.

    Args:
        node: signs the evidence.
        keys: the intake keys.
        config: limits.
        clock: seconds since the epoch.
    """

    def __init__(
        self, node: HybridSigner, keys: IntakeKeys, config: VaultConfig, clock: Callable[[], float]
    ) -> None:
        self._node = node
        self._keys = keys
        self._config = config
        self._clock = clock

    def release(self, job_id: bytes, worker: WorkerFacts, untrusted: ReleaseRequest) -> ReleaseResponse:
        """Releases the file key of one upload.

        Args:
            job_id: as the worker host registered it, 16 bytes.
            worker: the worker host.
            untrusted: what the job's child asks for.

        Raises:
            VaultRequestError: with one of the codes to a worker.
        """
        if untrusted.job_id != job_id:
            raise VaultRequestError("release_job_mismatch", "the request is for another job")
        header = self._parse_header(untrusted.age_header)
        statement = self._statement(job_id, worker, untrusted, header)
        file_key = self._unwrap(header, worker)
        try:
            sealed = seal_file_key(file_key, untrusted.worker_hpke_key, job_id, header.raw)
        except ReleaseKeyError:
            raise VaultRequestError("worker_key_invalid", "the one-job key is no X-Wing key") from None
        return ReleaseResponse(
            sealed_file_key=sealed, evidence=sign_envelope(statement, self._node).to_bytes()
        )

    def _parse_header(self, untrusted_header: bytes) -> Header:
        if len(untrusted_header) > self._config.max_age_header_bytes:
            raise _bad_header()
        try:
            return parse_header(untrusted_header)
        except AgeError:
            raise _bad_header() from None

    def _statement(
        self, job_id: bytes, worker: WorkerFacts, untrusted: ReleaseRequest, header: Header
    ) -> bytes:
        untrusted_walls = tuple(sorted(untrusted.walls))
        # A child can lose walls on the way, it cannot have more than its host gives.
        if not untrusted_walls or not worker.walls.issuperset(untrusted_walls):
            raise VaultRequestError("release_refused", "the worker claims no walls or walls it cannot have")
        try:
            worker_key = HybridPublicKey(
                ed25519=untrusted.worker_ed25519_key, mldsa65=untrusted.worker_mldsa65_key
            )
        except ProvenanceError:
            raise VaultRequestError("worker_key_invalid", "a one-job signing key is no key") from None
        try:
            facts = ReleaseFacts(
                job_id=job_id.hex(),
                tier=TIER,
                walls=untrusted_walls,
                measurement=worker.measurement.hex(),
                policy_sha256=untrusted.policy_sha256.hex(),
                terms_sha256=untrusted.terms_sha256.hex(),
                upload_header_sha256=hashlib.sha256(header.raw).hexdigest(),
                worker_ed25519=worker_key.ed25519,
                worker_mldsa65=worker_key.mldsa65,
                released_at=instant(self._clock()),
            )
        except ProvenanceError:
            raise VaultRequestError("release_refused", "the request does not make a statement") from None
        return facts.to_statement()

    def _unwrap(self, header: Header, worker: WorkerFacts) -> bytes:
        for key in self._keys.live():
            file_key = _try_key(header, key)
            if file_key is None:
                continue
            if key.measurement != worker.measurement:
                raise VaultRequestError(
                    "worker_measurement_changed", "the upload was sealed for another version of the worker"
                )
            return file_key
        raise VaultRequestError("intake_key_unknown", "no living intake key opens this upload")


def _try_key(header: Header, key: IntakeKey) -> bytes | None:
    try:
        return unwrap_file_key(header, [key.identity])
    except AgeNoMatchError:
        return None
    except AgeError:
        raise _bad_header() from None


def _bad_header() -> VaultRequestError:
    return VaultRequestError("upload_header_invalid", "the upload's header is malformed or was changed")
