"""Keys that one vault always derives alike, and how one travels to a worker. Stored nowhere.

    key = HKDF-SHA256(the vault's derivation master, no salt, "bauta.derive/v1" 0 purpose 0 context)

A context is a digest of 32 bytes, so that the vault learns no name. A key travels as a file key does: HPKE
(RFC 9180) to the worker's one-job X-Wing key. Anyone can seal to that key, and a file key that somebody else
chose opens nothing; a derived key would be taken. So its info also names the file key, by an HMAC: only
whoever holds the upload's file key can have sealed it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from keyvault.release import JOB_ID_BYTES, OneJobKey, ReleaseSealError, seal_to_one_job_key

PERSONA: Final = "persona"
RECORD: Final = "record"
PURPOSES: Final = (PERSONA, RECORD)
CONTEXT_BYTES: Final = 32
DERIVED_KEY_BYTES: Final = 32
MAX_DERIVED_KEYS: Final = 4

_DERIVE_LABEL = b"bauta.derive/v1"
_SEAL_LABEL = b"bauta.derived.v1"


@dataclass(frozen=True)
class KeyName:
    """Which derived key: the same name is the same key, for as long as the vault's store lasts.

    Attributes:
        purpose: one of PURPOSES.
        context: 32 bytes.

    Raises:
        ValueError: it names no key.
    """

    purpose: str
    context: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if self.purpose not in PURPOSES or len(self.context) != CONTEXT_BYTES:
            raise ValueError("no such derived key")

    @property
    def info(self) -> bytes:
        """What HKDF is told. No purpose holds a zero byte, so no two names are told alike."""
        return b"\0".join((_DERIVE_LABEL, self.purpose.encode("ascii"), self.context))


@dataclass(frozen=True)
class Binding:
    """What a sealed derived key is of use for: one job, one upload, and who has its file key.

    Attributes:
        job_id: 16 bytes.
        age_header: of the upload.
        file_key: of the upload.
    """

    job_id: bytes
    age_header: bytes = field(repr=False)
    file_key: bytes | memoryview = field(repr=False)

    def info(self, name: KeyName) -> bytes:
        """The context of the seal."""
        if len(self.job_id) != JOB_ID_BYTES:
            raise ValueError(f"a job's number has {JOB_ID_BYTES} bytes")
        knows_file_key = HMAC(self.file_key, SHA256())
        knows_file_key.update(_SEAL_LABEL)
        upload = hashlib.sha256(self.age_header).digest()
        return b"".join((_SEAL_LABEL, self.job_id, upload, knows_file_key.finalize(), name.info))


def persona_key_of(scope: str) -> KeyName:
    """Names the key of all personas of one scope."""
    return KeyName(PERSONA, _digest(b"bauta.persona-scope/v1", scope.encode()))


def record_key_of(review_key: bytes) -> KeyName:
    """Names the key that seals the record of one review.

    Args:
        review_key: the public key that its decisions are signed for, 32 bytes; made for this review alone.
    """
    return KeyName(RECORD, _digest(b"bauta.review-record/v1", review_key))


def seal_derived_key(key: memoryview, worker_hpke_key: bytes, binding: Binding, name: KeyName) -> bytes:
    """Seals a derived key to a worker's one-job key.

    Raises:
        ReleaseKeyError: the public key is not one.
    """
    return seal_to_one_job_key(key, worker_hpke_key, binding.info(name))


def open_derived_key(sealed: bytes, one_job_key: OneJobKey, binding: Binding, name: KeyName) -> bytes:
    """Opens the 32 bytes that the vault sealed.

    Raises:
        ReleaseSealError: it is for another worker, job, upload or name, or not from who has the file key.
    """
    key = one_job_key.open(sealed, binding.info(name))
    if len(key) != DERIVED_KEY_BYTES:
        raise ReleaseSealError("a derived key has another length")
    return key


def _digest(label: bytes, subject: bytes) -> bytes:
    return hashlib.sha256(label + b"\0" + subject).digest()
