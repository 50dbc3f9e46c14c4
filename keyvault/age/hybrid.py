"""The post-quantum recipient: `age1pq1…` and `AGE-SECRET-KEY-PQ-1…`, ML-KEM-768 and X25519 in one.

c2sp.org/age, "The MLKEM768-X25519 hybrid post-quantum recipient type": HPKE (RFC 9180) in base mode with
the X-Wing KEM. Everything is derived from a 32-byte seed: SHAKE-256 gives the 64-byte ML-KEM seed
(FIPS 203, d and z) and the 32-byte X25519 scalar.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import shake_256
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from keyvault.age import bech32
from keyvault.age.errors import AgeHeaderError, AgeIdentityError, AgeNoMatchError, AgeRecipientError
from keyvault.age.header import FILE_KEY_BYTES, Stanza, decode_base64, encode_base64
from keyvault.age.keys import POST_QUANTUM
from keyvault.age.x25519 import is_low_order

KIND: Final = "mlkem768x25519"
RECIPIENT_HRP: Final = "age1pq"
IDENTITY_HRP: Final = "AGE-SECRET-KEY-PQ-"
SEED_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 1184 + 32
ENCAPSULATED_BYTES: Final = 1088 + 32
WRAPPED_KEY_BYTES: Final = FILE_KEY_BYTES + 16

_MLKEM_PUBLIC_BYTES = 1184
_MLKEM_CIPHERTEXT_BYTES = 1088
_MLKEM_SEED_BYTES = 64
_INFO = b"age-encryption.org/mlkem768x25519"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)


@dataclass(frozen=True)
class HybridRecipient:
    """A post-quantum public key.

    Attributes:
        public_key: 1,216 bytes, the ML-KEM-768 encapsulation key and then the X25519 point.
    """

    public_key: bytes = field(repr=False)

    label = POST_QUANTUM

    def __post_init__(self) -> None:
        if len(self.public_key) != PUBLIC_KEY_BYTES:
            raise AgeRecipientError(f"a post-quantum recipient holds {PUBLIC_KEY_BYTES} bytes")
        try:
            self._key()
        except ValueError:
            raise AgeRecipientError("this post-quantum recipient holds no ML-KEM-768 key") from None
        if is_low_order(self.public_key[_MLKEM_PUBLIC_BYTES:]):
            raise AgeRecipientError("this post-quantum recipient's X25519 point is of low order")

    @classmethod
    def parse(cls, text: str) -> HybridRecipient:
        """Parses `age1pq1…`, lower case only.

        Raises:
            AgeRecipientError: anything else.
        """
        return cls(bech32.decode_key(text, RECIPIENT_HRP, "a post-quantum recipient", AgeRecipientError))

    def __str__(self) -> str:
        return bech32.encode(RECIPIENT_HRP, self.public_key)

    def wrap(self, file_key: bytes) -> Stanza:
        """Encapsulates to this key and wraps the file key under what comes out."""
        sealed = _SUITE.encrypt(file_key, self._key(), info=_INFO)
        encapsulated, body = sealed[:ENCAPSULATED_BYTES], sealed[ENCAPSULATED_BYTES:]
        return Stanza(KIND, (encode_base64(encapsulated),), body)

    def seal(self, plaintext: bytes, info: bytes) -> bytes:
        """Seals something short outside of any age file: HPKE alone, in a context that is not age's.

        Args:
            plaintext: a key or a share.
            info: what the seal is bound to; it begins with a label of its own.

        Returns:
            1,120 bytes of encapsulation, then the ciphertext with its tag of 16 bytes.
        """
        return _SUITE.encrypt(plaintext, self._key(), info=info)

    def _key(self) -> hpke.MLKEM768X25519PublicKey:
        return hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(self.public_key[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(self.public_key[_MLKEM_PUBLIC_BYTES:]),
        )


@dataclass(frozen=True, eq=False)
class HybridIdentity:
    """A post-quantum private key. Its repr shows nothing."""

    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise AgeIdentityError("a post-quantum identity holds 32 bytes")

    @classmethod
    def generate(cls) -> HybridIdentity:
        """Makes a new one from the system's randomness."""
        return cls(os.urandom(SEED_BYTES))

    @classmethod
    def parse(cls, text: str) -> HybridIdentity:
        """Parses `AGE-SECRET-KEY-PQ-1…`, upper case only.

        Raises:
            AgeIdentityError: anything else.
        """
        return cls(bech32.decode_key(text, IDENTITY_HRP, "a post-quantum identity", AgeIdentityError))

    def encode(self) -> str:
        """The secret line of an identity file."""
        return bech32.encode(IDENTITY_HRP, self.seed)

    @cached_property
    def recipient(self) -> HybridRecipient:
        """Whom to seal to, for this identity to open."""
        mlkem_key, x25519_key = self._keys
        points = mlkem_key.public_key().public_bytes_raw(), x25519_key.public_key().public_bytes_raw()
        return HybridRecipient(b"".join(points))

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Tries every mlkem768x25519 stanza in order.

        Raises:
            AgeHeaderError: such a stanza is malformed, or its X25519 share is of low order.
        """
        for stanza in stanzas:
            if stanza.kind == KIND and (file_key := self._unwrap(stanza)) is not None:
                return file_key
        return None

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Opens what `HybridRecipient.seal` gave.

        Raises:
            AgeNoMatchError: it is for another key or context, or was changed.
        """
        mlkem_key, x25519_key = self._keys
        private_key = hpke.MLKEM768X25519PrivateKey(mlkem_key, x25519_key)
        try:
            return _SUITE.decrypt(sealed, private_key, info=info)
        except (InvalidTag, ValueError):
            raise AgeNoMatchError("this is sealed to another key or in another context, or changed") from None

    def _unwrap(self, stanza: Stanza) -> bytes | None:
        if len(stanza.arguments) != 1:
            raise AgeHeaderError("an mlkem768x25519 stanza has one argument after its name")
        encapsulated = decode_base64(stanza.arguments[0])
        # The length is checked before decrypting: a longer key could be made to fit several identities.
        if len(encapsulated) != ENCAPSULATED_BYTES or len(stanza.body) != WRAPPED_KEY_BYTES:
            raise AgeHeaderError("an mlkem768x25519 stanza has a part of the wrong length")
        mlkem_key, x25519_key = self._keys
        share = X25519PublicKey.from_public_bytes(encapsulated[_MLKEM_CIPHERTEXT_BYTES:])
        try:
            # HPKE reports an all-zero secret as one more failed decryption; age wants it refused by name.
            x25519_key.exchange(share)
        except ValueError:
            raise AgeHeaderError("an mlkem768x25519 stanza has a share of low order") from None
        private_key = hpke.MLKEM768X25519PrivateKey(mlkem_key, x25519_key)
        try:
            return _SUITE.decrypt(encapsulated + stanza.body, private_key, info=_INFO)
        except InvalidTag:
            return None

    @cached_property
    def _keys(self) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
        expanded = shake_256(self.seed).digest(_MLKEM_SEED_BYTES + 32)
        return (
            MLKEM768PrivateKey.from_seed_bytes(expanded[:_MLKEM_SEED_BYTES]),
            X25519PrivateKey.from_private_bytes(expanded[_MLKEM_SEED_BYTES:]),
        )
