"""Secrets with an end: destroyed in memory at once, and on the disk as soon as the disk takes it.

All of them lie in one sealed entry of the store, which is replaced as a whole; the old one is overwritten.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Generic, Protocol, TypeVar

from keyvault.vault.errors import VaultRequestError
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import wipe

# How soon a disk that did not take a destruction is tried again.
_AGAIN_SECONDS = 1.0

_logger = logging.getLogger("keyvault")


class Perishable(Protocol):
    """One secret and its end."""

    @property
    def destroy_at(self) -> int:
        """Seconds since the epoch."""

    def to_record(self) -> bytearray:
        """The form it is stored in; all of one kind have one length. The caller wipes it."""

    def forget(self) -> None:
        """Overwrites it in memory."""


KeyT = TypeVar("KeyT", bound=Hashable)
ItemT = TypeVar("ItemT", bound=Perishable)


class Perishables(Generic[KeyT, ItemT]):
    """All secrets of one kind. Not thread-safe: its owner holds a lock.

    Args:
        store: where they are sealed.
        entry: under this name.
        items: as they were loaded.
        clock: seconds since the epoch.
    """

    def __init__(
        self, store: Keystore, entry: str, items: dict[KeyT, ItemT], clock: Callable[[], float]
    ) -> None:
        self._store = store
        self._entry = entry
        self._items = items
        self._clock = clock
        # The disk and the memory differ: a destruction that the disk has yet to take.
        self._is_disk_behind = False
        self.destroy_due()

    @property
    def items(self) -> Mapping[KeyT, ItemT]:
        """Those that live, oldest first."""
        return self._items

    @property
    def is_disk_behind(self) -> bool:
        """Whether something that was destroyed in memory is still on the disk."""
        return self._is_disk_behind

    def put(self, key: KeyT, item: ItemT) -> None:
        """Adds one, or puts it in another's place. Durable when it returns.

        Raises:
            VaultRequestError: vault_store_unwritable; nothing has changed.
        """
        self._save({**self._items, key: item})
        replaced = self._items.get(key)
        self._items[key] = item
        if replaced is not None:
            replaced.forget()

    def destroy(self, keys: Collection[KeyT]) -> None:
        """Destroys some, whether their end has come or not."""
        for key in keys:
            self._items.pop(key).forget()
        if keys or self._is_disk_behind:
            self._is_disk_behind = True
            try:
                self._save(self._items)
            except VaultRequestError:
                _logger.warning("a destroyed key is still on the disk: its store cannot be written")
                return
            self._is_disk_behind = False

    def destroy_due(self) -> None:
        """Destroys every one whose end has come."""
        now = self._clock()
        self.destroy([key for key, item in self._items.items() if item.destroy_at <= now])

    def seconds_to_next_destruction(self) -> float | None:
        """How long until one must be destroyed; 0 when one is due, None when there is none."""
        if self._is_disk_behind:
            return _AGAIN_SECONDS
        if not self._items:
            return None
        return max(0.0, min(item.destroy_at for item in self._items.values()) - self._clock())

    def _save(self, items: Mapping[KeyT, ItemT]) -> None:
        records = [item.to_record() for item in items.values()]
        # Of its full size from the start: a buffer that grows leaves copies behind.
        plaintext = bytearray(sum(len(record) for record in records))
        end = 0
        for record in records:
            plaintext[end : end + len(record)] = record
            end += len(record)
            wipe(record)
        try:
            self._store.write(self._entry, plaintext, overwrite_old=True)
        finally:
            wipe(plaintext)
