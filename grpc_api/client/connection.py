"""One connection to a service: a channel, its stubs, and rich statuses turned back into errors with codes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import cast

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from grpc_api.client.job_key import JobKey
from grpc_api.errors import ServiceError, said_by_a_service
from grpc_api.tls import TlsFiles, channel_credentials
from protos.bauta.v1 import disclosures_pb2_grpc, intake_pb2_grpc, jobs_pb2_grpc, proofs_pb2_grpc

_OPTIONS = [
    # Our own attempts know where to go on (`transfer.resuming`). gRPC's retries, when a service is killed in
    # the middle of an answer, can wait for the rest of it for ever (seen with 1.85.1).
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", 4 << 20),
    ("grpc.keepalive_time_ms", 60_000),
    # gRPC's own pause between connections grows to two minutes; a restart takes a second.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 2_000),
]


class Connection:
    """Channel and stubs. Use as a context manager.

    Args:
        address: `unix:PATH` (no TLS), or `HOST:PORT` with mutual TLS.
        tls: the client's bundle, for the latter.
        tries: how often to go on after a broken connection, with pauses from a quarter second to four.
            A service for others comes back after a restart; an embedded one does not.
        job_key: 32 random bytes, for a client that shares its certificate with others: what it creates over
            this connection, only this key finds again. Empty for none.
    """

    def __init__(
        self, address: str, tls: TlsFiles | None = None, tries: int = 8, *, job_key: bytes = b""
    ) -> None:
        self.tries = tries
        if tls is None:
            credentials = grpc.local_channel_credentials(grpc.LocalConnectionType.UDS)
        else:
            credentials = channel_credentials(tls)
        self._channel = grpc.secure_channel(address, credentials, options=_OPTIONS)
        calls = grpc.intercept_channel(self._channel, JobKey(job_key)) if job_key else self._channel
        self.intake = intake_pb2_grpc.IntakeServiceStub(calls)
        self.jobs = jobs_pb2_grpc.JobServiceStub(calls)
        self.proofs = proofs_pb2_grpc.ProofServiceStub(calls)
        self.disclosures = disclosures_pb2_grpc.DisclosureServiceStub(calls)

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()


@contextmanager
def service_errors() -> Iterator[None]:
    """Turns a gRPC error into a ServiceError with the service's own code and sentence."""
    try:
        yield
    except grpc.RpcError as error:
        raise translate(error) from None


def translate(error: grpc.RpcError) -> ServiceError:
    """The ServiceError that a gRPC error stands for."""
    # gRPC raises objects that are both an error and a call; its types do not say so.
    call = cast(grpc.Call, error)
    # The service wrote these bytes: what is no status, or contradicts gRPC's own, counts as none.
    with suppress(ValueError, DecodeError):
        status = rpc_status.from_call(call)
        for detail in () if status is None else status.details:
            info = error_details_pb2.ErrorInfo()
            if detail.Unpack(info):
                return said_by_a_service(info.reason, status.message, call.code())
    if call.code() is grpc.StatusCode.UNAVAILABLE:
        return ServiceError(
            "service_unreachable", "The service cannot be reached.", grpc.StatusCode.UNAVAILABLE
        )
    return ServiceError(
        "service_answer_unknown",
        f"The service ended the call with {call.code().name}.",
        call.code(),
    )
