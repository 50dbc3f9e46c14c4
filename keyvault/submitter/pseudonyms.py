"""One secret, one public key for each scope, and nothing that ties two of them together.

    x     = HKDF-SHA512(secret, no salt, "bauta.submitter.person/v1", 64 bytes) mod L
    r     = HKDF-SHA512(secret, no salt, "bauta.submitter.scope/v1" 0 scope, 64 bytes) mod L
    key   = x B + r H

A key is Pedersen's commitment to the person's scalar x, the same in every scope, under a blinding r of the
scope's own. It hides x whatever a reader can compute: two keys stay unlinkable as long as HKDF's outputs
look random, also for whoever can take discrete logarithms one day. That two keys hold one x is provable, by
who knows their blindings alone (`proofs`). Why so: docs/adr/0026-one-person-many-keys.md.
"""

from __future__ import annotations

import os
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.submitter import group
from keyvault.submitter.errors import SubmitterError

SECRET_BYTES: Final = 32
MAX_SCOPE_BYTES: Final = 255

_PERSON_LABEL = b"bauta.submitter.person/v1"
_SCOPE_LABEL = b"bauta.submitter.scope/v1"
_NONCE_LABEL = b"bauta.submitter.nonce/v1"


@dataclass(frozen=True)
class Pseudonym:
    """What one scope knows a source by. Public within the scope; its repr shows nothing all the same.

    Attributes:
        scope: one line of printable text in Unicode's form NFC, 1 to 255 bytes of UTF-8.
        key: a point, 32 bytes.

    Raises:
        SubmitterError: scope_invalid or point_invalid.
    """

    scope: str = field(repr=False)
    key: bytes = field(repr=False)

    def __post_init__(self) -> None:
        scope_bytes(self.scope)
        group.parse_point(self.key)


@dataclass(frozen=True)
class SubmitterSecret:
    """What a source keeps, and nobody else ever holds. All its keys come out of it again.

    Attributes:
        secret: 32 bytes, drawn evenly.

    Raises:
        SubmitterError: scalar_invalid, it has another length.
    """

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_BYTES:
            raise SubmitterError("scalar_invalid", f"a source's secret has {SECRET_BYTES} bytes")

    @classmethod
    def generate(cls) -> SubmitterSecret:
        """Draws a fresh one."""
        return cls(os.urandom(SECRET_BYTES))

    def pseudonym(self, scope: str) -> Pseudonym:
        """The source's key in one scope.

        Raises:
            SubmitterError: scope_invalid.
        """
        return Pseudonym(scope, group.commit(self.person(), self.blinding(scope)))

    def person(self) -> bytes:
        """The scalar x. Secret."""
        return group.reduce(self._derive(_PERSON_LABEL, group.WIDE_BYTES))

    def blinding(self, scope: str) -> bytes:
        """The scalar r of one scope. Secret.

        Raises:
            SubmitterError: scope_invalid.
        """
        return group.reduce(self._derive(_SCOPE_LABEL + b"\0" + scope_bytes(scope), group.WIDE_BYTES))

    def nonce_key(self) -> bytes:
        """The key, 32 bytes, that a proof's nonces are drawn with besides fresh randomness. Secret."""
        return self._derive(_NONCE_LABEL, SECRET_BYTES)

    def _derive(self, info: bytes, length: int) -> bytes:
        return HKDF(SHA512(), length, salt=None, info=info).derive(self.secret)


def scope_bytes(scope: str) -> bytes:
    """A scope's one encoding.

    Raises:
        SubmitterError: scope_invalid.
    """
    if not 0 < len(scope) <= MAX_SCOPE_BYTES or not scope.isprintable():
        raise SubmitterError("scope_invalid", "a scope is one line of printable text, 1 to 255 bytes")
    encoded = scope.encode()
    if len(encoded) > MAX_SCOPE_BYTES or unicodedata.normalize("NFC", scope) != scope:
        raise SubmitterError("scope_invalid", "a scope is at most 255 bytes of UTF-8 in the form NFC")
    return encoded
