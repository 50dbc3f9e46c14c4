"""Arithmetic in the prime-order subgroup of edwards25519 (RFC 8032, 5.1), by libsodium through PyNaCl.

A scalar is 32 bytes, little-endian, less than the group's order L. A point is 32 bytes in the one canonical
encoding, of order L: neither the neutral element nor one of the small-order points nor a sum with one.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from nacl import bindings

from keyvault.custody.errors import CustodianError

SCALAR_BYTES: Final = 32
POINT_BYTES: Final = 32
ORDER: Final = 2**252 + 27742317777372353535851937790883648493

_H_LABEL = b"bauta.sharing/v1 second base point"
_ZERO = bytes(SCALAR_BYTES)
_ONE = (1).to_bytes(SCALAR_BYTES, "little")


def random_scalar() -> bytes:
    """Draws one evenly; zero, which no share may be, does not come up in the life of the universe."""
    return bindings.crypto_core_ed25519_scalar_reduce(os.urandom(2 * SCALAR_BYTES))


def small_scalar(number: int) -> bytes:
    """A whole number as a scalar."""
    return number.to_bytes(SCALAR_BYTES, "little")


def parse_scalar(untrusted: bytes) -> bytes:
    """Takes a scalar from 1 to L - 1 in its only encoding.

    Raises:
        CustodianError: scalar_invalid.
    """
    if len(untrusted) != SCALAR_BYTES or not 0 < int.from_bytes(untrusted, "little") < ORDER:
        raise CustodianError("scalar_invalid", "a scalar is zero, too large, or not 32 bytes")
    return untrusted


def parse_point(untrusted: bytes) -> bytes:
    """Takes a canonical point of order L.

    Raises:
        CustodianError: point_invalid; the neutral element and small-order points are not taken either.
    """
    if len(untrusted) != POINT_BYTES or not bindings.crypto_core_ed25519_is_valid_point(untrusted):
        raise CustodianError("point_invalid", "a commitment is no canonical point of the prime-order group")
    return untrusted


def commit(value: bytes, blinding: bytes) -> bytes:
    """Pedersen's commitment: value times the base point plus blinding times the second base point.

    Raises:
        CustodianError: scalar_invalid, one of them is zero.
    """
    try:
        return bindings.crypto_core_ed25519_add(
            bindings.crypto_scalarmult_ed25519_base_noclamp(value),
            bindings.crypto_scalarmult_ed25519_noclamp(blinding, second_base()),
        )
    except RuntimeError:
        raise CustodianError("scalar_invalid", "a scalar that is committed to is zero") from None


@cache
def second_base() -> bytes:
    """The point H, of which nobody knows the logarithm: the first hash that is a point of order L.

    SHA-256 of a label and a counter of one byte, from zero, read as the encoding of a point.
    """
    for counter in range(256):
        candidate = hashlib.sha256(_H_LABEL + bytes([counter])).digest()
        if bindings.crypto_core_ed25519_is_valid_point(candidate):
            return candidate
    raise AssertionError("one hash in sixteen is such a point")


def evaluate(coefficients: Sequence[bytes], x: int) -> bytes:
    """The value of a polynomial at x, lowest coefficient first (Horner)."""
    result, at = _ZERO, small_scalar(x)
    for coefficient in reversed(coefficients):
        result = add(multiply(result, at), coefficient)
    return result


def evaluate_points(commitments: Sequence[bytes], x: int) -> bytes:
    """The same in the exponent: the commitment to the value at x (Feldman, 1987).

    Raises:
        CustodianError: point_invalid, commitments that were chosen to meet the neutral element.
    """
    result, at = commitments[-1], small_scalar(x)
    for commitment in reversed(commitments[:-1]):
        result = add_points(scale(at, result), commitment)
    return result


def weighted_sum(weights: Sequence[bytes], scalars: Sequence[bytes]) -> bytes:
    """The sum of products of scalars."""
    result = _ZERO
    for weight, scalar in zip(weights, scalars, strict=True):
        result = add(result, multiply(weight, scalar))
    return result


def weighted_sum_of_points(weights: Sequence[bytes], points: Sequence[bytes]) -> bytes:
    """The sum of multiples of points.

    Raises:
        CustodianError: point_invalid, it meets the neutral element.
    """
    result: bytes | None = None
    for weight, point in zip(weights, points, strict=True):
        part = scale(weight, point)
        result = part if result is None else add_points(result, part)
    if result is None:
        raise CustodianError("point_invalid", "a sum of no points")
    return parse_point(result)


def lagrange_at_zero(places: Iterable[int]) -> dict[int, bytes]:
    """The factor of the value at each place in the value at zero. Places are distinct, and count from 1."""
    numbers = list(places)
    weights = {}
    for own in numbers:
        above, below = _ONE, _ONE
        for other in numbers:
            if other != own:
                above = multiply(above, small_scalar(other))
                below = multiply(below, subtract(small_scalar(other), small_scalar(own)))
        weights[own] = multiply(above, bindings.crypto_core_ed25519_scalar_invert(below))
    return weights


def add(first: bytes, second: bytes) -> bytes:
    """Their sum modulo L."""
    return bindings.crypto_core_ed25519_scalar_add(first, second)


def subtract(first: bytes, second: bytes) -> bytes:
    """Their difference modulo L."""
    return bindings.crypto_core_ed25519_scalar_sub(first, second)


def multiply(first: bytes, second: bytes) -> bytes:
    """Their product modulo L."""
    return bindings.crypto_core_ed25519_scalar_mul(first, second)


def add_points(first: bytes, second: bytes) -> bytes:
    """The sum of two points.

    Raises:
        CustodianError: point_invalid, one of them is not on the curve.
    """
    try:
        return bindings.crypto_core_ed25519_add(first, second)
    except RuntimeError:
        raise _no_point() from None


def scale(scalar: bytes, point: bytes) -> bytes:
    """A multiple of a point.

    Raises:
        CustodianError: point_invalid, the point or the result is neutral or of small order.
    """
    try:
        return bindings.crypto_scalarmult_ed25519_noclamp(scalar, point)
    except RuntimeError:
        raise _no_point() from None


def _no_point() -> CustodianError:
    return CustodianError("point_invalid", "commitments do not stay in the prime-order group")
