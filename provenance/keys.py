"""Hybrid public keys: a message counts as signed only if Ed25519 and ML-DSA-65 both say so.

Two schemes, so that a proof stays good if either falls (Ed25519, RFC 8032; ML-DSA-65, FIPS 204 with an
empty context).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from provenance.errors import FormatError, SignatureError

ED25519_KEY_BYTES = 32
MLDSA65_KEY_BYTES = 1952
ED25519 = "ed25519"
MLDSA65 = "mldsa65"
SIGNATURE_BYTES = {ED25519: 64, MLDSA65: 3309}

_KEY_ID = re.compile(r"(ed25519|mldsa65):[0-9a-f]{64}")


@dataclass(frozen=True)
class Signature:
    """One signature and the name of the key that made it.

    Attributes:
        key_id: "ed25519:" or "mldsa65:" and the hex SHA-256 of the raw public key.
        signature: 64 or 3,309 bytes, by algorithm.

    Raises:
        FormatError: the key id or the length is not one of these.
    """

    key_id: str
    signature: bytes

    def __post_init__(self) -> None:
        match = _KEY_ID.fullmatch(self.key_id)
        if match is None:
            raise FormatError("a signature names no key of a known kind")
        if len(self.signature) != SIGNATURE_BYTES[match[1]]:
            raise FormatError("a signature has the wrong length")

    @property
    def algorithm(self) -> str:
        """ "ed25519" or "mldsa65"."""
        return self.key_id.partition(":")[0]


class Signer(Protocol):
    """Whoever holds the private halves. Implemented above this package."""

    def sign(self, message: bytes) -> tuple[Signature, ...]:
        """Signs with both keys; Ed25519 first."""
        ...


@dataclass(frozen=True)
class HybridPublicKey:
    """The public halves of one signer.

    Attributes:
        ed25519: 32 bytes, RFC 8032 encoding.
        mldsa65: 1,952 bytes, FIPS 204 encoding.

    Raises:
        FormatError: a key has the wrong length or is not a key.
    """

    ed25519: bytes
    mldsa65: bytes

    def __post_init__(self) -> None:
        if len(self.ed25519) != ED25519_KEY_BYTES or len(self.mldsa65) != MLDSA65_KEY_BYTES:
            raise FormatError("a public key has the wrong length")
        self._load()

    @property
    def key_ids(self) -> tuple[str, str]:
        """The names of the two keys, Ed25519 first."""
        return key_id(ED25519, self.ed25519), key_id(MLDSA65, self.mldsa65)

    def verify(self, message: bytes, signatures: Sequence[Signature]) -> None:
        """Accepts one signature by each key, Ed25519 first, and nothing else.

        Raises:
            SignatureError: one is missing, extra, out of order, by another key, or false.
        """
        if tuple(item.key_id for item in signatures) != self.key_ids:
            raise SignatureError(
                "the signatures are not one by each of the signer's two keys", "wrong_signer"
            )
        ed25519, mldsa65 = self._load()
        try:
            ed25519.verify(signatures[0].signature, message)
            mldsa65.verify(signatures[1].signature, message)
        except InvalidSignature:
            raise SignatureError("a signature does not verify") from None

    def _load(self) -> tuple[Ed25519PublicKey, MLDSA65PublicKey]:
        try:
            return (
                Ed25519PublicKey.from_public_bytes(self.ed25519),
                MLDSA65PublicKey.from_public_bytes(self.mldsa65),
            )
        except UnsupportedAlgorithm:
            raise SignatureError(
                "this build of cryptography has no ML-DSA; install the pinned one", "unsupported_algorithm"
            ) from None
        except ValueError:
            raise FormatError("the bytes are not a public key") from None


def key_id(algorithm: str, public_key: bytes) -> str:
    """Names a public key by the hex SHA-256 of its raw bytes."""
    return f"{algorithm}:{hashlib.sha256(public_key).hexdigest()}"
