"""Who is calling. A job belongs to the identity that created it, and to no other."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import cast

import grpc
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from grpc_api.errors import ServiceError

LOCAL = "local"


def caller(context: grpc.ServicerContext) -> str:
    """The caller's identity: `local`, or `x509:` and the SHA-256 of the client certificate.

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
