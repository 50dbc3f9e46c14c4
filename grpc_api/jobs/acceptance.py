"""When the service begins to stand by an upload: the vault has taken its file key into keeping."""

from __future__ import annotations

import hashlib
import io

from grpc_api.errors import ServiceError, exhausted, precondition, unavailable
from grpc_api.jobs.states import JobRecord
from grpc_api.messages import message_for
from keyvault.age import MAX_HEADER_BYTES, AgeError, read_header
from keyvault.client import VaultClient, VaultRefusedError
from provenance.statements.vocabulary import FAILURE_CODES

__all__ = ["MAX_HEADER_BYTES", "UploadRefusedError", "accept_upload"]


class UploadRefusedError(ServiceError):
    """The upload can never become a job; its code is a published failure code."""


def accept_upload(vault: VaultClient, job: JobRecord, head: bytes) -> None:
    """Has the vault accept an upload by its header. The same upload may be accepted again.

    Args:
        vault: keeps the key.
        job: the upload's job.
        head: the upload's first `MAX_HEADER_BYTES`, or all of a shorter one.

    Raises:
        UploadRefusedError: it does not begin with an age header, or no living intake key opens it.
        ServiceError: `vault_busy`, `vault_refused`; later it may be accepted.
        VaultUnavailableError: no answer.
    """
    try:
        header = read_header(io.BytesIO(head)).raw
        vault.accept_upload(bytes.fromhex(job.job_id), header, hashlib.sha256(job.terms).digest())
    except AgeError as malformed:
        raise _refused(malformed.code) from None
    except VaultRefusedError as refusal:
        if refusal.code in FAILURE_CODES:
            raise _refused(refusal.code) from None
        if refusal.code == "too_many_accepted_uploads":
            raise exhausted("vault_busy", message_for("vault_busy")) from None
        raise unavailable("vault_refused", "The vault cannot take the upload now; try again later.") from None


def _refused(code: str) -> UploadRefusedError:
    error = precondition(code, message_for(code))
    return UploadRefusedError(error.code, str(error), error.status)
