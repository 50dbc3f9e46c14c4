"""RSA blind signatures (RFC 9474): the issuer signs what it cannot see, and never knows it again.

    source                                       issuer
    prepared = prepare(variant, message)
    blinded, unblinding = blind(...)   ------>   blind_sign(private key, blinded)
    signature = finalize(...)          <------

What comes out is an ordinary RSASSA-PSS signature of SHA-384 over `prepared`; the `cryptography` package
verifies it. All four variants of the RFC are here for its vectors; tokens use PSS_RANDOMIZED: its random
prefix keeps a message unguessable also for an issuer that made its key to cheat.

The private operation is Python's: numbers are blinded and the exponent too, so that its time depends on
random numbers, but Python's integers are not constant-time. Where that matters, the issuer's key belongs
into an HSM that does raw RSA.
"""

from __future__ import annotations

import hashlib
import math
import os
import secrets
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA384

from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import PUBLIC_EXPONENT, IssuerKey

PREFIX_BYTES: Final = 32
MAX_MESSAGE_BYTES: Final = 64 << 10
_HASH_BYTES: Final = 48
_EXPONENT_BLINDING_BITS: Final = 128


@dataclass(frozen=True)
class Variant:
    """One of RFC 9474's (section 5).

    Attributes:
        name: the RFC's.
        salt_bytes: of PSS.
        is_randomized: messages get a random prefix.
    """

    name: str
    salt_bytes: int
    is_randomized: bool


PSS_RANDOMIZED: Final = Variant("RSABSSA-SHA384-PSS-Randomized", _HASH_BYTES, True)
PSSZERO_RANDOMIZED: Final = Variant("RSABSSA-SHA384-PSSZERO-Randomized", 0, True)
PSS_DETERMINISTIC: Final = Variant("RSABSSA-SHA384-PSS-Deterministic", _HASH_BYTES, False)
PSSZERO_DETERMINISTIC: Final = Variant("RSABSSA-SHA384-PSSZERO-Deterministic", 0, False)


@dataclass(frozen=True)
class Blinded:
    """A blinded message, and what only the source keeps of it.

    Attributes:
        message: for the issuer; as long as the modulus.
        inverse: of the blinding factor, modulo n. Secret: it ties the signature to the message.
    """

    message: bytes = field(repr=False)
    inverse: int = field(repr=False)


def prepare(variant: Variant, message: bytes) -> bytes:
    """RFC 9474, 4.1: the message that is signed in fact; a randomized variant puts 32 random bytes first."""
    return os.urandom(PREFIX_BYTES) + message if variant.is_randomized else message


def blind(key: IssuerKey, prepared: bytes, variant: Variant) -> Blinded:
    """RFC 9474, 4.2: hides a prepared message under a fresh factor.

    Raises:
        SubmitterError: blinding_failed, the message is too long, or shares a factor with the modulus.
    """
    factor = secrets.randbelow(key.modulus - 1) + 1
    return blind_with(key, prepared, variant, os.urandom(variant.salt_bytes), factor)


def blind_with(key: IssuerKey, prepared: bytes, variant: Variant, salt: bytes, factor: int) -> Blinded:
    """The same with a given salt and factor: for known answers, and for `blind`.

    Raises:
        SubmitterError: blinding_failed.
    """
    if len(prepared) > MAX_MESSAGE_BYTES or len(salt) != variant.salt_bytes:
        raise _blinding_failed()
    encoded = _encode_pss(prepared, salt, key.modulus.bit_length() - 1)
    number = int.from_bytes(encoded, "big")
    if math.gcd(number, key.modulus) != 1 or math.gcd(factor, key.modulus) != 1:
        raise _blinding_failed()
    hidden = number * pow(factor, PUBLIC_EXPONENT, key.modulus) % key.modulus
    return Blinded(hidden.to_bytes(key.size, "big"), pow(factor, -1, key.modulus))


def blind_sign(private_key: rsa.RSAPrivateKey, untrusted_blinded: bytes) -> bytes:
    """RFC 9474, 4.3: the private operation, on whatever somebody who may have a token sends.

    Returns:
        The blind signature, as long as the modulus. It was checked: a fault in the computation gives none.

    Raises:
        SubmitterError: issuer_key_invalid; blind_message_invalid, another length or no number below the
            modulus; signing_failed.
    """
    key = IssuerKey.of(private_key.public_key())
    if len(untrusted_blinded) != key.size:
        raise _blind_message_invalid()
    number = int.from_bytes(untrusted_blinded, "big")
    if not 0 < number < key.modulus:
        raise _blind_message_invalid()
    signed = _private_operation(private_key, number)
    if pow(signed, PUBLIC_EXPONENT, key.modulus) != number:
        raise SubmitterError("signing_failed", "the issuer's computation failed; nothing was signed")
    return signed.to_bytes(key.size, "big")


def finalize(
    key: IssuerKey, prepared: bytes, untrusted_blind_signature: bytes, blinded: Blinded, variant: Variant
) -> bytes:
    """RFC 9474, 4.4: the signature of the prepared message, unblinded and verified.

    Raises:
        SubmitterError: blind_signature_invalid, another length, or the issuer did not sign what it was sent.
    """
    if len(untrusted_blind_signature) != key.size:
        raise _blind_signature_invalid()
    number = int.from_bytes(untrusted_blind_signature, "big")
    if number >= key.modulus:
        raise _blind_signature_invalid()
    signature = (number * blinded.inverse % key.modulus).to_bytes(key.size, "big")
    try:
        _verify_pss(key, prepared, signature, variant)
    except InvalidSignature:
        raise _blind_signature_invalid() from None
    return signature


def verify(key: IssuerKey, prepared: bytes, untrusted_signature: bytes, variant: Variant) -> None:
    """RFC 9474, 4.5: RSASSA-PSS with MGF1, both with SHA-384.

    Raises:
        SubmitterError: token_false.
    """
    try:
        _verify_pss(key, prepared, untrusted_signature, variant)
    except InvalidSignature:
        raise SubmitterError("token_false", "the issuer did not sign this token") from None


def _verify_pss(key: IssuerKey, prepared: bytes, signature: bytes, variant: Variant) -> None:
    scheme = padding.PSS(padding.MGF1(SHA384()), variant.salt_bytes)
    key.public_key().verify(signature, prepared, scheme, SHA384())


def _encode_pss(message: bytes, salt: bytes, bits: int) -> bytes:
    """EMSA-PSS-ENCODE with SHA-384 (RFC 8017, 9.1.1); `bits` is one less than the modulus has."""
    length = (bits + 7) // 8
    digest = hashlib.sha384(bytes(8) + hashlib.sha384(message).digest() + salt).digest()
    block = b"\x01" + salt
    block = bytes(length - _HASH_BYTES - 1 - len(block)) + block
    masked = bytes(one ^ other for one, other in zip(block, _mgf1(digest, len(block)), strict=True))
    first = masked[0] & (0xFF >> (8 * length - bits))
    return bytes([first]) + masked[1:] + digest + b"\xbc"


def _mgf1(seed: bytes, length: int) -> bytes:
    """RFC 8017, B.2.1."""
    blocks = (hashlib.sha384(seed + place.to_bytes(4, "big")).digest() for place in range(-(-length // 48)))
    return b"".join(blocks)[:length]


def _private_operation(private_key: rsa.RSAPrivateKey, number: int) -> int:
    """number^d modulo n by the Chinese remainder theorem, base and exponents blinded afresh each time."""
    private = private_key.private_numbers()
    n = private.public_numbers.n
    factor = secrets.randbelow(n - 2) + 2
    hidden = number * pow(factor, PUBLIC_EXPONENT, n) % n
    at_p = _blinded_power(hidden, private.dmp1, private.p)
    at_q = _blinded_power(hidden, private.dmq1, private.q)
    signed = at_q + (at_p - at_q) * private.iqmp % private.p * private.q
    try:
        return signed * pow(factor, -1, n) % n
    except ValueError:
        raise SubmitterError(
            "signing_failed", "the issuer's computation failed; nothing was signed"
        ) from None


def _blinded_power(base: int, exponent: int, prime: int) -> int:
    return pow(base, exponent + secrets.randbits(_EXPONENT_BLINDING_BITS) * (prime - 1), prime)


def _blinding_failed() -> SubmitterError:
    return SubmitterError("blinding_failed", "this message cannot be blinded for this key; draw another one")


def _blind_message_invalid() -> SubmitterError:
    return SubmitterError(
        "blind_message_invalid", "a blinded message is no number below the issuer's modulus"
    )


def _blind_signature_invalid() -> SubmitterError:
    return SubmitterError(
        "blind_signature_invalid", "the issuer's answer is no signature of what it was sent"
    )
