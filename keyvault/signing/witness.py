"""A witness's two keys: it cosigns other people's checkpoints with Ed25519 and with ML-DSA-44.

Format: c2sp.org/tlog-cosignature. What each key signs is written once, in `provenance.checkpoint`.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from keyvault.signing.hybrid import SEED_BYTES, Seed, SigningKeyError
from provenance.checkpoint import CheckpointText, message_to_sign, signature_line
from provenance.note import ED25519_COSIGNATURE, MLDSA44_COSIGNATURE, SignatureLine, VerifierKey


class WitnessSigner:
    """Cosigns under one name.

    It signs what it is given: that no log gets two histories signed is for whoever calls it
    (`provenance.witness.memory`).

    Args:
        name: of the witness, a schema-less URL by custom.
        ed25519_seed: 32 bytes.
        mldsa44_seed: 32 bytes.

    Raises:
        SigningKeyError: a seed is not 32 bytes.
        FormatError: the name is none for a key.
    """

    def __init__(self, name: str, ed25519_seed: Seed, mldsa44_seed: Seed) -> None:
        if len(ed25519_seed) != SEED_BYTES or len(mldsa44_seed) != SEED_BYTES:
            raise SigningKeyError("a signing seed is 32 bytes")
        self._ed25519_key = Ed25519PrivateKey.from_private_bytes(ed25519_seed)
        self._mldsa44_key = MLDSA44PrivateKey.from_seed_bytes(mldsa44_seed)
        self._verifier_keys = (
            VerifierKey(name, ED25519_COSIGNATURE, self._ed25519_key.public_key().public_bytes_raw()),
            VerifierKey(name, MLDSA44_COSIGNATURE, self._mldsa44_key.public_key().public_bytes_raw()),
        )

    @property
    def verifier_keys(self) -> tuple[VerifierKey, VerifierKey]:
        """Both public keys, Ed25519 first."""
        return self._verifier_keys

    def cosign(self, text: CheckpointText, now: int) -> tuple[SignatureLine, SignatureLine]:
        """Gives a line by each key.

        Args:
            text: the tree head.
            now: POSIX seconds, above zero.

        Raises:
            FormatError: a time out of range.
        """
        ed25519, mldsa44 = self._verifier_keys
        return (
            signature_line(ed25519, self._ed25519_key.sign(message_to_sign(ed25519, text, now)), now),
            signature_line(mldsa44, self._mldsa44_key.sign(message_to_sign(mldsa44, text, now)), now),
        )

    def __repr__(self) -> str:
        return f"WitnessSigner({self._verifier_keys[0].name})"
