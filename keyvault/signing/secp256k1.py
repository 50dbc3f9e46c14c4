"""Signatures as EVM chains take them: ECDSA over secp256k1, with which of two points the sender meant.

OpenSSL signs (RFC 6979: no random number, so that the same transaction always gets the same bytes). What it
does not give is the parity of the nonce's point, from which a chain computes who signed. That is computed
here from public numbers alone, by the equation that verifies the signature: a signature that a fault spoilt
does not leave this module. Formats: Ethereum yellow paper, appendix F; EIP-2 for the lower s.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)

from keyvault.errors import KeyvaultError
from provenance.anchors.keccak import HASH_BYTES, keccak256

SIGNATURE_BYTES = 65
ADDRESS_BYTES = 20

_PRIME = 2**256 - 2**32 - 977
_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_BASE = (
    0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
    0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
)

_Point = tuple[int, int] | None
"""Affine; None is the point at infinity."""


class ChainKeyError(KeyvaultError):
    """A key is no key on secp256k1, or a signature came out wrong."""

    code = "chain_key_invalid"


def new_chain_key() -> bytearray:
    """Draws a key, PKCS #8 in DER. The caller wipes it."""
    key = ec.generate_private_key(ec.SECP256K1())
    return bytearray(key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption()))


def load_chain_key(private_key: bytes | bytearray | memoryview) -> ec.EllipticCurvePrivateKey:
    """Makes the key object for one use; OpenSSL clears it when it goes.

    Args:
        private_key: as `new_chain_key` gives it.

    Raises:
        ChainKeyError: it is none.
    """
    try:
        key = load_der_private_key(memoryview(private_key), None)
    except (ValueError, TypeError):
        raise ChainKeyError("a chain key has an unknown form") from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256K1):
        raise ChainKeyError("a chain key is on another curve")
    return key


def address_of(key: ec.EllipticCurvePublicKey) -> bytes:
    """Gives the address on a chain, 20 bytes: the end of the Keccak-256 of the point."""
    x, y = _point_of(key)
    return keccak256(x.to_bytes(32, "big") + y.to_bytes(32, "big"))[-ADDRESS_BYTES:]


def sign_digest(key: ec.EllipticCurvePrivateKey, digest: bytes) -> bytes:
    """Signs.

    Args:
        key: on secp256k1.
        digest: what is signed, 32 bytes; a chain's are Keccak-256.

    Returns:
        r and s, 32 bytes each, s the lower of its two values; and the parity of y, one byte.

    Raises:
        ChainKeyError: not a digest, or the signature does not verify.
    """
    if len(digest) != HASH_BYTES:
        raise ChainKeyError("what is signed for a chain is a digest of 32 bytes")
    signature = key.sign(digest, ec.ECDSA(Prehashed(SHA256()), deterministic_signing=True))
    r, s = decode_dss_signature(signature)
    s = min(s, _ORDER - s)
    nonce_point = _nonce_point(int.from_bytes(digest, "big"), r, s, _point_of(key.public_key()))
    # An x beyond the order, of which r is the rest, comes once in 2^127 signatures: none is given then.
    if nonce_point is None or nonce_point[0] != r:
        raise ChainKeyError("a signature for a chain came out wrong")
    return r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([nonce_point[1] & 1])


def _point_of(key: ec.EllipticCurvePublicKey) -> tuple[int, int]:
    numbers = key.public_numbers()
    return numbers.x, numbers.y


def _nonce_point(digest: int, r: int, s: int, public: tuple[int, int]) -> _Point:
    """The point whose x is r: digest/s times the base point and r/s times the public key, added."""
    inverse = pow(s, -1, _ORDER)
    by_base, by_public = digest * inverse % _ORDER, r * inverse % _ORDER
    both = _add(_BASE, public)
    total: _Point = None
    for bit in range(max(by_base.bit_length(), by_public.bit_length()) - 1, -1, -1):
        total = _add(total, total)
        step = ((by_base >> bit) & 1, (by_public >> bit) & 1)
        total = _add(total, {(0, 0): None, (1, 0): _BASE, (0, 1): public, (1, 1): both}[step])
    return total


def _add(one: _Point, other: _Point) -> _Point:
    """Adds two points of y² = x³ + 7. Takes as long as it takes: every number here is public."""
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0] and (one[1] + other[1]) % _PRIME == 0:
        return None
    if one == other:
        slope = 3 * one[0] * one[0] * pow(2 * one[1], -1, _PRIME) % _PRIME
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, _PRIME) % _PRIME
    x = (slope * slope - one[0] - other[0]) % _PRIME
    return x, (slope * (one[0] - x) - one[1]) % _PRIME
