"""Reads fixed binary layouts to the last byte; lengths are checked before anything is cut."""

from __future__ import annotations

from enclave.attest.errors import EvidenceError


class Cursor:
    """Walks over bytes from the first to the last; every shortfall is an EvidenceError.

    Args:
        untrusted: the bytes.
        what: what they should be, for messages.
    """

    def __init__(self, untrusted: bytes, what: str) -> None:
        self._bytes = untrusted
        self._what = what
        self._at = 0

    @property
    def position(self) -> int:
        """Bytes read so far."""
        return self._at

    @property
    def left(self) -> int:
        """Bytes not yet read."""
        return len(self._bytes) - self._at

    def take(self, size: int) -> bytes:
        """Gives the next `size` bytes.

        Raises:
            EvidenceError: there are fewer.
        """
        if size > self.left:
            raise EvidenceError(f"{self._what} ends too early", "evidence_malformed")
        taken = self._bytes[self._at : self._at + size]
        self._at += size
        return taken

    def number(self, size: int) -> int:
        """Gives the next `size` bytes as an unsigned little-endian number."""
        return int.from_bytes(self.take(size), "little")

    def zeros(self, size: int) -> None:
        """Skips reserved bytes.

        Raises:
            EvidenceError: one of them is not zero.
        """
        if any(self.take(size)):
            raise EvidenceError(f"{self._what} has something where it must be empty", "evidence_malformed")

    def end(self) -> None:
        """Insists that nothing is left.

        Raises:
            EvidenceError: there is.
        """
        if self.left:
            raise EvidenceError(f"{self._what} is longer than it says", "evidence_malformed")
