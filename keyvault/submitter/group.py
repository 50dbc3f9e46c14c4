"""The prime-order group of edwards25519 (RFC 8032, 5.1), as proofs of the submitter use it.

All arithmetic on secrets is libsodium's, in constant time; it is shared with `keyvault.custody.group`. A
point is 32 bytes in the one canonical encoding and of order L; a scalar is 32 bytes, little-endian, from 1
to L - 1. Zero is no scalar here: libsodium multiplies by none, and no honest run meets it.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Final

from nacl import bindings

from keyvault.custody import group
from keyvault.custody.errors import CustodianError
from keyvault.submitter.errors import SubmitterError

SCALAR_BYTES: Final = group.SCALAR_BYTES
POINT_BYTES: Final = group.POINT_BYTES
WIDE_BYTES: Final = 64
"""Of an even draw before its reduction modulo L, which leaves a bias of 2^-259."""

_H_LABEL = b"bauta.submitter/v1 second base point"


def parse_point(untrusted: bytes) -> bytes:
    """Takes a canonical point of order L.

    Raises:
        SubmitterError: point_invalid; the neutral element and points with a small-order part are not taken.
    """
    try:
        return group.parse_point(untrusted)
    except CustodianError:
        raise SubmitterError("point_invalid", "a point is not canonical or not of prime order") from None


def parse_scalar(untrusted: bytes) -> bytes:
    """Takes a scalar from 1 to L - 1 in its only encoding.

    Raises:
        SubmitterError: scalar_invalid.
    """
    try:
        return group.parse_scalar(untrusted)
    except CustodianError:
        raise SubmitterError("scalar_invalid", "a scalar is zero, too large, or not 32 bytes") from None


def reduce(wide: bytes) -> bytes:
    """64 even bytes as a scalar."""
    return bindings.crypto_core_ed25519_scalar_reduce(wide)


def respond(nonce: bytes, challenge: bytes, witness: bytes) -> bytes:
    """nonce + challenge times witness."""
    return group.add(nonce, group.multiply(challenge, witness))


def commit(value: bytes, blinding: bytes) -> bytes:
    """Pedersen's commitment: value times the base point B plus blinding times the second base point H.

    Raises:
        SubmitterError: scalar_invalid, one of them is zero; point_invalid, the sum is neutral.
    """
    try:
        return parse_point(
            bindings.crypto_core_ed25519_add(
                bindings.crypto_scalarmult_ed25519_base_noclamp(value),
                bindings.crypto_scalarmult_ed25519_noclamp(blinding, second_base()),
            )
        )
    except RuntimeError:
        raise SubmitterError("scalar_invalid", "a scalar that is committed to is zero") from None


def add_multiple(point: bytes, scalar: bytes, base: bytes) -> bytes:
    """point plus scalar times base.

    Raises:
        SubmitterError: point_invalid, a point leaves the group or meets the neutral element.
    """
    try:
        return bindings.crypto_core_ed25519_add(
            point, bindings.crypto_scalarmult_ed25519_noclamp(scalar, base)
        )
    except RuntimeError:
        raise SubmitterError("point_invalid", "points do not stay in the prime-order group") from None


@cache
def second_base() -> bytes:
    """The point H, of which nobody knows the logarithm: the first hash that is a point of order L.

    SHA-256 of a label and a counter of one byte, from zero, read as the encoding of a point. It is another
    point than the one that recovery keys are shared with.
    """
    for counter in range(256):
        candidate = hashlib.sha256(_H_LABEL + bytes([counter])).digest()
        if bindings.crypto_core_ed25519_is_valid_point(candidate):
            return candidate
    raise AssertionError("one hash in sixteen is such a point")
