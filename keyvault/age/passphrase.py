"""The passphrase recipient (c2sp.org/age, "The scrypt recipient type"), to cross over to `age -p`.

Nothing in the service seals to a passphrase; it is here so that every native file a person may hold opens.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from keyvault.age.errors import AgeHeaderError, AgeIdentityError, AgeRecipientError
from keyvault.age.header import FILE_KEY_BYTES, Stanza, decode_base64, encode_base64
from keyvault.age.keys import ALONE

KIND: Final = "scrypt"
DEFAULT_WORK_FACTOR: Final = 18
"""log2 of scrypt's N, what `age -p` uses: 256 MiB, about a second."""

MAX_WORK_FACTOR: Final = 20
"""The most that a file may make us spend: 1 GiB of memory. (age itself goes to 22, which is 4 GiB.)"""

_SALT_BYTES = 16
_WRAPPED_KEY_BYTES = FILE_KEY_BYTES + 16
_LABEL = b"age-encryption.org/v1/scrypt"
_NONCE = bytes(12)
_WORK_FACTOR = re.compile(r"[1-9][0-9]*")


@dataclass(frozen=True, eq=False)
class PassphraseRecipient:
    """Seals to whoever knows the passphrase."""

    passphrase: str = field(repr=False)
    work_factor: int = DEFAULT_WORK_FACTOR

    label = ALONE

    def __post_init__(self) -> None:
        if not self.passphrase:
            raise AgeRecipientError("the passphrase is empty")
        if not 1 <= self.work_factor <= MAX_WORK_FACTOR:
            raise AgeRecipientError(f"the work factor must be 1 to {MAX_WORK_FACTOR}")

    def wrap(self, file_key: bytes) -> Stanza:
        """Wraps the file key under a key stretched with a fresh salt."""
        salt = os.urandom(_SALT_BYTES)
        wrap_key = _stretch(self.passphrase, salt, self.work_factor)
        body = ChaCha20Poly1305(wrap_key).encrypt(_NONCE, file_key, None)
        return Stanza(KIND, (encode_base64(salt), str(self.work_factor)), body)


@dataclass(frozen=True, eq=False)
class PassphraseIdentity:
    """Opens what was sealed to a passphrase. Its repr shows nothing."""

    passphrase: str = field(repr=False)
    max_work_factor: int = MAX_WORK_FACTOR

    def __post_init__(self) -> None:
        if not self.passphrase:
            raise AgeIdentityError("the passphrase is empty")

    def unwrap(self, stanzas: Sequence[Stanza]) -> bytes | None:
        """Tries the scrypt stanza, which must be the only stanza.

        Raises:
            AgeHeaderError: it is not alone, is malformed, or asks for too much work.
        """
        ours = [stanza for stanza in stanzas if stanza.kind == KIND]
        if not ours:
            return None
        if len(stanzas) > 1:
            raise AgeHeaderError("a passphrase stanza must be alone in the header")
        return self._unwrap(ours[0])

    def _unwrap(self, stanza: Stanza) -> bytes | None:
        if len(stanza.arguments) != 2:
            raise AgeHeaderError("a scrypt stanza has two arguments after its name")
        salt = decode_base64(stanza.arguments[0])
        if len(salt) != _SALT_BYTES or len(stanza.body) != _WRAPPED_KEY_BYTES:
            raise AgeHeaderError("a scrypt stanza has a part of the wrong length")
        digits = stanza.arguments[1]
        if _WORK_FACTOR.fullmatch(digits) is None:
            raise AgeHeaderError("a scrypt stanza has a malformed work factor")
        if len(digits) > 2 or int(digits) > self.max_work_factor:
            raise AgeHeaderError(f"the passphrase's work factor is over {self.max_work_factor}")
        try:
            wrap_key = _stretch(self.passphrase, salt, int(digits))
            return ChaCha20Poly1305(wrap_key).decrypt(_NONCE, stanza.body, None)
        except InvalidTag:
            return None


def _stretch(passphrase: str, salt: bytes, work_factor: int) -> bytes:
    # surrogateescape gives back the very bytes of a passphrase that the terminal could not decode.
    secret = passphrase.encode("utf-8", "surrogateescape")
    return Scrypt(_LABEL + salt, 32, n=1 << work_factor, r=8, p=1).derive(secret)
