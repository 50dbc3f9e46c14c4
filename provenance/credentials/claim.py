"""The claim, which lists the assertions; its signature; and the manifest store that holds all of them.

The vault and a job's child each make the claim from the same few facts. The vault signs the one that it has
made itself, so a child cannot have anything else signed.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import cbor2

from provenance.credentials.assertions import HASH_ALGORITHM, SHA256_BYTES, Assertion, evidence
from provenance.credentials.jumbf import (
    ASSERTIONS,
    CLAIM,
    MANIFEST,
    SIGNATURE,
    STORE,
    cbor_superbox,
    superbox,
)
from provenance.credentials.labels import ACTIONS_LABEL, BINDING_LABELS
from provenance.errors import FormatError

SIGNATURE_BYTES: Final = 64
"""ES256: r and s, 32 bytes each (RFC 9053, 2.1)."""

_CLAIM_LABEL: Final = "c2pa.claim.v2"
_SIGNATURE_LABEL: Final = "c2pa.signature"
_GENERATOR: Final = "Bauta"

# RFC 9052 and RFC 9360.
_COSE_SIGN1_TAG: Final = 18
_ALGORITHM: Final = 1
_ES256: Final = -7
_X5CHAIN: Final = 33


@dataclass(frozen=True)
class Claim:
    """What one manifest's signature is about.

    Attributes:
        evidence_sha256: of the envelope of the job's release statement, 32 bytes.
        log_origin: the log that has it.
        actions_sha256: of the assertion of what was done, 32 bytes.
        binding_label: "c2pa.hash.data" or "c2pa.hash.bmff.v3".
        binding_sha256: of the assertion that binds it to the file's bytes, 32 bytes.

    Raises:
        FormatError: a digest has another length, or the binding another label.
    """

    evidence_sha256: bytes
    log_origin: str
    actions_sha256: bytes
    binding_label: str
    binding_sha256: bytes

    def __post_init__(self) -> None:
        digests = (self.evidence_sha256, self.actions_sha256, self.binding_sha256)
        if any(len(digest) != SHA256_BYTES for digest in digests):
            raise FormatError("a claim's digest is not 32 bytes")
        if self.binding_label not in BINDING_LABELS:
            raise FormatError("a claim binds to a file in a way that is not known here")

    @property
    def evidence(self) -> Assertion:
        """The assertion that names the job's evidence."""
        return evidence(self.evidence_sha256, self.log_origin)

    @property
    def label(self) -> str:
        """What the manifest is called: a UUID made of the evidence's digest, so that it says nothing new."""
        return f"urn:c2pa:{self._uuid}"

    @property
    def content(self) -> bytes:
        """The claim's CBOR (C2PA 2.2, 10.2)."""
        assertions = (
            (ACTIONS_LABEL, self.actions_sha256),
            (self.evidence.label, self.evidence.sha256),
            (self.binding_label, self.binding_sha256),
        )
        return cbor2.dumps(
            {
                "instanceID": f"xmp:iid:{self._uuid}",
                "claim_generator_info": {"name": _GENERATOR},
                "signature": f"self#jumbf=/c2pa/{self.label}/{_SIGNATURE_LABEL}",
                "created_assertions": [
                    {"url": f"self#jumbf=c2pa.assertions/{label}", "hash": sha256}
                    for label, sha256 in assertions
                ],
                "alg": HASH_ALGORITHM,
            }
        )

    @property
    def _uuid(self) -> uuid.UUID:
        # A name's hash cut to a UUID is what RFC 9562, 5.8 calls version 8; readers of C2PA want version 4.
        named = hashlib.sha256(b"bauta.credentials/v1" + self.evidence_sha256).digest()
        return uuid.UUID(bytes=named[:16], version=4)


def protected_header(chain: Sequence[bytes]) -> bytes:
    """Gives the part of the COSE header that is signed: ES256, and the certificates.

    Args:
        chain: DER, the signer's first, without the root.
    """
    return cbor2.dumps({_ALGORITHM: _ES256, _X5CHAIN: chain[0] if len(chain) == 1 else list(chain)})


def to_be_signed(claim: Claim, chain: Sequence[bytes]) -> bytes:
    """Gives what ES256 signs: COSE's Sig_structure of the detached claim (RFC 9052, 4.4)."""
    return cbor2.dumps(["Signature1", protected_header(chain), b"", claim.content])


def manifest_store(
    claim: Claim, assertions: Sequence[Assertion], chain: Sequence[bytes], signature: bytes
) -> bytes:
    """Gives the whole manifest store, ready to be carried by a file.

    Args:
        claim: what was signed.
        assertions: every one that it refers to.
        chain: as it was signed.
        signature: 64 bytes.
    """
    cose = cbor2.dumps(
        cbor2.CBORTag(_COSE_SIGN1_TAG, [protected_header(chain), {}, None, signature]),
    )
    manifest = superbox(
        MANIFEST,
        claim.label,
        superbox(ASSERTIONS, "c2pa.assertions", *(assertion.box for assertion in assertions)),
        cbor_superbox(CLAIM, _CLAIM_LABEL, claim.content),
        cbor_superbox(SIGNATURE, _SIGNATURE_LABEL, cose),
    )
    return superbox(STORE, "c2pa", manifest)
