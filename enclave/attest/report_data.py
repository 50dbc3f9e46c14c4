"""The 64 bytes that tie evidence to one request and to one job's keys.

Hardware signs 64 bytes of the guest's choice. Ours are SHA-512 over a label, the request's nonce and the
worker's public keys, each with its length in front, so that no two different sets share an encoding:

    "bauta.evidence/v1", then for each of nonce, X-Wing, Ed25519, ML-DSA-65 and SLH-DSA key
    its length (4 bytes, big-endian) and its bytes

A key that the job does not have is zero bytes long.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from enclave.attest.errors import EvidenceError

LABEL = b"bauta.evidence/v1"
MIN_NONCE_BYTES = 16
MAX_NONCE_BYTES = 64

_KEY_BYTES = {"hpke": {1216}, "ed25519": {32}, "mldsa65": {1952}, "slhdsa128s": {0, 32}}


@dataclass(frozen=True)
class OneJobKeys:
    """The public keys of one worker for one job.

    Attributes:
        hpke: X-Wing, 1,216 bytes: what the file key is sealed to.
        ed25519: 32 bytes: what signs the statement.
        mldsa65: 1,952 bytes: what signs it too.
        slhdsa128s: 32 bytes, or none.

    Raises:
        EvidenceError: `evidence_expectation_unfit`; a key has another length.
    """

    hpke: bytes
    ed25519: bytes
    mldsa65: bytes
    slhdsa128s: bytes = b""

    def __post_init__(self) -> None:
        if any(len(getattr(self, name)) not in sizes for name, sizes in _KEY_BYTES.items()):
            raise EvidenceError("a one-job key has the wrong length", "evidence_expectation_unfit")


def report_data_for(nonce: bytes, keys: OneJobKeys) -> bytes:
    """Gives the 64 bytes for a request and a worker's keys.

    Args:
        nonce: 16 to 64 random bytes, chosen by whoever asked.
        keys: the worker's.

    Raises:
        EvidenceError: `evidence_expectation_unfit`; the nonce has another length.
    """
    if not MIN_NONCE_BYTES <= len(nonce) <= MAX_NONCE_BYTES:
        raise EvidenceError("a nonce has 16 to 64 bytes", "evidence_expectation_unfit")
    digest = hashlib.sha512(LABEL)
    for item in (nonce, keys.hpke, keys.ed25519, keys.mldsa65, keys.slhdsa128s):
        digest.update(len(item).to_bytes(4, "big") + item)
    return digest.digest()
