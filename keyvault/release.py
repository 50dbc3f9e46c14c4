"""How a file key travels from the vault to one worker: HPKE (RFC 9180) with X-Wing, bound to job and upload.

Suite: X-Wing (ML-KEM-768 and X25519), HKDF-SHA256, ChaCha20-Poly1305. The info is "bauta.release.v1", the
16-byte job id and the SHA-256 of the upload's age header, so that a sealed key is of no use for another
job or another upload. Public keys here and one-job private keys; the vault's own keys are elsewhere.
"""

from __future__ import annotations

import hashlib
from typing import Final, cast

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from keyvault.errors import KeyvaultError

JOB_ID_BYTES: Final = 16
FILE_KEY_BYTES: Final = 16
PUBLIC_KEY_BYTES: Final = 1184 + 32
SEALED_FILE_KEY_BYTES: Final = 1088 + 32 + FILE_KEY_BYTES + 16

_LABEL = b"bauta.release.v1"
_MLKEM_PUBLIC_BYTES = 1184
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)

# What a vault's refusal means for the job, in the published words of provenance.statements.vocabulary.
_JOB_FAILURE_OF = {
    "intake_key_unknown": "intake_key_unknown",
    "release_not_recorded": "release_not_recorded",
    "upload_header_invalid": "age_header_invalid",
    "vault_internal_error": "internal_error",
}


class ReleaseKeyError(KeyvaultError):
    """A one-job public key is no X-Wing key."""

    code = "worker_key_invalid"


class ReleaseSealError(KeyvaultError):
    """A sealed file key is not for this key, job and upload, or was changed."""

    code = "release_seal_invalid"


class OneJobKey:
    """A worker's X-Wing key pair for one job. It lives in the worker's memory and dies with it."""

    def __init__(self, mlkem_key: MLKEM768PrivateKey, x25519_key: X25519PrivateKey) -> None:
        self._private_key = hpke.MLKEM768X25519PrivateKey(mlkem_key, x25519_key)
        self._public_key = (
            mlkem_key.public_key().public_bytes_raw() + x25519_key.public_key().public_bytes_raw()
        )

    @classmethod
    def generate(cls) -> OneJobKey:
        """Makes a fresh key pair."""
        return cls(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate())

    @property
    def public_key(self) -> bytes:
        """1,216 bytes: the ML-KEM-768 encapsulation key and then the X25519 point."""
        return self._public_key

    def open_file_key(self, sealed: bytes, job_id: bytes, age_header: bytes) -> bytes:
        """Opens the 16-byte file key that the vault sealed to this key.

        Raises:
            ReleaseSealError: it is for another key, job or upload, or was changed.
        """
        if len(sealed) != SEALED_FILE_KEY_BYTES:
            raise ReleaseSealError("a sealed file key has another length")
        return self.open(sealed, release_info(job_id, age_header))

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Opens what was sealed to this key in a context.

        Raises:
            ReleaseSealError: it is for another key or context, or was changed.
        """
        try:
            return _SUITE.decrypt(sealed, self._private_key, info=info)
        except (InvalidTag, ValueError):
            raise ReleaseSealError("the sealed key is not for this worker, job and upload") from None

    def __repr__(self) -> str:
        return "OneJobKey()"


def require_one_job_key(untrusted: bytes) -> None:
    """Takes the public half of a one-job key.

    Raises:
        ReleaseKeyError: it is none.
    """
    # Some X25519 points are refused only in use.
    seal_file_key(bytes(FILE_KEY_BYTES), untrusted, bytes(JOB_ID_BYTES), b"")


def seal_file_key(
    file_key: bytes | memoryview, worker_hpke_key: bytes, job_id: bytes, age_header: bytes
) -> bytes:
    """Seals a file key to a worker's one-job key: 1,120 bytes of encapsulation, then 32 of ciphertext.

    Raises:
        ReleaseKeyError: the public key is not one.
    """
    return seal_to_one_job_key(file_key, worker_hpke_key, release_info(job_id, age_header))


def seal_to_one_job_key(key: bytes | memoryview, worker_hpke_key: bytes, info: bytes) -> bytes:
    """Seals any key to a worker's one-job key, in a context.

    Raises:
        ReleaseKeyError: the public key is not one.
    """
    if len(worker_hpke_key) != PUBLIC_KEY_BYTES:
        raise ReleaseKeyError(f"a one-job public key has {PUBLIC_KEY_BYTES} bytes")
    try:
        public_key = hpke.MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(worker_hpke_key[:_MLKEM_PUBLIC_BYTES]),
            X25519PublicKey.from_public_bytes(worker_hpke_key[_MLKEM_PUBLIC_BYTES:]),
        )
        # It takes any buffer, whatever its stub says; a bytes copy could never be wiped.
        return _SUITE.encrypt(cast(bytes, key), public_key, info=info)
    except ValueError:
        raise ReleaseKeyError("the one-job public key is not an X-Wing key") from None


def release_info(job_id: bytes, age_header: bytes) -> bytes:
    """The context that a sealed file key is bound to."""
    return _LABEL + job_id + hashlib.sha256(age_header).digest()


def job_failure_code(refusal_code: str) -> str:
    """The published failure code of a job whose file key the vault refused."""
    return _JOB_FAILURE_OF.get(refusal_code, "release_refused")
