"""The AWS Nitro attestation document: a COSE_Sign1 structure (RFC 9052) around a CBOR map, read strictly.

Source: AWS, "Verifying the Root of Trust" (aws-nitro-enclaves-nsm-api, docs/attestation_process.md), sections
3.1 and 3.2. One encoding counts: what is decoded and encoded again must give the same bytes.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import cbor2

from enclave.attest.errors import EvidenceError

MAX_DOCUMENT_BYTES = 16 << 10
PCR_BYTES = 48
MAX_USER_DATA_BYTES = 512

_COSE_SIGN1_TAG = b"\xd2"
# The protected header {1: -35}: signed with ES384, and nothing else.
_ES384_HEADER = b"\xa1\x01\x38\x22"
_SIGNATURE_BYTES = 96
_MAX_DEPTH = 4
_MAX_PCRS = 32
_MAX_CERTIFICATE_BYTES = 1024
_MAX_BUNDLE = 8
_NEEDED = {"module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle"}
_OPTIONAL = {"public_key": 1024, "user_data": MAX_USER_DATA_BYTES, "nonce": 512}
# Milliseconds; year 9999 and beyond is no time.
_MAX_TIMESTAMP = 253_402_300_799_000


@dataclass(frozen=True)
class NitroDocument:
    """One document; well formed, not yet believed.

    Attributes:
        module_id: of the enclave.
        made_at: the hypervisor's clock when it signed.
        pcrs: 48 bytes each by index.
        certificate: DER, of the key that signed.
        bundle: DER, the root first, the issuer of `certificate` last.
        public_key: chosen by the enclave; empty when there is none.
        user_data: likewise, at most 512 bytes.
        nonce: likewise.
        signed: the bytes that the signature is over.
        signature: r and s as numbers.
    """

    module_id: str
    made_at: datetime
    pcrs: dict[int, bytes]
    certificate: bytes
    bundle: tuple[bytes, ...]
    public_key: bytes
    user_data: bytes
    nonce: bytes
    signed: bytes
    signature: tuple[int, int]

    @property
    def debug(self) -> bool:
        """Whether the enclave runs in debug mode, in which the hypervisor leaves the first registers zero."""
        return not any(self.pcrs[0])


def parse_nitro_document(untrusted: bytes) -> NitroDocument:
    """Parses a document, as bytes or as the base64 text that people keep it in.

    Raises:
        EvidenceError: `evidence_malformed`, `evidence_unsupported` or `evidence_too_large`.
    """
    raw = _from_base64(untrusted).removeprefix(_COSE_SIGN1_TAG)
    if len(raw) > MAX_DOCUMENT_BYTES:
        raise EvidenceError("a Nitro document is not that long", "evidence_too_large")
    parts = _decode(raw)
    if not isinstance(parts, list) or len(parts) != 4:
        raise EvidenceError("the Nitro document is not a COSE_Sign1 structure")
    protected, unprotected, payload, signature = parts
    if protected != _ES384_HEADER or not isinstance(unprotected, dict) or unprotected:
        raise EvidenceError("the Nitro document is not signed with ES384 alone", "evidence_unsupported")
    if (
        not isinstance(payload, bytes)
        or not isinstance(signature, bytes)
        or len(signature) != _SIGNATURE_BYTES
    ):
        raise EvidenceError("the Nitro document is not a COSE_Sign1 structure")
    fields = _fields(_decode(payload))
    return NitroDocument(
        module_id=fields["module_id"],
        made_at=datetime.fromtimestamp(fields["timestamp"] / 1000, UTC),
        pcrs=fields["pcrs"],
        certificate=fields["certificate"],
        bundle=tuple(fields["cabundle"]),
        public_key=fields.get("public_key") or b"",
        user_data=fields.get("user_data") or b"",
        nonce=fields.get("nonce") or b"",
        signed=cbor2.dumps(["Signature1", protected, b"", payload]),
        signature=(int.from_bytes(signature[:48], "big"), int.from_bytes(signature[48:], "big")),
    )


def _from_base64(untrusted: bytes) -> bytes:
    # A document starts with an array of four or with COSE's tag, neither of which is an ASCII letter.
    if untrusted[:1] in {b"\x84", _COSE_SIGN1_TAG}:
        return untrusted
    if len(untrusted) > 2 * MAX_DOCUMENT_BYTES:
        raise EvidenceError("a Nitro document is not that long", "evidence_too_large")
    try:
        return base64.b64decode(b"".join(untrusted.split()), validate=True)
    except binascii.Error:
        raise EvidenceError("the Nitro document is neither CBOR nor base64") from None


def _decode(raw: bytes) -> Any:
    try:
        value = cbor2.loads(raw, max_depth=_MAX_DEPTH, allow_indefinite=False, allow_duplicate_keys=False)
        again = cbor2.dumps(value)
    except (cbor2.CBORError, ValueError, TypeError, OverflowError, RecursionError):
        raise EvidenceError("the Nitro document is not CBOR of the accepted kind") from None
    if again != raw:
        raise EvidenceError("the Nitro document's CBOR is not in its shortest form")
    return value


def _fields(untrusted: Any) -> dict[str, Any]:
    if (
        not isinstance(untrusted, dict)
        or not untrusted.keys() >= _NEEDED
        or not untrusted.keys() <= _NEEDED | _OPTIONAL.keys()
    ):
        raise EvidenceError("the Nitro document does not have its fields")
    timestamp, module_id = untrusted["timestamp"], untrusted["module_id"]
    if untrusted["digest"] != "SHA384":
        raise EvidenceError("the Nitro document does not use SHA-384", "evidence_unsupported")
    sound = (
        isinstance(module_id, str)
        and 1 <= len(module_id) <= 256
        and _is_number(timestamp)
        and 0 < timestamp <= _MAX_TIMESTAMP
        and _are_pcrs(untrusted["pcrs"])
        and _is_bytes(untrusted["certificate"], _MAX_CERTIFICATE_BYTES)
        and isinstance(untrusted["cabundle"], list)
        and 1 <= len(untrusted["cabundle"]) <= _MAX_BUNDLE
        and all(_is_bytes(item, _MAX_CERTIFICATE_BYTES) for item in untrusted["cabundle"])
        and all(
            untrusted.get(name) is None or _is_bytes(untrusted[name], most, least=0)
            for name, most in _OPTIONAL.items()
        )
    )
    if not sound:
        raise EvidenceError("a field of the Nitro document does not have its form")
    return untrusted


def _are_pcrs(untrusted: Any) -> bool:
    return (
        isinstance(untrusted, dict)
        and 0 in untrusted
        and len(untrusted) <= _MAX_PCRS
        and all(_is_number(index) and 0 <= index < _MAX_PCRS for index in untrusted)
        and all(isinstance(value, bytes) and len(value) == PCR_BYTES for value in untrusted.values())
    )


def _is_number(untrusted: Any) -> bool:
    return isinstance(untrusted, int) and not isinstance(untrusted, bool)


def _is_bytes(untrusted: Any, most: int, least: int = 1) -> bool:
    return isinstance(untrusted, bytes) and least <= len(untrusted) <= most
