"""The X25519 recipient: `age1…` and `AGE-SECRET-KEY-1…` (c2sp.org/age, "The X25519 recipient type")."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.age import bech32
from keyvault.age.errors import AgeHeaderError, AgeIdentityError, AgeRecipientError
from keyvault.age.header import FILE_KEY_BYTES, Stanza, decode_base64, encode_base64
from keyvault.age.keys import CLASSIC

KIND: Final = "X25519"
RECIPIENT_HRP: Final = "age"
IDENTITY_HRP: Final = "AGE-SECRET-KEY-"
POINT_BYTES: Final = 32
SCALAR_BYTES: Final = 32
WRAPPED_KEY_BYTES: Final = FILE_KEY_BYTES + 16

_INFO = b"age-encryption.org/v1/X25519"
_NONCE = bytes(12)
"""Fixed, because a wrap key is never used twice."""


def is_low_order(point: bytes) -> bool:
    """Whether every shared secret with this 32-byte point is all zero, so that anyone would know it."""
    try:
        X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(point))
    except ValueError:
        return True
    return False


@dataclass(frozen=True)
class X25519Recipient:
    """A classic public key.

    Attributes:
        point: 32 bytes, a Curve25519 u-coordinate (RFC 7748) that is not of low order.
    """

    point: bytes = field(repr=False)

    label = CLASSIC

    def __post_init__(self) -> None:
        if len(self.point) != POINT_BYTES:
            raise AgeRecipientError("an X25519 recipient holds 32 bytes")
        if is_low_order(self.point):
            raise AgeRecipientError("this X25519 recipient keeps no secret: its point is of low order")

    @classmethod
    def parse(cls, text: str) -> X25519Recipient:
        """Parses `age1…`, lower case only.

        Raises:
            AgeRecipientError: anything else.
        """
        return cls(bech32.decode_key(text, RECIPIENT_HRP, "an X25519 recipient", AgeRecipientError))

    def __str__(self) -> str:
        return bech32.encode(RECIPIENT_HRP, self.point)

    def wrap(self, file_key: bytes) -> Stanza:
        """Wraps the file key under a fresh ephemeral key."""
        ephemeral = X25519PrivateKey.generate()
        share = ephemeral.public_key().public_bytes_raw()
        secret = ephemeral.exchange(X25519PublicKey.from_public_bytes(self.point))
        wrap_key = _wrap_key(secret, share, self.point)
        body = ChaCha20Poly1305(wrap_key).encrypt(_NONCE, file_key, None)
        return Stanza(KIND, (encode_base64(share),), body)


@dataclass(frozen=True, eq=False)
class X25519Identity:
    """A classic private key. Its repr shows nothing."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SCALAR_BYTES:
            raise AgeIdentityError("an X25519 identity holds 32 bytes")

    @classmethod
    def generate(cls) -> X25519Identity:
        """Makes a new one from the system's randomness."""
        return cls(os.urandom(SCALAR_BYTES))

    @classmethod
    def parse(cls, text: str) -> X25519Identity:
        """Parses `AGE-SECRET-KEY-1…`, upper case only.

        Raises:
            AgeIdentityError: anything else.
        """
        return cls(bech32.decode_key(text, IDENTITY_HRP, "an X25519 identity", AgeIdentityError))

    def encode(self) -> str:
        """The secret line of an identity file."""
        return bech32.encode(IDENTITY_HRP, self.secret)

    @cached_property
    def recipient(self) -> X25519Recipient:
        """Whom to seal to, for this identity to open."""
        return X25519Recipient(self._key().public_key().public_bytes_raw())

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Tries every X25519 stanza in order.

        Raises:
            AgeHeaderError: an X25519 stanza is malformed, or its share is of low order.
        """
        for stanza in stanzas:
            if stanza.kind == KIND and (file_key := self._unwrap(stanza)) is not None:
                return file_key
        return None

    def _unwrap(self, stanza: Stanza) -> bytes | None:
        if len(stanza.arguments) != 1:
            raise AgeHeaderError("an X25519 stanza has one argument after its name")
        share = decode_base64(stanza.arguments[0])
        # The length is checked before decrypting: a longer key could be made to fit several identities.
        if len(share) != POINT_BYTES or len(stanza.body) != WRAPPED_KEY_BYTES:
            raise AgeHeaderError("an X25519 stanza has a part of the wrong length")
        try:
            secret = self._key().exchange(X25519PublicKey.from_public_bytes(share))
        except ValueError:
            raise AgeHeaderError("an X25519 stanza has a share of low order") from None
        wrap_key = _wrap_key(secret, share, self.recipient.point)
        try:
            return ChaCha20Poly1305(wrap_key).decrypt(_NONCE, stanza.body, None)
        except InvalidTag:
            return None

    def _key(self) -> X25519PrivateKey:
        return X25519PrivateKey.from_private_bytes(self.secret)


def _wrap_key(secret: bytes, share: bytes, recipient_point: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt=share + recipient_point, info=_INFO).derive(secret)
