"""Secrets that can be overwritten. `bytes` cannot; so a secret is drawn into, and kept in, a bytearray."""

from __future__ import annotations

import os


def random_secret(size: int) -> bytearray:
    """Draws size bytes from the kernel, without an immutable copy on the way.

    Raises:
        OSError: the kernel gives no randomness.
    """
    secret = bytearray(size)
    fd = os.open("/dev/urandom", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if os.readv(fd, [secret]) != size:
            raise OSError("the kernel gave too little randomness")
    finally:
        os.close(fd)
    return secret


def wipe(secret: bytearray) -> None:
    """Overwrites a secret in place."""
    secret[:] = bytes(len(secret))
