"""The three libraries that check signatures, each behind one function of one form.

A provider that is not installed, or was built without the algorithm, raises `ProviderMissingError`; only then
is the next one asked. A signature that one provider finds false is false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey, MLDSA65PublicKey

from provenance.algorithms.liboqs import load_liboqs
from provenance.algorithms.registry import (
    CRYPTOGRAPHY,
    ED25519,
    LIBOQS,
    MLDSA44,
    MLDSA65,
    PQCRYPTO,
    SLHDSA128S,
)

try:
    # At import, not at first use: a worker's child cannot import anything any more.
    from pqcrypto.sign import ml_dsa_44, ml_dsa_65, slh_dsa_sha2_128s
except ImportError:
    ml_dsa_44 = ml_dsa_65 = slh_dsa_sha2_128s = None

Check = Callable[[str, bytes, bytes, bytes], bool]
"""(algorithm, public key, message, signature) to whether the signature holds; lengths were checked before."""

_CRYPTOGRAPHY_KEYS: Final[Mapping[str, type[Ed25519PublicKey | MLDSA44PublicKey | MLDSA65PublicKey]]] = {
    ED25519: Ed25519PublicKey,
    MLDSA44: MLDSA44PublicKey,
    MLDSA65: MLDSA65PublicKey,
}
_PQCRYPTO_MODULES: Final = {MLDSA44: ml_dsa_44, MLDSA65: ml_dsa_65, SLHDSA128S: slh_dsa_sha2_128s}
_LIBOQS_NAMES: Final = {
    MLDSA44: "ML-DSA-44",
    MLDSA65: "ML-DSA-65",
    SLHDSA128S: "SLH_DSA_PURE_SHA2_128S",
}


class ProviderMissingError(Exception):
    """This library cannot check this algorithm here."""


def _check_with_cryptography(algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        _CRYPTOGRAPHY_KEYS[algorithm].from_public_bytes(public_key).verify(signature, message)
    except UnsupportedAlgorithm:
        raise ProviderMissingError from None
    except (InvalidSignature, ValueError):
        return False
    return True


def _check_with_pqcrypto(algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
    module = _PQCRYPTO_MODULES[algorithm]
    if module is None:
        raise ProviderMissingError
    try:
        module.verify(public_key, message, signature)
    except ValueError:
        return False
    return True


def _check_with_liboqs(algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> bool:
    oqs = load_liboqs()
    name = _LIBOQS_NAMES[algorithm]
    if oqs is None or not oqs.is_sig_enabled(name):
        raise ProviderMissingError
    with oqs.Signature(name) as verifier:
        return bool(verifier.verify(message, signature, public_key))


PROVIDERS: Final[Mapping[str, Check]] = {
    CRYPTOGRAPHY: _check_with_cryptography,
    PQCRYPTO: _check_with_pqcrypto,
    LIBOQS: _check_with_liboqs,
}
"""By the names that the registry uses."""
