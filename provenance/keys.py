"""Hybrid public keys: a message counts as signed only if every scheme that is demanded says so.

Two schemes always (Ed25519, RFC 8032; ML-DSA-65, FIPS 204), so that a proof stays good if either falls, and a
third where it must outlast both (SLH-DSA-SHA2-128s, FIPS 205), which rests on SHA-256 alone. The post-quantum
schemes are used pure, with an empty context.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PublicKey

from provenance.algorithms.registry import (
    ED25519,
    MLDSA65,
    SIGNATURES,
    SLHDSA128S,
    STATEMENT_SIGNATURES,
    STATEMENT_SUITE,
)
from provenance.algorithms.verifying import check_signature
from provenance.errors import FormatError, SignatureError

__all__ = [
    "ED25519",
    "ED25519_KEY_BYTES",
    "MLDSA65",
    "MLDSA65_KEY_BYTES",
    "SIGNATURE_BYTES",
    "SLHDSA128S",
    "SLHDSA128S_KEY_BYTES",
    "STATEMENT_SIGNATURES",
    "STATEMENT_SUITE",
    "HybridPublicKey",
    "Signature",
    "Signer",
    "key_id",
    "well_ordered",
]

ED25519_KEY_BYTES = SIGNATURES[ED25519].public_key_bytes
MLDSA65_KEY_BYTES = SIGNATURES[MLDSA65].public_key_bytes
SLHDSA128S_KEY_BYTES = SIGNATURES[SLHDSA128S].public_key_bytes
SIGNATURE_BYTES = {name: SIGNATURES[name].signature_bytes for name in STATEMENT_SIGNATURES}

_KEY_ID = re.compile(r"([0-9a-z]{1,32}):[0-9a-f]{64}")


@dataclass(frozen=True)
class Signature:
    """One signature and the name of the key that made it.

    Attributes:
        key_id: the algorithm's name, a colon, and the hex SHA-256 of the raw public key.
        signature: 64, 3,309 or 7,856 bytes, by algorithm.

    Raises:
        FormatError: `unknown_algorithm`, or the key id or the length is not one of these.
    """

    key_id: str
    signature: bytes

    def __post_init__(self) -> None:
        match = _KEY_ID.fullmatch(self.key_id)
        if match is None:
            raise FormatError("a signature's key id is not an algorithm and a digest")
        if match[1] not in SIGNATURE_BYTES:
            raise FormatError("a signature names no key of a known kind", "unknown_algorithm")
        if len(self.signature) != SIGNATURE_BYTES[match[1]]:
            raise FormatError("a signature has the wrong length")

    @property
    def algorithm(self) -> str:
        """ "ed25519", "mldsa65" or "slhdsa128s"."""
        return self.key_id.partition(":")[0]


class Signer(Protocol):
    """Whoever holds the private halves. Implemented above this package."""

    def sign(self, message: bytes, algorithms: Sequence[str] = STATEMENT_SUITE) -> tuple[Signature, ...]:
        """Signs once with each of these algorithms, in this order."""
        ...


@dataclass(frozen=True)
class HybridPublicKey:
    """The public halves of one signer.

    Attributes:
        ed25519: 32 bytes, RFC 8032 encoding.
        mldsa65: 1,952 bytes, FIPS 204 encoding.
        slhdsa128s: 32 bytes, FIPS 205 encoding, or None for a signer that has no such key.

    Raises:
        FormatError: a key has the wrong length or is not a key.
    """

    ed25519: bytes
    mldsa65: bytes
    slhdsa128s: bytes | None = None

    def __post_init__(self) -> None:
        for name, public_key in self._keys.items():
            if len(public_key) != SIGNATURES[name].public_key_bytes:
                raise FormatError("a public key has the wrong length")
        try:
            Ed25519PublicKey.from_public_bytes(self.ed25519)
            MLDSA65PublicKey.from_public_bytes(self.mldsa65)
        except UnsupportedAlgorithm:
            # Another provider will check what this key signs. Any string of their length is an ML-DSA or an
            # SLH-DSA public key.
            pass
        except ValueError:
            raise FormatError("the bytes are not a public key") from None

    @property
    def algorithms(self) -> tuple[str, ...]:
        """What this signer can sign with, in the order in which signatures stand."""
        return tuple(self._keys)

    @property
    def key_ids(self) -> tuple[str, ...]:
        """The names of the keys, Ed25519 first."""
        return tuple(key_id(name, public_key) for name, public_key in self._keys.items())

    def verify(
        self, message: bytes, signatures: Sequence[Signature], required: Sequence[str] = STATEMENT_SUITE
    ) -> None:
        """Accepts one signature by each key that is required, and checks every other one that is there.

        Args:
            message: what was signed.
            signatures: in the order of `STATEMENT_SIGNATURES`.
            required: names of algorithms; the two of `STATEMENT_SUITE` are, whether named or not.

        Raises:
            SignatureError: one that is required is missing (`signature_missing`), stands twice
                (`signature_doubled`) or in another's place (`signatures_out_of_order`), is by another key
                (`wrong_signer`), or is false (`bad_signature`).
        """
        try:
            present = well_ordered(signatures)
        except FormatError as defect:
            raise SignatureError(str(defect), defect.code) from None
        if not set(required) <= set(present):
            raise SignatureError("a signature that is demanded is missing", "signature_missing")
        own = dict(zip(self.algorithms, self.key_ids, strict=True))
        # All names before any signature: a set by two signers is refused for what it is.
        if any(own.get(item.algorithm) != item.key_id for item in signatures):
            raise SignatureError("a signature is by a key that is not the signer's", "wrong_signer")
        for item in signatures:
            check_signature(item.algorithm, self._keys[item.algorithm], message, item.signature)

    @property
    def _keys(self) -> dict[str, bytes]:
        keys = {ED25519: self.ed25519, MLDSA65: self.mldsa65}
        if self.slhdsa128s is not None:
            keys[SLHDSA128S] = self.slhdsa128s
        return keys


def well_ordered(signatures: Sequence[Signature]) -> tuple[str, ...]:
    """Gives the algorithms of a statement's signatures: the whole suite, each once, in the one order.

    Raises:
        FormatError: `signature_doubled`, `signature_missing` or `signatures_out_of_order`.
    """
    present = tuple(item.algorithm for item in signatures)
    if len(set(present)) != len(present):
        raise FormatError("two signatures are of one algorithm", "signature_doubled")
    if not set(STATEMENT_SUITE) <= set(present):
        raise FormatError("the Ed25519 or the ML-DSA-65 signature is missing", "signature_missing")
    if present != tuple(name for name in STATEMENT_SIGNATURES if name in present):
        raise FormatError("the signatures are out of order", "signatures_out_of_order")
    return present


def key_id(algorithm: str, public_key: bytes) -> str:
    """Names a public key by the hex SHA-256 of its raw bytes."""
    return f"{algorithm}:{hashlib.sha256(public_key).hexdigest()}"
