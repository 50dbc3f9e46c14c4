"""The log's two keys: every checkpoint carries an Ed25519 note signature and an ML-DSA-44 cosignature.

Formats: c2sp.org/signed-note, c2sp.org/tlog-checkpoint, c2sp.org/tlog-cosignature. What each key signs is
written once, in `provenance.checkpoint`.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from keyvault.signing.hybrid import SEED_BYTES, Seed, SigningKeyError
from provenance.checkpoint import assemble, message_to_sign, parse_checkpoint_text, signature_line
from provenance.note import ED25519_NOTE, MLDSA44_COSIGNATURE, VerifierKey


class LogSigner:
    """Signs checkpoints of one log, under its origin.

    It signs what it is given: that a log never shrinks is for whoever calls it (`keyvault.vault.ratchet`).
    """

    def __init__(self, origin: str, ed25519_key: Ed25519PrivateKey, mldsa44_key: MLDSA44PrivateKey) -> None:
        self._origin = origin
        self._ed25519_key = ed25519_key
        self._mldsa44_key = mldsa44_key
        self._verifier_keys = (
            VerifierKey(origin, ED25519_NOTE, ed25519_key.public_key().public_bytes_raw()),
            VerifierKey(origin, MLDSA44_COSIGNATURE, mldsa44_key.public_key().public_bytes_raw()),
        )

    @classmethod
    def generate(cls, origin: str) -> LogSigner:
        """Makes two fresh keys that exist nowhere else.

        Raises:
            FormatError: the origin is no name for a log.
        """
        return cls(origin, Ed25519PrivateKey.generate(), MLDSA44PrivateKey.generate())

    @classmethod
    def from_seeds(cls, origin: str, ed25519_seed: Seed, mldsa44_seed: Seed) -> LogSigner:
        """Expands two 32-byte seeds. The caller wipes them.

        Raises:
            SigningKeyError: a seed is not 32 bytes.
            FormatError: the origin is no name for a log.
        """
        if len(ed25519_seed) != SEED_BYTES or len(mldsa44_seed) != SEED_BYTES:
            raise SigningKeyError("a signing seed is 32 bytes")
        return cls(
            origin,
            Ed25519PrivateKey.from_private_bytes(ed25519_seed),
            MLDSA44PrivateKey.from_seed_bytes(mldsa44_seed),
        )

    @property
    def origin(self) -> str:
        """The log's origin line, and the name of both keys."""
        return self._origin

    @property
    def verifier_keys(self) -> tuple[VerifierKey, VerifierKey]:
        """Both public keys, Ed25519 first."""
        return self._verifier_keys

    @property
    def vkeys(self) -> tuple[str, str]:
        """Both public keys as text, Ed25519 first."""
        ed25519, mldsa44 = self._verifier_keys
        return ed25519.to_text(), mldsa44.to_text()

    def sign_checkpoint(self, text: bytes, now: int) -> bytes:
        """Gives the signed note of a checkpoint.

        Args:
            text: origin, size and root, three lines.
            now: POSIX seconds; part of the cosignature.

        Raises:
            FormatError: not a checkpoint of exactly that form, or a time out of range.
        """
        checkpoint = parse_checkpoint_text(text)
        ed25519, mldsa44 = self._verifier_keys
        return assemble(
            checkpoint,
            [
                signature_line(
                    ed25519, self._ed25519_key.sign(message_to_sign(ed25519, checkpoint, now)), now
                ),
                signature_line(
                    mldsa44, self._mldsa44_key.sign(message_to_sign(mldsa44, checkpoint, now)), now
                ),
            ],
        )

    def __repr__(self) -> str:
        return f"LogSigner({self._origin})"
