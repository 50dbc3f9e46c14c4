"""A disclosure sealed to its requester, with the header held back.

The age header wraps the file key for the requester's recipient; everything after it is noise to anybody
without it. So whoever stores the rest has nothing to give away before the worker hands the header out.
"""

from __future__ import annotations

import hashlib

from enclave.worker.handed_over import DescriptorSink
from keyvault.age import SealWriter, parse_recipient


class HeldBack:
    """A sink whose first write, the header, is kept and not passed on. The digest is of all of it.

    Args:
        sink: gets everything else.
    """

    def __init__(self, sink: DescriptorSink) -> None:
        self._sink = sink
        self._sha256 = hashlib.sha256()
        self._header: bytes | None = None
        self.size = 0

    @property
    def header(self) -> bytes:
        """What is held back."""
        if self._header is None:
            raise AssertionError("nothing was sealed yet")
        return self._header

    @property
    def digest(self) -> bytes:
        """SHA-256 of the sealed file, header included, 32 bytes."""
        return self._sha256.digest()

    def write(self, chunk: bytes, /) -> int:
        """Takes every byte.

        Raises:
            WorkerError: `result_too_large`.
            OSError: the disk is full.
        """
        if self._header is None:
            self._header = bytes(chunk)
        else:
            self._sink.write(chunk)
        self._sha256.update(chunk)
        self.size += len(chunk)
        return len(chunk)


def seal_held_back(disclosure_fd: int, max_bytes: int, recipient: str) -> tuple[SealWriter, HeldBack]:
    """Begins to seal to a recipient.

    Args:
        disclosure_fd: gets all but the header.
        max_bytes: the most that it takes.
        recipient: "age1pq1…".

    Raises:
        AgeRecipientError: the recipient is not a key.
    """
    held = HeldBack(DescriptorSink(disclosure_fd, max_bytes))
    return SealWriter(held, [parse_recipient(recipient)]), held
