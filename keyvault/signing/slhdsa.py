"""An SLH-DSA-SHA2-128s private key (FIPS 205): slow to sign with, large to carry, and safe if SHA-256 is.

FIPS 205 draws three 16-byte seeds and computes the root of a tree from two of them; the private key is the
seeds and the root, 64 bytes, and the public key the last 32 of these. `pqcrypto` takes the seeds from the
kernel (getrandom) for each key and keeps no state of its own, so that the children of one warm process make
different keys.
"""

from __future__ import annotations

from typing import Final

from pqcrypto.sign import slh_dsa_sha2_128s

from keyvault.errors import KeyvaultError

PRIVATE_KEY_BYTES: Final = 64
_PUBLIC_KEY_BYTES = 32


class SigningKeyError(KeyvaultError):
    """A seed or a stored key is none, or the signer has no key of the algorithm that it should sign with."""

    code = "signing_key_invalid"


class SlhDsaKey:
    """One private key. `pqcrypto` wants it as `bytes`, which Python cannot wipe: it stays until freed."""

    def __init__(self, private_key: bytes) -> None:
        """Takes what `private_bytes` gave.

        Raises:
            SigningKeyError: it is not 64 bytes.
        """
        if len(private_key) != PRIVATE_KEY_BYTES:
            raise SigningKeyError(f"an SLH-DSA private key is {PRIVATE_KEY_BYTES} bytes")
        self._private_key = private_key

    @classmethod
    def generate(cls) -> SlhDsaKey:
        """Makes a fresh key from the kernel's randomness, in some 30 ms."""
        _, private_key = slh_dsa_sha2_128s.keygen()
        return cls(private_key)

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        return self._private_key[-_PUBLIC_KEY_BYTES:]

    def private_bytes(self) -> bytearray:
        """64 bytes, to be stored. The caller wipes them."""
        return bytearray(self._private_key)

    def sign(self, message: bytes) -> bytes:
        """Signs in the pure form with an empty context: 7,856 bytes, in some 200 to 350 ms."""
        return bytes(slh_dsa_sha2_128s.sign(self._private_key, message))

    def __repr__(self) -> str:
        return "SlhDsaKey()"
