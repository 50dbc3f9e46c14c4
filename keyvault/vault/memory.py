"""Secrets that can be overwritten, in memory that is neither swapped nor dumped nor read from outside.

A `Secret` is a piece of a page of `keyvault.vault.pages`. Its `view` goes wherever the cryptography library
takes a buffer (`from_private_bytes`, `from_seed_bytes`, `derive_into`, `decrypt_into`, AEAD keys), so that no
immutable copy is made on our side. A plain user's RLIMIT_MEMLOCK (often 8 MiB) has room for all of it.

    with Secret.random(32) as seed:
        key = Ed25519PrivateKey.from_private_bytes(seed.view)
"""

from __future__ import annotations

import os
import threading
from types import TracebackType

from keyvault.vault.errors import VaultRequestError
from keyvault.vault.pages import Pages, Protection, map_pages

# Secrets of one page may be neighbours; none shares a cache line with another.
_UNIT_BYTES = 64
_ARENA_BYTES = 64 << 10
_MAX_BYTES = 4 << 20
"""Of all arenas of a kind: room for some 60,000 file keys."""

Buffer = bytes | bytearray | memoryview


class _Arena:
    """Pages cut into units; a byte for each says whether it is taken."""

    def __init__(self, pages: Pages) -> None:
        self.pages = pages
        self._taken = bytearray(len(pages.view) // _UNIT_BYTES)

    def take(self, units: int) -> int | None:
        """The first of so many free units in a row, or None."""
        start = self._taken.find(bytes(units))
        if start >= 0:
            self._taken[start : start + units] = b"\1" * units
        return start if start >= 0 else None

    def give_back(self, start: int, units: int) -> None:
        """Frees units; their owner has wiped them."""
        self._taken[start : start + units] = bytes(units)


_arenas: dict[bool, list[_Arena]] = {False: [], True: []}
# Re-entrant: the garbage collector can close a Secret while another is being made.
_use = threading.RLock()


class Secret:
    """A fixed number of secret bytes, wiped when it is closed or no longer used. Thread-safe.

    Args:
        size: bytes. They start as zeros.
        inheritable: whether a child of `keyvault.vault.custody.apart` sees and shares them. In every other
            forked child there is nothing at their address.

    Raises:
        VaultRequestError: vault_memory_exhausted.
    """

    __slots__ = ("_arena", "_owner", "_size", "_start", "_view")

    def __init__(self, size: int, *, inheritable: bool = False) -> None:
        self._view: memoryview | None = None
        self._owner = os.getpid()
        self._size = size
        with _use:
            self._arena, self._start = _place(max(1, self._units), inheritable)
            first_byte = self._start * _UNIT_BYTES
            self._view = self._arena.pages.view[first_byte : first_byte + size]

    @classmethod
    def random(cls, size: int, *, inheritable: bool = False) -> Secret:
        """Draws size bytes from the kernel.

        Raises:
            VaultRequestError: vault_memory_exhausted.
            OSError: the kernel gives no randomness.
        """
        secret = cls(size, inheritable=inheritable)
        _draw(secret.view)
        return secret

    @classmethod
    def moved_from(cls, source: bytearray | memoryview) -> Secret:
        """Copies a secret out of ordinary memory and wipes it there.

        Raises:
            VaultRequestError: vault_memory_exhausted; the source is wiped all the same.
        """
        try:
            secret = cls(len(source))
            secret.view[:] = source
        finally:
            wipe(source)
        return secret

    @property
    def view(self) -> memoryview:
        """The bytes themselves, writable. Slices of it are no copies. It must not be kept past `close`."""
        if self._view is None:
            raise RuntimeError("this secret has been wiped")
        return self._view

    @property
    def protection(self) -> Protection:
        """What holds for it."""
        return self._arena.pages.protection

    def close(self) -> None:
        """Wipes it. Closing twice is no error."""
        if os.getpid() != self._owner:
            # In a forked child there may be nothing at this address, or the parent's own secret; and a thread
            # of the parent's that held the lock will never give it back here.
            self._view = None
            return
        with _use:
            view, self._view = self._view, None
            if view is None:
                return
            wipe(view)
            self._arena.give_back(self._start, max(1, self._units))

    @property
    def _units(self) -> int:
        return -(-self._size // _UNIT_BYTES)

    def __len__(self) -> int:
        return self._size

    def __enter__(self) -> Secret:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Secret({self._size} bytes)"

    def __reduce__(self) -> str | tuple[object, ...]:
        raise TypeError("a secret is not pickled")


def memory_protection() -> Protection:
    """The weakest protection that any secret of this process has, or would have if one were made now."""
    Secret(1).close()
    held = {arena.pages.protection for arenas in _arenas.values() for arena in arenas}
    return max(held, key=list(Protection).index)


def wipe(secret: bytearray | memoryview | Secret) -> None:
    """Overwrites a secret in place."""
    if isinstance(secret, Secret):
        secret = secret.view
    secret[:] = bytes(len(secret))


def _place(units: int, inheritable: bool) -> tuple[_Arena, int]:
    arenas = _arenas[inheritable]
    for arena in arenas:
        if (start := arena.take(units)) is not None:
            return arena, start
    size = -(-units * _UNIT_BYTES // _ARENA_BYTES) * _ARENA_BYTES
    if sum(len(arena.pages.view) for arena in arenas) + size > _MAX_BYTES:
        raise _exhausted()
    try:
        arena = _Arena(map_pages(size, inheritable=inheritable))
    except OSError:
        raise _exhausted() from None
    arenas.append(arena)
    start = arena.take(units)
    return (arena, start) if start is not None else _place(units, inheritable)


def _exhausted() -> VaultRequestError:
    return VaultRequestError("vault_memory_exhausted", "the vault has no protected memory left for a secret")


def _draw(into: memoryview) -> None:
    fd = os.open("/dev/urandom", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.readv(fd, [into]) != len(into):
            raise OSError("the kernel gave too little randomness")
    finally:
        os.close(fd)
