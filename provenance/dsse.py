"""DSSE envelopes with two signatures (github.com/secure-systems-lab/dsse, v1).

A signature covers the pre-authentication encoding (PAE) of the payload and its type, so that no reader
has to parse anything before it has checked the signature. Any DSSE tool can check the Ed25519 half.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError
from provenance.keys import ED25519, MLDSA65, HybridPublicKey, Signature, Signer

__all__ = ["PAYLOAD_TYPE", "Envelope", "Signature", "Signer", "pae", "sign_envelope"]

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_PAYLOAD_BYTES = 64 << 10
MAX_ENVELOPE_BYTES = 128 << 10


def pae(payload_type: str, payload: bytes) -> bytes:
    """Gives the bytes that are signed: lengths first, so that no two pairs share an encoding."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


@dataclass(frozen=True)
class Envelope:
    """A payload and its two signatures; well formed, not yet verified.

    Attributes:
        payload: an in-toto Statement, at most 64 KiB.
        signatures: Ed25519, then ML-DSA-65.
        payload_type: always `PAYLOAD_TYPE`.

    Raises:
        FormatError: another type, another set of signatures, or a payload that is too large.
    """

    payload: bytes
    signatures: tuple[Signature, ...]
    payload_type: str = PAYLOAD_TYPE

    def __post_init__(self) -> None:
        if self.payload_type != PAYLOAD_TYPE:
            raise FormatError("the envelope does not hold an in-toto statement")
        if len(self.payload) > MAX_PAYLOAD_BYTES:
            raise FormatError("the envelope's payload is too large", "too_large")
        if tuple(item.algorithm for item in self.signatures) != (ED25519, MLDSA65):
            raise FormatError("the envelope does not carry one Ed25519 and one ML-DSA-65 signature")

    def to_object(self) -> dict[str, Any]:
        """Gives the JSON object."""
        return {
            "payload": base64_text(self.payload),
            "payloadType": self.payload_type,
            "signatures": [
                {"keyid": item.key_id, "sig": base64_text(item.signature)} for item in self.signatures
            ],
        }

    def to_bytes(self) -> bytes:
        """Gives the canonical JSON."""
        return canonical.dumps(self.to_object())

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON, 32 bytes: what the log records."""
        return hashlib.sha256(self.to_bytes()).digest()

    @classmethod
    def from_bytes(cls, data: bytes) -> Envelope:
        """Reads what `to_bytes` wrote.

        Raises:
            FormatError: anything else.
        """
        return cls.from_object(canonical.loads(data, MAX_ENVELOPE_BYTES))

    @classmethod
    def from_object(cls, untrusted: Any) -> Envelope:
        """Reads what `to_object` gave, out of a larger file.

        Raises:
            FormatError: anything else.
        """
        if not isinstance(untrusted, dict) or untrusted.keys() != {"payload", "payloadType", "signatures"}:
            raise FormatError("the envelope does not have the three DSSE fields")
        untrusted_signatures = untrusted["signatures"]
        if not isinstance(untrusted_signatures, list):
            raise FormatError("the envelope's signatures are not a list")
        return cls(
            payload=base64_bytes(untrusted["payload"]),
            signatures=tuple(_signature(item) for item in untrusted_signatures),
            payload_type=untrusted["payloadType"],
        )

    def verify(self, key: HybridPublicKey) -> bytes:
        """Gives the payload, once both signatures by this key hold.

        Raises:
            SignatureError: they do not.
        """
        key.verify(pae(self.payload_type, self.payload), self.signatures)
        return self.payload


def sign_envelope(payload: bytes, signer: Signer) -> Envelope:
    """Wraps a payload.

    Raises:
        FormatError: the signer did not give one signature of each kind.
    """
    return Envelope(payload=payload, signatures=signer.sign(pae(PAYLOAD_TYPE, payload)))


def _signature(untrusted: Any) -> Signature:
    if not isinstance(untrusted, dict) or untrusted.keys() != {"keyid", "sig"}:
        raise FormatError("a signature does not have the two DSSE fields")
    untrusted_id = untrusted["keyid"]
    if not isinstance(untrusted_id, str):
        raise FormatError("a key id is not a string")
    return Signature(key_id=untrusted_id, signature=base64_bytes(untrusted["sig"]))
