"""The rings of recovery packages: the wrapped keys of what was covered, one sealed entry of the store a job.

A worker hands a ring over before its statement names it; from then on it waits. It is kept once the front
desk says that the job is done, and destroyed with the job otherwise. A kept one stays until somebody erases
it: without a job's ring its package is noise, whoever agrees.

What is here opens nothing: that takes the recovery key, which is divided among custodians. So rings lie in
ordinary memory; what is replaced or destroyed is overwritten on the disk.
"""

from __future__ import annotations

import hashlib
import hmac
import threading
from collections.abc import Callable, Collection, Iterable

from keyvault.custody.sharing import job_context
from keyvault.recovery.errors import RecoveryError
from keyvault.recovery.ring import RecoveryRing
from keyvault.release import JOB_ID_BYTES
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore

PREFIX = "ring-"
# The first byte of an entry.
_WAITS, _KEPT = b"\x00", b"\x01"


class Rings:
    """All rings of a vault. Thread-safe.

    Args:
        store: where they are sealed.
    """

    def __init__(self, store: Keystore) -> None:
        self._store = store
        self._lock = threading.Lock()

    def offer(self, job_id: bytes, untrusted_ring: bytes) -> None:
        """Takes a ring from a job's worker. Durable when it returns; that of an earlier attempt is destroyed.

        The caller has made sure that the job is open: also one that a killed front desk runs again.

        Raises:
            VaultRequestError: ring_malformed, also of another job; vault_store_unwritable.
        """
        try:
            ring = RecoveryRing.from_bytes(untrusted_ring)
        except RecoveryError:
            raise _malformed() from None
        if ring.context != job_context(job_id):
            raise _malformed()
        with self._lock:
            self._write(job_id, _WAITS, ring)

    def keep(self, job_id: bytes, ring_sha256: bytes) -> None:
        """Keeps a ring that waits beyond its job's end. Durable when it returns; twice does no harm.

        Raises:
            VaultRequestError: ring_unknown, there is none, or another one; vault_store_unwritable.
        """
        with self._lock:
            state, ring = self._read(job_id)
            if not hmac.compare_digest(hashlib.sha256(ring.to_bytes()).digest(), ring_sha256):
                raise VaultRequestError("ring_unknown", "the ring of this job is another one")
            if state != _KEPT:
                self._write(job_id, _KEPT, ring)

    def get(self, job_id: bytes) -> RecoveryRing:
        """A ring that is kept.

        Raises:
            VaultRequestError: ring_unknown.
        """
        with self._lock:
            return self._kept(job_id)

    def replace(self, job_id: bytes, ring: RecoveryRing) -> None:
        """Puts a ring in the place of one that is kept, which is overwritten.

        Raises:
            VaultRequestError: ring_unknown, ring_malformed or vault_store_unwritable.
        """
        self.change(job_id, lambda _: ring)

    def change(self, job_id: bytes, change: Callable[[RecoveryRing], RecoveryRing]) -> RecoveryRing:
        """Replaces a ring by what a function makes of it, with nobody in between.

        Raises:
            VaultRequestError: ring_unknown, ring_malformed or vault_store_unwritable.
            Exception: what the function raises; nothing has changed.
        """
        with self._lock:
            before = self._kept(job_id)
            after = change(before)
            if after.context != before.context:
                raise _malformed()
            self._write(job_id, _KEPT, after)
            return after

    def drop(self, job_id: bytes) -> None:
        """Destroys a job's ring, kept or not.

        Raises:
            VaultRequestError: vault_store_unwritable.
        """
        with self._lock:
            self._store.remove(_entry(job_id))

    def end(self, job_id: bytes) -> None:
        """Destroys a job's ring if it still waits.

        Raises:
            VaultRequestError: vault_store_unwritable.
        """
        with self._lock:
            self._end([job_id])

    def retain(self, job_ids: Collection[bytes]) -> None:
        """Destroys every ring that waits, but those of these jobs.

        Raises:
            VaultRequestError: vault_store_unwritable.
        """
        with self._lock:
            self._end({_job_of(entry) for entry in self._store.names(PREFIX)} - set(job_ids))

    def _end(self, job_ids: Iterable[bytes]) -> None:
        for job_id in job_ids:
            if self._store.has(_entry(job_id)) and self._read(job_id)[0] == _WAITS:
                self._store.remove(_entry(job_id))

    def _kept(self, job_id: bytes) -> RecoveryRing:
        state, ring = self._read(job_id)
        if state != _KEPT:
            raise _unknown()
        return ring

    def _read(self, job_id: bytes) -> tuple[bytes, RecoveryRing]:
        if not self._store.has(_entry(job_id)):
            raise _unknown()
        try:
            stored = bytes(self._store.read(_entry(job_id)))
            return stored[:1], RecoveryRing.from_bytes(stored[1:])
        except (VaultStartError, RecoveryError):
            raise VaultRequestError("ring_unknown", "the stored ring of this job was damaged") from None

    def _write(self, job_id: bytes, state: bytes, ring: RecoveryRing) -> None:
        self._store.write(_entry(job_id), bytearray(state + ring.to_bytes()), overwrite_old=True)


def _entry(job_id: bytes) -> str:
    if len(job_id) != JOB_ID_BYTES:
        raise _unknown()
    return PREFIX + job_id.hex()


def _job_of(entry: str) -> bytes:
    try:
        return bytes.fromhex(entry.removeprefix(PREFIX))
    except ValueError:
        raise _unknown() from None


def _unknown() -> VaultRequestError:
    return VaultRequestError("ring_unknown", "no ring is kept for this job")


def _malformed() -> VaultRequestError:
    return VaultRequestError("ring_malformed", "this is no ring of this job")
