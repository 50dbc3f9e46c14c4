"""DSSE envelopes with two signatures, or three (github.com/secure-systems-lab/dsse, v1).

A signature covers the pre-authentication encoding (PAE) of the payload and its type, so that no reader
has to parse anything before it has checked the signature. Any DSSE tool can check the Ed25519 half.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from provenance import canonical
from provenance.encoding import base64_bytes, base64_text
from provenance.errors import FormatError, SignatureError
from provenance.keys import STATEMENT_SUITE, HybridPublicKey, Signature, Signer, well_ordered

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
    """A payload and its signatures; well formed, not yet verified.

    Attributes:
        payload: an in-toto Statement, at most 64 KiB.
        signatures: Ed25519, then ML-DSA-65, then SLH-DSA-SHA2-128s if there are three.
        payload_type: always `PAYLOAD_TYPE`.

    Raises:
        FormatError: another type, a payload that is too large, or another set of signatures
            (`signature_missing`, `signature_doubled` or `signatures_out_of_order`).
    """

    payload: bytes
    signatures: tuple[Signature, ...]
    payload_type: str = PAYLOAD_TYPE

    def __post_init__(self) -> None:
        if self.payload_type != PAYLOAD_TYPE:
            raise FormatError("the envelope does not hold an in-toto statement")
        if len(self.payload) > MAX_PAYLOAD_BYTES:
            raise FormatError("the envelope's payload is too large", "too_large")
        well_ordered(self.signatures)

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

    def verify(self, key: HybridPublicKey, required: Sequence[str] = STATEMENT_SUITE) -> bytes:
        """Gives the payload, once every signature that is there or required holds by this key.

        Args:
            key: the signer's.
            required: names of algorithms that must be among the signatures.

        Raises:
            SignatureError: they do not.
        """
        key.verify(pae(self.payload_type, self.payload), self.signatures, required)
        return self.payload

    def insist_on(self, required: Sequence[str]) -> None:
        """Checks that signatures of these algorithms are there; `verify` has checked those that are.

        For a demand that stands in the payload, which is read only once its signatures hold.

        Raises:
            SignatureError: `signature_missing`.
        """
        if not set(required) <= {item.algorithm for item in self.signatures}:
            raise SignatureError("the statement demands a signature that is missing", "signature_missing")


def sign_envelope(payload: bytes, signer: Signer, algorithms: Sequence[str] = STATEMENT_SUITE) -> Envelope:
    """Wraps a payload.

    Args:
        payload: an in-toto Statement.
        signer: holds a key for each algorithm.
        algorithms: names of algorithms, in the order of `STATEMENT_SIGNATURES`.

    Raises:
        FormatError: the signer did not give one signature of each kind.
    """
    signatures = signer.sign(pae(PAYLOAD_TYPE, payload), algorithms)
    if tuple(item.algorithm for item in signatures) != tuple(algorithms):
        raise FormatError("the signer did not sign with what was asked of it", "signature_missing")
    return Envelope(payload=payload, signatures=signatures)


def _signature(untrusted: Any) -> Signature:
    if not isinstance(untrusted, dict) or untrusted.keys() != {"keyid", "sig"}:
        raise FormatError("a signature does not have the two DSSE fields")
    untrusted_id = untrusted["keyid"]
    if not isinstance(untrusted_id, str):
        raise FormatError("a key id is not a string")
    return Signature(key_id=untrusted_id, signature=base64_bytes(untrusted["sig"]))
