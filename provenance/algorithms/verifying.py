"""One signature, checked by its algorithm's name."""

from __future__ import annotations

from provenance.algorithms.providers import PROVIDERS, ProviderMissingError
from provenance.algorithms.registry import signature_algorithm
from provenance.errors import FormatError, SignatureError


def check_signature(algorithm: str, public_key: bytes, message: bytes, signature: bytes) -> None:
    """Checks a signature with the first provider that has its algorithm.

    Args:
        algorithm: a name of the registry.
        public_key: raw.
        message: what was signed; ML-DSA and SLH-DSA in their pure form with an empty context.
        signature: raw.

    Raises:
        SignatureError: it is false, or `unsupported_algorithm`: no library here can tell.
        FormatError: `unknown_algorithm`, or a key or signature of another length.
    """
    row = signature_algorithm(algorithm)
    if len(public_key) != row.public_key_bytes or len(signature) != row.signature_bytes:
        raise FormatError("a public key or a signature has the wrong length")
    for provider in row.providers:
        try:
            holds = PROVIDERS[provider](algorithm, public_key, message, signature)
        except ProviderMissingError:
            continue
        if not holds:
            raise SignatureError("a signature does not verify")
        return
    raise SignatureError(
        f"no library here can check {row.title}; install the pinned ones", "unsupported_algorithm"
    )
