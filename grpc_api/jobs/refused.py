"""A worker's side that says no, or says something else than it should."""

from __future__ import annotations

from enclave.errors import EnclaveError
from grpc_api.messages import message_for


class WorkerRefusedError(EnclaveError):
    """The worker's side says no, with its code."""

    def __init__(self, code: str) -> None:
        super().__init__(message_for(code))
        self.code = code
