"""Decisions and whose they are: Ed25519 (RFC 8032) by the one-use review key.

Whoever got hold of a package can read its sheet, and can decide nothing: the public half of the review key
came with the first upload and stands in the record, and the private half never left the submitter.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from enclave.errors import ReviewError
from enclave.review.decisions import CODE, Decisions, decisions_from_object
from enclave.review.objects import Reading
from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError

SIGNATURE_INVALID = "review_signature_invalid"
SIGNATURE_BYTES = 64
# As the instructions cap them (enclave/policy/review.py).
MAX_SIGNED_BYTES = 48 << 10


@dataclass(frozen=True)
class SignedDecisions:
    """Decisions, and a signature that only `verify` believes.

    Attributes:
        decisions: what is decided.
        signature: 64 bytes.
    """

    decisions: Decisions
    signature: bytes

    @classmethod
    def sign(cls, decisions: Decisions, key: Ed25519PrivateKey) -> SignedDecisions:
        """Signs with the private half of the review key."""
        return cls(decisions, key.sign(decisions.signed_bytes()))

    def verify(self, public_key: bytes) -> Decisions:
        """Gives the decisions, once they are known to be by the holder of the review key.

        Args:
            public_key: 32 bytes.

        Raises:
            ReviewError: `review_signature_invalid`.
        """
        try:
            key = Ed25519PublicKey.from_public_bytes(public_key)
            key.verify(self.signature, self.decisions.signed_bytes())
        except (InvalidSignature, ValueError):
            raise ReviewError(
                "the decisions are not signed by whoever asked for the review", SIGNATURE_INVALID
            ) from None
        return self.decisions

    def to_bytes(self) -> bytes:
        """Gives canonical JSON: {"decisions":{...},"signature":"<base64>"}."""
        return canonical.dumps(
            {"decisions": self.decisions.to_object(), "signature": base64_text(self.signature)}
        )


def parse_signed_decisions(untrusted: bytes) -> SignedDecisions:
    """Reads what `SignedDecisions.to_bytes` wrote; the signature is still to be checked.

    Raises:
        ReviewError: `decisions_invalid`.
    """
    try:
        untrusted_object = canonical.loads(untrusted, MAX_SIGNED_BYTES)
        reading = Reading(untrusted_object, ("decisions", "signature"), CODE)
        signature = base64_bytes(reading.raw("signature"))
    except FormatError:
        raise ReviewError("the signed decisions are not canonical JSON", CODE) from None
    if len(signature) != SIGNATURE_BYTES:
        raise reading.error(f"signature must be {SIGNATURE_BYTES} bytes")
    return SignedDecisions(decisions_from_object(reading.raw("decisions")), signature)
