"""Intake keys that are gone, remembered until the log says so too. Nothing secret.

The note is written before a key is destroyed, so that a crash does not lose it, and told only once the key is
destroyed. Where the disk does not take the note, the key is destroyed all the same.
"""

from __future__ import annotations

import hashlib
import logging
import struct
from collections.abc import Iterable
from dataclasses import dataclass

from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.keystore import Keystore

ENTRY = "retired"
# Three weeks of hourly keys, for a front desk that cannot reach its log; the oldest are dropped after that.
MAX_RETIRED = 512
_NO_SUCCESSOR = bytes(32)
# Seconds since the epoch: made, destroyed; SHA-256 of the recipient string and of its successor's.
_RECORD = struct.Struct(">QQ32s32s")

_logger = logging.getLogger("keyvault")


@dataclass(frozen=True)
class Retired:
    """One destroyed key, or one whose destruction has begun.

    Attributes:
        made_at: seconds since the epoch.
        destroyed_at: likewise.
        recipient_sha256: of the recipient string, 32 bytes.
        successor_sha256: of the recipient that was made next, 32 bytes; empty if there was none.
    """

    made_at: int
    destroyed_at: int
    recipient_sha256: bytes
    successor_sha256: bytes


class Retirements:
    """All that are not in the log yet, oldest first. Not thread-safe: its owner holds a lock.

    Args:
        store: where they are sealed.

    Raises:
        VaultStartError: vault_store_corrupt.
    """

    def __init__(self, store: Keystore) -> None:
        self._store = store
        self._retired = {item.recipient_sha256: item for item in _load(store)}

    def pending(self) -> tuple[Retired, ...]:
        """Those that somebody should record."""
        return tuple(self._retired.values())

    def note(self, items: Iterable[Retired]) -> None:
        """Adds some; durable when it returns, unless the disk does not take it."""
        self._retired.update({item.recipient_sha256: item for item in items})
        while len(self._retired) > MAX_RETIRED:
            del self._retired[next(iter(self._retired))]
            _logger.warning("a destroyed intake key will not get into the log: too many wait for it")
        self._save()

    def forget(self, recipient_sha256: bytes) -> None:
        """Removes one that is in the log."""
        if self._retired.pop(recipient_sha256, None) is not None:
            self._save()

    def _save(self) -> None:
        records = [
            _RECORD.pack(
                item.made_at, item.destroyed_at, item.recipient_sha256, item.successor_sha256 or _NO_SUCCESSOR
            )
            for item in self._retired.values()
        ]
        try:
            self._store.write(ENTRY, b"".join(records))
        except VaultRequestError:
            _logger.warning("the store does not take the note of a destroyed intake key")


def digest_of(recipient: str) -> bytes:
    """How a key is named: SHA-256 of its recipient string."""
    return hashlib.sha256(recipient.encode("ascii")).digest()


def _load(store: Keystore) -> list[Retired]:
    stored = bytes(store.read(ENTRY))
    if len(stored) % _RECORD.size or len(stored) > MAX_RETIRED * _RECORD.size:
        raise VaultStartError("vault_store_corrupt", "the stored retirements have an unknown form")
    return [
        Retired(made_at, destroyed_at, recipient, b"" if successor == _NO_SUCCESSOR else successor)
        for made_at, destroyed_at, recipient, successor in _RECORD.iter_unpack(stored)
    ]
