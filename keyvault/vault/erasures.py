"""Erasing: wrapped keys are destroyed, and the node signs that they are.

A ring opens nothing by itself, and without it nothing opens a package. So one person is forgotten by taking
their track off the ring; a later quorum finds nothing to unwrap. The statement is written before the key is
destroyed, so that a crash cannot lose it, and told only once the key is gone; it is kept until it is shown in
the log.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.ring import RecoveryRing
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.announcements import instant
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.notary import JOB_ID_BYTES
from keyvault.vault.rings import Rings
from protos.bauta.internal.v1.vault_pb2 import EraseTracks
from provenance.dsse import Envelope, sign_envelope
from provenance.entry import Entry
from provenance.errors import ProvenanceError
from provenance.statements import ErasureFacts

PREFIX = "erasure-"
TRACKS_AT_ONCE = 64
MAX_ANNOUNCED = 16


class Erasures:
    """Erases, and remembers what the log does not say yet. Thread-safe.

    Args:
        store: where statements wait for the log.
        rings: what is erased from.
        node: signs.
        clock: seconds since the epoch.

    Raises:
        VaultStartError: vault_store_corrupt.
        VaultRequestError: vault_store_unwritable: an erasure that a crash broke off cannot be finished.
    """

    def __init__(self, store: Keystore, rings: Rings, node: HybridSigner, clock: Callable[[], float]) -> None:
        self._store = store
        self._rings = rings
        self._node = node
        self._clock = clock
        self._lock = threading.Lock()
        self._pending = {envelope.digest: envelope for envelope in _load(store)}
        for envelope in self._pending.values():
            self._finish(ErasureFacts.from_statement(envelope.payload))

    def erase(self, untrusted: EraseTracks) -> tuple[bytes, int]:
        """Destroys wrapped keys; on the disk too when it returns.

        Args:
            untrusted: which, and why.

        Returns:
            The erasure statement in its DSSE envelope (JSON), and how many tracks are left.

        Raises:
            VaultRequestError: erasure_malformed, ring_unknown, track_unknown, track_erased (also where
                nothing is left) or vault_store_unwritable.
        """
        if len(untrusted.job_id) != JOB_ID_BYTES or len(untrusted.tracks) > TRACKS_AT_ONCE:
            raise _malformed()
        with self._lock:
            ring = self._rings.get(untrusted.job_id)
            tracks = tuple(untrusted.tracks) or _left(ring)[:TRACKS_AT_ONCE]
            statement = self._signed(untrusted, ring, tracks)
            self._store.write(_entry(statement), statement.to_bytes())
            self._pending[statement.digest] = statement
            after = self._destroy(untrusted.job_id, tracks)
        return statement.to_bytes(), len(_left(after))

    def pending(self) -> list[bytes]:
        """The DSSE envelopes (JSON) of erasures that nobody has shown in the log, at most `MAX_ANNOUNCED`."""
        with self._lock:
            return [envelope.to_bytes() for envelope in list(self._pending.values())[:MAX_ANNOUNCED]]

    def confirm(self, statement_sha256: bytes, require_recorded: Callable[[bytes], None]) -> None:
        """Forgets a statement that is in the log.

        Args:
            statement_sha256: of its envelope.
            require_recorded: raises for a leaf that is not shown to be in this vault's log.

        Raises:
            VaultRequestError: erasure_unknown, or what require_recorded raises.
        """
        with self._lock:
            statement = self._pending.get(statement_sha256)
            if statement is None:
                raise VaultRequestError("erasure_unknown", "no erasure of that name waits for the log")
            require_recorded(Entry(ErasureFacts.kind(), statement.digest).leaf)
            self._store.remove(_entry(statement))
            del self._pending[statement_sha256]

    def _signed(self, untrusted: EraseTracks, ring: RecoveryRing, tracks: Sequence[int]) -> Envelope:
        if not tracks:
            raise VaultRequestError("track_erased", "nothing of this job is left to erase")
        try:
            facts = ErasureFacts(
                job_id=untrusted.job_id.hex(),
                tracks=tuple(tracks),
                wrapped_keys_sha256=ring.digests(tracks),
                reason=untrusted.reason,
                erased_at=instant(self._clock()),
            )
        except RecoveryError as error:
            raise VaultRequestError(error.code, str(error)) from None
        except ProvenanceError:
            raise _malformed() from None
        return sign_envelope(facts.to_statement(), self._node)

    def _finish(self, facts: ErasureFacts) -> None:
        try:
            self._destroy(bytes.fromhex(facts.job_id), facts.tracks)
        except VaultRequestError as error:
            if error.code != "ring_unknown":  # Where there is no ring, nothing is left of it.
                raise

    def _destroy(self, job_id: bytes, tracks: Sequence[int]) -> RecoveryRing:
        def without(ring: RecoveryRing) -> RecoveryRing:
            return ring.without([track for track in tracks if ring.wrapped.get(track) is not None])

        return self._rings.change(job_id, without)


def _left(ring: RecoveryRing) -> tuple[int, ...]:
    return tuple(sorted(track for track, wrapped in ring.wrapped.items() if wrapped is not None))


def _entry(statement: Envelope) -> str:
    return PREFIX + statement.digest.hex()


def _load(store: Keystore) -> list[Envelope]:
    try:
        return [Envelope.from_bytes(bytes(store.read(name))) for name in store.names(PREFIX)]
    except ProvenanceError:
        raise VaultStartError("vault_store_corrupt", "a stored erasure has an unknown form") from None


def _malformed() -> VaultRequestError:
    return VaultRequestError(
        "erasure_malformed", "an erasure names a job, tracks in order, and a known reason"
    )
