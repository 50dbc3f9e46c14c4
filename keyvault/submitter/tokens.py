"""One-use tokens of admission: "one of ours", and nothing about which one.

A source asks with a `TokenRequest`, the issuer signs it blind once it knows who asks, and the token that
comes out says neither who nor when. A portal redeems it once (`spent`).

    message  = "bauta.submitter.token/v1" 0  issuer key id (32)  serial (32)
    prepared = prefix (32)  message
    token    = u8 1  issuer key id (32)  prefix (32)  serial (32)  signature (as long as the modulus)

The serial is the source's own random number. A token is a bearer's: whoever has it can redeem it, so it
travels sealed.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import rsa

from keyvault.submitter import blind_rsa
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.issuer_keys import KEY_BITS, KEY_ID_BYTES, IssuerKey

SERIAL_BYTES: Final = 32
VARIANT: Final = blind_rsa.PSS_RANDOMIZED

_VERSION = b"\x01"
_LABEL = b"bauta.submitter.token/v1\0"
_HEAD_BYTES = len(_VERSION) + KEY_ID_BYTES + blind_rsa.PREFIX_BYTES + SERIAL_BYTES
_LENGTHS = frozenset(_HEAD_BYTES + bits // 8 for bits in KEY_BITS)
MAX_TOKEN_BYTES: Final = max(_LENGTHS)


@dataclass(frozen=True)
class Token:
    """A token, read but not verified. Its repr shows nothing.

    Attributes:
        issuer: id of the issuer's key, 32 bytes.
        prefix: of the prepared message, 32 bytes.
        serial: 32 bytes.
        signature: RSASSA-PSS.
    """

    issuer: bytes = field(repr=False)
    prefix: bytes = field(repr=False)
    serial: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    def to_bytes(self) -> bytes:
        """Its only encoding."""
        return b"".join((_VERSION, self.issuer, self.prefix, self.serial, self.signature))

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Token:
        """Reads one.

        Raises:
            SubmitterError: token_invalid.
        """
        if len(untrusted) not in _LENGTHS or untrusted[:1] != _VERSION:
            raise SubmitterError("token_invalid", "a token has another length or version")
        issuer, prefix, serial = (untrusted[start : start + 32] for start in (1, 33, 65))
        return cls(issuer, prefix, serial, untrusted[_HEAD_BYTES:])

    @property
    def use(self) -> bytes:
        """What the record of spent tokens knows it by: a digest of issuer and serial, 32 bytes.

        Not of prefix or signature: two signatures of one serial are one token.
        """
        return hashlib.sha256(_message(self.issuer, self.serial)).digest()


@dataclass(frozen=True)
class TokenRequest:
    """What a source keeps between asking and getting. Secret but for `blinded.message`.

    Attributes:
        key: the issuer's.
        prefix: of the prepared message.
        serial: of the token to be.
        blinded: what the issuer signs, and how to unblind it.
    """

    key: IssuerKey
    prefix: bytes = field(repr=False)
    serial: bytes = field(repr=False)
    blinded: blind_rsa.Blinded

    @classmethod
    def draw(cls, key: IssuerKey) -> TokenRequest:
        """A fresh one. `blinded.message` goes to the issuer.

        Raises:
            SubmitterError: blinding_failed, which chance alone does not bring about.
        """
        serial = os.urandom(SERIAL_BYTES)
        prepared = blind_rsa.prepare(VARIANT, _message(key.id, serial))
        return cls(key, prepared[: blind_rsa.PREFIX_BYTES], serial, blind_rsa.blind(key, prepared, VARIANT))

    def finish(self, untrusted_answer: bytes) -> Token:
        """The token, out of the issuer's answer.

        Raises:
            SubmitterError: blind_signature_invalid.
        """
        prepared = self.prefix + _message(self.key.id, self.serial)
        signature = blind_rsa.finalize(self.key, prepared, untrusted_answer, self.blinded, VARIANT)
        return Token(self.key.id, self.prefix, self.serial, signature)


def issue(private_key: rsa.RSAPrivateKey, untrusted_request: bytes) -> bytes:
    """Signs one request. Who may have how many is decided, and put on record, before this is called.

    Raises:
        SubmitterError: issuer_key_invalid, blind_message_invalid or signing_failed.
    """
    return blind_rsa.blind_sign(private_key, untrusted_request)


def verify_token(untrusted: bytes, key: IssuerKey) -> Token:
    """Checks that the issuer signed a token. Whether it was used before is for `spent` to say.

    Raises:
        SubmitterError: token_invalid, token_other_issuer or token_false.
    """
    token = Token.from_bytes(untrusted)
    if token.issuer != key.id:
        raise SubmitterError("token_other_issuer", "the token is of another issuer or another period")
    blind_rsa.verify(key, token.prefix + _message(token.issuer, token.serial), token.signature, VARIANT)
    return token


def _message(issuer: bytes, serial: bytes) -> bytes:
    return _LABEL + issuer + serial
