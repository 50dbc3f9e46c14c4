"""Keccak-256 as the chain computes it: with the padding from before FIPS 202, so it is no SHA3-256."""

from __future__ import annotations

from Crypto.Hash import keccak

HASH_BYTES = 32


def keccak256(content: bytes) -> bytes:
    """Gives 32 bytes."""
    return keccak.new(digest_bits=256, data=content).digest()
