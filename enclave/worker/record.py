"""The record of a review, sealed: whoever carries it can neither read nor change it, nor use it elsewhere.

    bauta.sealed-record/v1\\n
    12 bytes nonce, then ChaCha20-Poly1305 (RFC 8439) of the record

The key is derived by the vault for this one review (keyvault/derived.py), for workers alone. Associated data:
the first line and canonical JSON of what the record is about. What is seen depends on the original, on the
policy and the mode that say how it is looked at, and on the worker with its models, which the measurement
covers: with another of any of them the record does not open.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from enclave.errors import WorkerError
from provenance import canonical

MAGIC = b"bauta.sealed-record/v1\n"
_NONCE_BYTES = 12


@dataclass(frozen=True)
class About:
    """What a record is about.

    Attributes:
        original_sha256: of the original, 32 bytes; it never leaves the wall.
        policy_sha256: 32 bytes.
        mode: of the job.
        measurement: of the worker, its models and the code that replays, 32 bytes.
        review_key: public; who may decide, 32 bytes.
    """

    original_sha256: bytes = field(repr=False)
    policy_sha256: bytes
    mode: str
    measurement: bytes
    review_key: bytes

    @property
    def associated(self) -> bytes:
        """The associated data."""
        return MAGIC + canonical.dumps(
            {
                "measurement": self.measurement.hex(),
                "mode": self.mode,
                "original": self.original_sha256.hex(),
                "policy": self.policy_sha256.hex(),
                "review_key": self.review_key.hex(),
            }
        )


def seal_record(record: bytes, key: bytes, about: About) -> bytes:
    """Seals a record.

    Args:
        record: plain.
        key: 32 bytes.
        about: what it is about.
    """
    nonce = os.urandom(_NONCE_BYTES)
    return MAGIC + nonce + ChaCha20Poly1305(key).encrypt(nonce, record, about.associated)


def open_record(untrusted_record: bytes, key: bytes, about: About) -> bytes:
    """Opens a record.

    Raises:
        WorkerError: `record_refused`, it was changed, or it is about something else.
    """
    start = len(MAGIC) + _NONCE_BYTES
    if not untrusted_record.startswith(MAGIC) or len(untrusted_record) < start:
        raise WorkerError("the record is not one", "record_refused")
    try:
        return ChaCha20Poly1305(key).decrypt(
            untrusted_record[len(MAGIC) : start], untrusted_record[start:], about.associated
        )
    except InvalidTag:
        raise WorkerError(
            "the record was changed, or is of another original, policy or worker", "record_refused"
        ) from None
