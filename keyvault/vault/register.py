"""Which versions of the worker are released. The vault announces no intake for any other.

Who may release is fixed when the vault is made: the keys of those who review the code, or, where nobody else
does, the node's own key, which is the operator's own word and is named so wherever it is shown.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from google.protobuf.message import DecodeError

from keyvault.public_keys import from_message, to_message
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.announcements import WorkerFacts, instant
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from protos.bauta.internal.v1.vault_pb2 import Description
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.statements import WorkerReleaseFacts

ENTRY = "release-keys"


class WorkerRegister:
    """The released versions. Thread-safe.

    Args:
        node: the node's keys.
        release_keys: whose releases count.
        clock: seconds since the epoch.
    """

    def __init__(
        self, node: HybridSigner, release_keys: Sequence[HybridPublicKey], clock: Callable[[], float]
    ) -> None:
        self._node = node
        self.release_keys = tuple(release_keys)
        self._clock = clock
        self._lock = threading.Lock()
        # By measurement; the last one made or shown.
        self._releases: dict[bytes, Envelope] = {}

    def release(self, worker: WorkerFacts) -> bytes:
        """The node's own release of a worker version, a DSSE envelope (JSON); the same one until the end.

        Raises:
            VaultRequestError: release_key_not_own, this vault takes releases of other keys only.
        """
        if self._node.public not in self.release_keys:
            raise VaultRequestError("release_key_not_own", "only the keys that this vault was given release")
        with self._lock:
            if worker.measurement not in self._releases:
                self._releases[worker.measurement] = self._sign(worker)
            return self._releases[worker.measurement].to_bytes()

    def register(self, worker: WorkerFacts, untrusted_release: bytes) -> None:
        """Takes a release of the worker version that is connected.

        Raises:
            VaultRequestError: worker_release_invalid; by no trusted key, or of another version.
        """
        try:
            release = Envelope.from_bytes(untrusted_release)
            facts = self._verified(release)
        except ProvenanceError:
            raise VaultRequestError(
                "worker_release_invalid", "the release is not signed by a key that this vault was given"
            ) from None
        if facts.measurement != worker.measurement.hex():
            raise VaultRequestError("worker_release_invalid", "the release is of another worker version")
        with self._lock:
            self._releases[worker.measurement] = release

    def require(self, measurement: bytes) -> None:
        """Refuses a worker version that nobody released.

        Raises:
            VaultRequestError: worker_not_released.
        """
        with self._lock:
            if measurement not in self._releases:
                raise VaultRequestError("worker_not_released", "nobody has released this worker version")

    def _verified(self, release: Envelope) -> WorkerReleaseFacts:
        for key in self.release_keys:
            if release.signatures[0].key_id == key.key_ids[0]:
                return WorkerReleaseFacts.from_statement(release.verify(key))
        raise VaultRequestError("worker_release_invalid", "the release is signed by a stranger")

    def _sign(self, worker: WorkerFacts) -> Envelope:
        try:
            facts = WorkerReleaseFacts(
                measurement=worker.measurement.hex(),
                version=worker.version,
                models=worker.models,
                policies=worker.policies,
                lock_sha256=worker.lock_sha256,
                released_at=instant(self._clock()),
            )
        except ProvenanceError:
            raise VaultRequestError(
                "worker_release_invalid", "the worker host does not say what its measurement covers"
            ) from None
        # Once for each version: with every key there is.
        return sign_envelope(facts.to_statement(), self._node, self._node.public.algorithms)


def load_release_keys(store: Keystore, node: HybridPublicKey) -> tuple[HybridPublicKey, ...]:
    """Whose releases count, as it was fixed when the vault was made; nobody else's: the node's own.

    Raises:
        VaultStartError: vault_store_corrupt.
    """
    try:
        stored = Description.FromString(bytes(store.read(ENTRY)))
        keys = tuple(from_message(key) for key in stored.release_keys)
    except (ProvenanceError, DecodeError):
        raise VaultStartError("vault_store_corrupt", "the stored release keys have an unknown form") from None
    return keys or (node,)


def stored_form(release_keys: Sequence[HybridPublicKey]) -> bytearray:
    """How release keys are stored."""
    message = Description(release_keys=[to_message(key) for key in release_keys])
    return bytearray(message.SerializeToString(deterministic=True))
