"""Who is calling. A job belongs to the identity that created it, and to no other.

Sources who are admitted by tokens share one certificate, so that it names none of them. A caller may
therefore send a key of its own with every call, 32 random bytes drawn for one submission: what it creates
then belongs to certificate and key together, and nobody else with that certificate sees it or can stop it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, cast

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from grpc_api.errors import ServiceError, invalid

LOCAL = "local"
JOB_KEY_HEADER: Final = "bauta-job-key-bin"
JOB_KEY_BYTES: Final = 32

_KEY_LABEL = b"bauta.identity.job-key/v1\0"


def caller(context: grpc.ServicerContext) -> str:
    """The caller's identity: what `certified` says, and a digest of the key that came with the call, if any.

    Raises:
        ServiceError: `identity_missing`, or `job_key_invalid`.
    """
    identity = certified(context)
    keys = [value for name, value in context.invocation_metadata() or () if name == JOB_KEY_HEADER]
    if not keys:
        return identity
    if len(keys) != 1 or not isinstance(keys[0], bytes) or len(keys[0]) != JOB_KEY_BYTES:
        raise invalid("job_key_invalid", f"A key of a submission has {JOB_KEY_BYTES} bytes.")
    return f"{identity}/{hashlib.sha256(_KEY_LABEL + keys[0]).hexdigest()}"


def certified_part(identity: str) -> str:
    """The part of an identity that the caller cannot choose, by which limits are counted."""
    return identity.partition("/")[0]


def certified(context: grpc.ServicerContext) -> str:
    """What the caller cannot choose: `local`, or `x509:` and the SHA-256 of the client certificate.

    The Unix socket lies in a folder of mode 0700, so only the owner of the service (and root) can be
    `local`. Everyone else comes over mutual TLS.

    Raises:
        ServiceError: `identity_missing`.
    """
    if context.peer().startswith("unix:"):
        return LOCAL
    # gRPC's types have the values wrong: each is a list of bytes.
    properties = cast(Mapping[str, Sequence[bytes]], context.auth_context())
    pem = properties.get("x509_pem_cert")
    if not pem:
        raise ServiceError(
            "identity_missing", "A client certificate is needed here.", grpc.StatusCode.UNAUTHENTICATED
        )
    certificate = x509.load_pem_x509_certificate(pem[0])
    return "x509:" + hashlib.sha256(certificate.public_bytes(Encoding.DER)).hexdigest()
