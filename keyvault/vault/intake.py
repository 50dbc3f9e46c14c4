"""Intake keys: made on demand, announced for their lifetime, kept for a grace period, then destroyed.

Each key is bound to the worker measurement that it was announced with: the announcement promises which
code the vault releases file keys to, and a newer worker gets a newer key. That a key was destroyed is
remembered until it is in the log (`retirements`).
"""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from keyvault.age import HybridIdentity
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret, wipe
from keyvault.vault.perishables import Perishables
from keyvault.vault.retirements import Retired, Retirements, digest_of

ENTRY = "intake"
SEED_BYTES = 32
MEASUREMENT_BYTES = 32
# Seconds since the epoch: created, announced until, destroyed at; then measurement and seed.
_RECORD = struct.Struct(f">QQQ{MEASUREMENT_BYTES}s{SEED_BYTES}s")
# A key is replaced once less than this part of its life is left, so that an upload has time to start.
LEAST_LIFE_LEFT = 0.25


@dataclass(frozen=True)
class IntakeKey:
    """One key that uploads are sealed to.

    Attributes:
        created_at: seconds since the epoch.
        expires_at: announced until then.
        destroy_at: opens accepted uploads until then.
        measurement: of the worker that it was announced with, 32 bytes.
        recipient: the public key, an `age1pq1…` string.
    """

    created_at: int
    expires_at: int
    destroy_at: int
    measurement: bytes
    recipient: str
    _seed: Secret = field(repr=False, compare=False)

    @property
    def identity(self) -> HybridIdentity:
        """The private key, made anew from its seed for each use; it is not to be kept."""
        return HybridIdentity(bytes(self._seed.view))

    def to_record(self) -> bytearray:
        """The form it is stored in. The caller wipes it."""
        record = bytearray(_RECORD.size)
        _RECORD.pack_into(record, 0, self.created_at, self.expires_at, self.destroy_at, self.measurement, b"")
        record[-SEED_BYTES:] = self._seed.view
        return record

    def forget(self) -> None:
        """Overwrites the seed."""
        self._seed.close()


class IntakeKeys:
    """All intake keys that exist. Thread-safe.

    Args:
        store: where they are sealed.
        config: lifetimes and the cap.
        clock: seconds since the epoch; a test's own in tests.
    """

    def __init__(self, store: Keystore, config: VaultConfig, clock: Callable[[], float]) -> None:
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._retirements = Retirements(store)
        found = {key.recipient: key for key in _load(store)}
        # A key that came due while the vault was down is destroyed in the next line.
        self._note_due(found)
        self._keys = Perishables(store, ENTRY, found, clock)

    def current(self, measurement: bytes) -> IntakeKey:
        """The key to announce for a worker; a new one when the last is due. Durable before it returns.

        Raises:
            VaultRequestError: vault_store_unwritable, or intake_keys_exhausted.
        """
        with self._lock:
            self._destroy_due()
            now = self._clock()
            for key in self._newest_first():
                life_left = key.expires_at - now
                life = key.expires_at - key.created_at
                if key.measurement == measurement and life_left >= LEAST_LIFE_LEFT * life:
                    return key
            if len(self._keys.items) >= self._config.max_intake_keys:
                raise VaultRequestError(
                    "intake_keys_exhausted", "too many intake keys are alive; wait until one is destroyed"
                )
            key = self._new_key(int(now), measurement)
            self._keys.put(key.recipient, key)
            return key

    def live(self) -> tuple[IntakeKey, ...]:
        """Every key that may still open an upload, newest first."""
        with self._lock:
            self._destroy_due()
            return self._newest_first()

    def destroy_due(self) -> None:
        """Destroys every key whose time is over."""
        with self._lock:
            self._destroy_due()

    def retired(self) -> tuple[Retired, ...]:
        """Keys that are destroyed, in memory and on the disk, and not yet known to be in the log."""
        with self._lock:
            self._destroy_due()
            if self._keys.is_disk_behind:
                return ()
            alive = {digest_of(recipient) for recipient in self._keys.items}
            return tuple(item for item in self._retirements.pending() if item.recipient_sha256 not in alive)

    def forget_retired(self, recipient_sha256: bytes) -> None:
        """The log says that this key is destroyed."""
        with self._lock:
            self._retirements.forget(recipient_sha256)

    def seconds_to_next_destruction(self) -> float | None:
        """How long until a key must be destroyed; 0 when one is due, None when there is none."""
        with self._lock:
            return self._keys.seconds_to_next_destruction()

    def _destroy_due(self) -> None:
        self._note_due(self._keys.items)
        self._keys.destroy_due()

    def _note_due(self, keys: Mapping[str, IntakeKey]) -> None:
        now = self._clock()
        in_order = list(keys.values())
        due = [
            Retired(
                made_at=key.created_at,
                destroyed_at=int(now),
                recipient_sha256=digest_of(key.recipient),
                successor_sha256=digest_of(in_order[place].recipient) if place < len(in_order) else b"",
            )
            for place, key in enumerate(in_order, start=1)
            if key.destroy_at <= now
        ]
        if due:
            self._retirements.note(due)

    def _newest_first(self) -> tuple[IntakeKey, ...]:
        return tuple(self._keys.items.values())[::-1]

    def _new_key(self, now: int, measurement: bytes) -> IntakeKey:
        expires_at = now + self._config.intake_lifetime_seconds
        return _make_key(
            now,
            expires_at,
            expires_at + self._config.intake_grace_seconds,
            measurement,
            Secret.random(SEED_BYTES),
        )


def _make_key(
    created_at: int, expires_at: int, destroy_at: int, measurement: bytes, seed: Secret
) -> IntakeKey:
    recipient = str(HybridIdentity(bytes(seed.view)).recipient)
    return IntakeKey(created_at, expires_at, destroy_at, measurement, recipient, seed)


def _load(store: Keystore) -> list[IntakeKey]:
    plaintext = store.read(ENTRY)
    try:
        if len(plaintext) % _RECORD.size:
            raise VaultStartError("vault_store_corrupt", "the stored intake keys have an unknown form")
        keys = []
        for offset in range(0, len(plaintext), _RECORD.size):
            created_at, expires_at, destroy_at, measurement, _ = _RECORD.unpack_from(plaintext, offset)
            end = offset + _RECORD.size
            seed = Secret.moved_from(memoryview(plaintext)[end - SEED_BYTES : end])
            keys.append(_make_key(created_at, expires_at, destroy_at, measurement, seed))
        return keys
    finally:
        wipe(plaintext)
