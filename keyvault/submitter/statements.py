"""What a proof says, and on which occasion: the bytes that its challenge hashes.

A statement: "one person, known to me, stands behind all of these pseudonyms". With one pseudonym that is a
proof of ownership; with two or more it is a link. An occasion is what makes a proof worthless anywhere
else.

    transcript = "bauta.submitter.proof/v1" 0  H            (25 and 32 bytes)
                 occasion                                   (see `Occasion.to_bytes`)
                 u8 count, each: u8 length, scope, key      (in the order of the scopes' bytes)
                 A_1 .. A_count                             (32 bytes each, the prover's commitments)
    challenge  = SHA-512(transcript) mod L

Numbers are unsigned and big-endian. Every part has a length of its own, so no two statements give one
transcript.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from keyvault.submitter import group
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.pseudonyms import Pseudonym, scope_bytes

NONCE_BYTES: Final = 32
DIGEST_BYTES: Final = 32
MAX_PSEUDONYMS: Final = 16

_PROOF_LABEL = b"bauta.submitter.proof/v1\0"
_OCCASION_LABEL = b"bauta.submitter.occasion/v1\0"


@dataclass(frozen=True)
class Occasion:
    """Who asks for a proof, once, about what.

    Attributes:
        verifier: the portal's name; of a scope's shape.
        nonce: 32 bytes that the verifier drew for this proof alone.
        message_sha256: digest of what is handed in with the proof, 32 bytes: a sealed upload, a message.

    Raises:
        SubmitterError: occasion_invalid or scope_invalid.
    """

    verifier: str
    nonce: bytes = field(repr=False)
    message_sha256: bytes = field(repr=False)

    def __post_init__(self) -> None:
        scope_bytes(self.verifier)
        if len(self.nonce) != NONCE_BYTES or len(self.message_sha256) != DIGEST_BYTES:
            raise SubmitterError("occasion_invalid", "an occasion's nonce and digest have 32 bytes each")

    @classmethod
    def draw(cls, verifier: str, message_sha256: bytes) -> Occasion:
        """A fresh one, as a verifier makes it.

        Raises:
            SubmitterError: occasion_invalid or scope_invalid.
        """
        return cls(verifier, os.urandom(NONCE_BYTES), message_sha256)

    def to_bytes(self) -> bytes:
        """Label, u8 length, verifier, nonce, digest."""
        name = scope_bytes(self.verifier)
        return b"".join((_OCCASION_LABEL, bytes([len(name)]), name, self.nonce, self.message_sha256))

    @property
    def use(self) -> bytes:
        """What the record of used proofs knows it by: a digest of verifier and nonce, 32 bytes.

        Not of the message: a nonce that was answered once is answered.
        """
        name = scope_bytes(self.verifier)
        return hashlib.sha256(_OCCASION_LABEL + bytes([len(name)]) + name + self.nonce).digest()


@dataclass(frozen=True)
class Statement:
    """One person behind one or more pseudonyms, on one occasion.

    Attributes:
        pseudonyms: 1 to 16, in the order of their scopes' bytes, no scope twice.
        occasion: where it is said.

    Raises:
        SubmitterError: statement_invalid.
    """

    pseudonyms: tuple[Pseudonym, ...] = field(repr=False)
    occasion: Occasion

    def __post_init__(self) -> None:
        if not 0 < len(self.pseudonyms) <= MAX_PSEUDONYMS:
            raise SubmitterError("statement_invalid", f"a proof is about 1 to {MAX_PSEUDONYMS} pseudonyms")
        scopes = [scope_bytes(pseudonym.scope) for pseudonym in self.pseudonyms]
        if any(before >= after for before, after in itertools.pairwise(scopes)):
            raise SubmitterError("statement_invalid", "a proof's scopes stand in order, none twice")

    @classmethod
    def about(cls, pseudonyms: Sequence[Pseudonym], occasion: Occasion) -> Statement:
        """Puts them in order.

        Raises:
            SubmitterError: statement_invalid, none, too many, or one scope twice.
        """
        return cls(tuple(sorted(pseudonyms, key=lambda one: scope_bytes(one.scope))), occasion)

    def to_bytes(self) -> bytes:
        """The transcript up to the commitments."""
        parts = [_PROOF_LABEL, group.second_base(), self.occasion.to_bytes(), bytes([len(self.pseudonyms)])]
        for pseudonym in self.pseudonyms:
            scope = scope_bytes(pseudonym.scope)
            parts += [bytes([len(scope)]), scope, pseudonym.key]
        return b"".join(parts)


def fiat_shamir(statement: Statement, commitments: Sequence[bytes]) -> bytes:
    """The challenge, a scalar (Fiat and Shamir 1986, over the whole statement)."""
    return group.reduce(hashlib.sha512(statement.to_bytes() + b"".join(commitments)).digest())
