"""The keys of whoever admits sources: RSA, one for each group of people and each period, for nothing else.

Everybody admitted under one key looks alike, so all must see the same key: a portal publishes its key's id
where nobody can be shown another one (the log).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from keyvault.submitter.errors import SubmitterError

PUBLIC_EXPONENT: Final = 65537
KEY_BITS: Final = (2048, 3072, 4096)
NEW_KEY_BITS: Final = 3072
KEY_ID_BYTES: Final = 32
MAX_KEY_BYTES: Final = 1024
MAX_PEM_BYTES: Final = 2048

_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----\n([A-Za-z0-9+/=\n]+)-----END PUBLIC KEY-----\n?")


@dataclass(frozen=True)
class IssuerKey:
    """An issuer's public key, checked.

    Attributes:
        modulus: n, of 2048, 3072 or 4096 bits exactly. The exponent is 65537.

    Raises:
        SubmitterError: issuer_key_invalid.
    """

    modulus: int = field(repr=False)

    def __post_init__(self) -> None:
        if self.modulus.bit_length() not in KEY_BITS or self.modulus % 2 == 0:
            raise _invalid()

    @classmethod
    def of(cls, key: rsa.RSAPublicKey) -> IssuerKey:
        """Takes a key of the `cryptography` package.

        Raises:
            SubmitterError: issuer_key_invalid, another size or exponent.
        """
        numbers = key.public_numbers()
        if numbers.e != PUBLIC_EXPONENT:
            raise _invalid()
        return cls(numbers.n)

    @classmethod
    def from_der(cls, untrusted: bytes) -> IssuerKey:
        """Reads a SubjectPublicKeyInfo in its only encoding.

        Raises:
            SubmitterError: issuer_key_invalid.
        """
        if len(untrusted) > MAX_KEY_BYTES:
            raise _invalid()
        try:
            key = load_der_public_key(untrusted)
        except (ValueError, UnsupportedAlgorithm):
            raise _invalid() from None
        if not isinstance(key, rsa.RSAPublicKey):
            raise _invalid()
        issuer = cls.of(key)
        if issuer.to_der() != untrusted:
            raise _invalid()
        return issuer

    @classmethod
    def from_pem(cls, untrusted: bytes) -> IssuerKey:
        """Reads a SubjectPublicKeyInfo as PEM (RFC 7468), alone in its file.

        Raises:
            SubmitterError: issuer_key_invalid.
        """
        found = _PEM.fullmatch(untrusted) if len(untrusted) <= MAX_PEM_BYTES else None
        if found is None:
            raise _invalid()
        try:
            return cls.from_der(base64.b64decode(found[1].replace(b"\n", b""), validate=True))
        except binascii.Error:
            raise _invalid() from None

    def to_pem(self) -> bytes:
        """The same as PEM, as any RSA tool reads it."""
        return self.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def to_der(self) -> bytes:
        """SubjectPublicKeyInfo, with the identifier rsaEncryption."""
        return self.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def public_key(self) -> rsa.RSAPublicKey:
        """For the `cryptography` package."""
        try:
            return rsa.RSAPublicNumbers(PUBLIC_EXPONENT, self.modulus).public_key()
        except ValueError:
            raise _invalid() from None

    @property
    def id(self) -> bytes:
        """SHA-256 of the encoding, 32 bytes."""
        return hashlib.sha256(self.to_der()).digest()

    @property
    def size(self) -> int:
        """Bytes of a signature."""
        return self.modulus.bit_length() // 8


def generate_issuer_key() -> rsa.RSAPrivateKey:
    """Draws a fresh private key of 3072 bits."""
    return rsa.generate_private_key(PUBLIC_EXPONENT, NEW_KEY_BITS)


def _invalid() -> SubmitterError:
    return SubmitterError(
        "issuer_key_invalid", "an issuer's key is RSA of 2048, 3072 or 4096 bits with the exponent 65537"
    )
