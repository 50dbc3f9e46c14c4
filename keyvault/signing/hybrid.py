"""Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204) side by side: both must be broken to forge a statement."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from keyvault.errors import KeyvaultError
from provenance.dsse import Signature
from provenance.keys import HybridPublicKey

SEED_BYTES = 32


class SigningKeyError(KeyvaultError):
    """A seed is no seed."""

    code = "signing_key_invalid"


class HybridSigner:
    """Signs with both keys; a `provenance.dsse.Signer`.

    Used by the vault as the node key, and by a worker with keys that live for one job.
    """

    def __init__(self, ed25519_key: Ed25519PrivateKey, mldsa65_key: MLDSA65PrivateKey) -> None:
        self._ed25519_key = ed25519_key
        self._mldsa65_key = mldsa65_key
        self._public = HybridPublicKey(
            ed25519=ed25519_key.public_key().public_bytes_raw(),
            mldsa65=mldsa65_key.public_key().public_bytes_raw(),
        )
        self._key_ids = tuple(self._public.key_ids)

    @classmethod
    def generate(cls) -> HybridSigner:
        """Makes two fresh keys that exist nowhere else."""
        return cls(Ed25519PrivateKey.generate(), MLDSA65PrivateKey.generate())

    @classmethod
    def from_seeds(cls, ed25519_seed: bytes | bytearray, mldsa65_seed: bytes | bytearray) -> HybridSigner:
        """Expands two 32-byte seeds. The caller wipes them.

        Raises:
            SigningKeyError: a seed is not 32 bytes.
        """
        if len(ed25519_seed) != SEED_BYTES or len(mldsa65_seed) != SEED_BYTES:
            raise SigningKeyError("a signing seed is 32 bytes")
        return cls(
            Ed25519PrivateKey.from_private_bytes(ed25519_seed),
            MLDSA65PrivateKey.from_seed_bytes(mldsa65_seed),
        )

    @property
    def public(self) -> HybridPublicKey:
        """Both public keys."""
        return self._public

    def sign(self, message: bytes) -> tuple[Signature, ...]:
        """Signs one message with both keys, Ed25519 first."""
        ed25519_id, mldsa65_id = self._key_ids
        return (
            Signature(key_id=ed25519_id, signature=self._ed25519_key.sign(message)),
            Signature(key_id=mldsa65_id, signature=self._mldsa65_key.sign(message)),
        )

    def __repr__(self) -> str:
        return f"HybridSigner({self._key_ids[0]})"
