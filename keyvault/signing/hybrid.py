"""Ed25519 (RFC 8032) and ML-DSA-65 (FIPS 204) side by side: both must be broken to forge a statement.

A signer may hold an SLH-DSA-SHA2-128s key (FIPS 205) besides, and signs with it where that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey

from keyvault.signing.slhdsa import SigningKeyError, SlhDsaKey
from provenance.dsse import Signature
from provenance.keys import ED25519, MLDSA65, SLHDSA128S, STATEMENT_SUITE, HybridPublicKey

__all__ = ["SEED_BYTES", "HybridSigner", "Seed", "SigningKeyError"]

SEED_BYTES = 32

Seed = bytes | bytearray | memoryview


class HybridSigner:
    """Signs with each of its keys; a `provenance.dsse.Signer`.

    Used by the vault as the node key, and by a worker with keys that live for one job.
    """

    def __init__(
        self,
        ed25519_key: Ed25519PrivateKey,
        mldsa65_key: MLDSA65PrivateKey,
        slhdsa128s_key: SlhDsaKey | None = None,
    ) -> None:
        self._sign_with: dict[str, Callable[[bytes], bytes]] = {
            ED25519: ed25519_key.sign,
            MLDSA65: mldsa65_key.sign,
        }
        if slhdsa128s_key is not None:
            self._sign_with[SLHDSA128S] = slhdsa128s_key.sign
        self._public = HybridPublicKey(
            ed25519=ed25519_key.public_key().public_bytes_raw(),
            mldsa65=mldsa65_key.public_key().public_bytes_raw(),
            slhdsa128s=None if slhdsa128s_key is None else slhdsa128s_key.public_key,
        )
        self._key_ids = dict(zip(self._public.algorithms, self._public.key_ids, strict=True))

    @classmethod
    def generate(cls, *, third: bool = False) -> HybridSigner:
        """Makes fresh keys that exist nowhere else: two, or three with the hash-based one."""
        return cls(
            Ed25519PrivateKey.generate(),
            MLDSA65PrivateKey.generate(),
            SlhDsaKey.generate() if third else None,
        )

    @classmethod
    def from_seeds(
        cls,
        ed25519_seed: Seed,
        mldsa65_seed: Seed,
        slhdsa128s_key: SlhDsaKey | None = None,
    ) -> HybridSigner:
        """Expands two 32-byte seeds. The caller wipes them.

        Raises:
            SigningKeyError: a seed is not 32 bytes.
        """
        if len(ed25519_seed) != SEED_BYTES or len(mldsa65_seed) != SEED_BYTES:
            raise SigningKeyError("a signing seed is 32 bytes")
        return cls(
            Ed25519PrivateKey.from_private_bytes(ed25519_seed),
            MLDSA65PrivateKey.from_seed_bytes(mldsa65_seed),
            slhdsa128s_key,
        )

    @property
    def public(self) -> HybridPublicKey:
        """The public keys."""
        return self._public

    def sign(self, message: bytes, algorithms: Sequence[str] = STATEMENT_SUITE) -> tuple[Signature, ...]:
        """Signs one message once with each of these algorithms, in this order.

        Raises:
            SigningKeyError: this signer has no key for one of them.
        """
        if not set(algorithms) <= set(self._sign_with):
            raise SigningKeyError("the signer has no key for a signature that is asked of it")
        return tuple(
            Signature(key_id=self._key_ids[name], signature=self._sign_with[name](message))
            for name in algorithms
        )

    def __repr__(self) -> str:
        return f"HybridSigner({self._public.key_ids[0]})"
