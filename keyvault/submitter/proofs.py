"""Zero-knowledge proof that one person stands behind pseudonyms (Schnorr 1991; Okamoto 1992 for two bases).

For keys C_j = x B + r_j H, j = 1 .. n, the prover knows x and every r_j:

    A_j = k B + k_j H            nonces k and k_j
    c   = challenge(statement, A_1 .. A_n)
    s   = k + c x,  s_j = k_j + c r_j
    proof = A_1 .. A_n  s  s_1 .. s_n        32 (2 n + 1) bytes: 96 for one key, 160 for a link of two

and the verifier checks s B + s_j H = A_j + c C_j for every j. That s is the same in all equations is what
links. Two answers to one A give x and every r_j away, which is why it proves anything, and why no nonce may
ever serve twice: nonces come from the secret, the statement and fresh randomness together, so that a broken
random source repeats a nonce only where it repeats the whole proof.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keyvault.submitter import group
from keyvault.submitter.errors import SubmitterError
from keyvault.submitter.pseudonyms import SubmitterSecret
from keyvault.submitter.statements import MAX_PSEUDONYMS, Statement, fiat_shamir

MAX_PROOF_BYTES: Final = 32 * (2 * MAX_PSEUDONYMS + 1)
FRESH_BYTES: Final = 32

_NONCE_LABEL = b"bauta.submitter.nonces/v1\0"

Oracle = Callable[[Statement, Sequence[bytes]], bytes]
"""What turns a statement and the commitments to it into a challenge."""


@dataclass(frozen=True)
class Proof:
    """A proof, read but not verified.

    Attributes:
        commitments: A_1 .. A_n, points.
        person: s, a scalar.
        blindings: s_1 .. s_n, scalars.
    """

    commitments: tuple[bytes, ...] = field(repr=False)
    person: bytes = field(repr=False)
    blindings: tuple[bytes, ...] = field(repr=False)

    def to_bytes(self) -> bytes:
        """Its only encoding."""
        return b"".join((*self.commitments, self.person, *self.blindings))

    @classmethod
    def from_bytes(cls, untrusted: bytes) -> Proof:
        """Reads one.

        Raises:
            SubmitterError: proof_invalid, another length; point_invalid or scalar_invalid.
        """
        pieces, rest = divmod(len(untrusted), group.POINT_BYTES)
        if rest or pieces % 2 == 0 or not 3 <= pieces <= 2 * MAX_PSEUDONYMS + 1:
            raise SubmitterError("proof_invalid", "a proof of the submitter has another length")
        cut = [untrusted[32 * place : 32 * (place + 1)] for place in range(pieces)]
        count = pieces // 2
        scalars = tuple(group.parse_scalar(piece) for piece in cut[count:])
        return cls(tuple(group.parse_point(piece) for piece in cut[:count]), scalars[0], scalars[1:])


def prove(secret: SubmitterSecret, statement: Statement, *, fresh: bytes | None = None) -> Proof:
    """Proves that the secret's owner stands behind every pseudonym of the statement.

    Args:
        secret: the source's.
        statement: about the secret's own pseudonyms.
        fresh: 32 random bytes; drawn if left out, which is right everywhere but in known-answer tests.

    Raises:
        SubmitterError: statement_invalid, a pseudonym is not the secret's own.
    """
    if any(secret.pseudonym(one.scope) != one for one in statement.pseudonyms):
        raise SubmitterError("statement_invalid", "a source can only prove what is its own")
    person, *blindings = _nonces(secret, statement, os.urandom(FRESH_BYTES) if fresh is None else fresh)
    commitments = tuple(group.commit(person, blinding) for blinding in blindings)
    challenge = fiat_shamir(statement, commitments)
    return Proof(
        commitments,
        group.respond(person, challenge, secret.person()),
        tuple(
            group.respond(blinding, challenge, secret.blinding(one.scope))
            for blinding, one in zip(blindings, statement.pseudonyms, strict=True)
        ),
    )


def verify(untrusted: bytes, statement: Statement) -> None:
    """Checks a proof of exactly this statement. Whether it was shown before is for `spent` to say.

    Args:
        untrusted: a proof.
        statement: made by the verifier itself, of its own occasion and of keys that it knows.

    Raises:
        SubmitterError: proof_invalid, point_invalid, scalar_invalid; proof_false, it proves something else.
    """
    check(Proof.from_bytes(untrusted), statement, fiat_shamir)


def check(proof: Proof, statement: Statement, oracle: Oracle) -> None:
    """The verifier's equations, under any challenge: tests program it, to show that a proof can be simulated.

    Raises:
        SubmitterError: proof_invalid, point_invalid, scalar_invalid or proof_false.
    """
    if len(proof.commitments) != len(statement.pseudonyms):
        raise SubmitterError("proof_invalid", "a proof is about another number of pseudonyms")
    challenge = oracle(statement, proof.commitments)
    for commitment, blinding, one in zip(
        proof.commitments, proof.blindings, statement.pseudonyms, strict=True
    ):
        claimed = group.add_multiple(commitment, challenge, one.key)
        if group.commit(proof.person, blinding) != claimed:
            raise SubmitterError("proof_false", "the proof of the submitter does not hold for this occasion")


def _nonces(secret: SubmitterSecret, statement: Statement, fresh: bytes) -> list[bytes]:
    """One for the person, and one for each pseudonym: HKDF-SHA512 of the nonce key and fresh randomness."""
    if len(fresh) != FRESH_BYTES:
        raise SubmitterError("proof_invalid", f"fresh randomness has {FRESH_BYTES} bytes")
    return [
        group.reduce(
            HKDF(
                SHA512(),
                group.WIDE_BYTES,
                salt=fresh,
                info=_NONCE_LABEL + bytes([place]) + statement.to_bytes(),
            ).derive(secret.nonce_key())
        )
        for place in range(len(statement.pseudonyms) + 1)
    ]
