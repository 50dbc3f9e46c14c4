"""The one place where errors become gRPC statuses, and where callers are counted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import grpc
from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from enclave.errors import EnclaveError
from grpc_api.errors import ServiceError, exhausted
from grpc_api.identity import certified
from keyvault.errors import KeyvaultError
from provenance.errors import ProvenanceError

log = logging.getLogger("bauta.grpc_api")

ERROR_DOMAIN = "bauta"
_OURS = "/bauta."
_WINDOW_SECONDS = 60.0
# A part of the service has died and starts again, or too few witnesses answer: the next try may succeed.
_GONE_FOR_A_MOMENT = {
    "vault_unavailable",
    "checkpoint_not_signed",
    "quorum_not_met",
    "worker_lost",
    "worker_not_ready",
}


class FrontDoor(grpc.ServerInterceptor):
    """Wraps every handler of ours: rate limit first, the handler, then errors as rich statuses."""

    def __init__(self, max_requests_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = RateLimit(max_requests_per_minute, clock)

    def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        """Wraps the handler that gRPC found for this call."""
        handler = continuation(handler_call_details)
        if handler is None or not handler_call_details.method.startswith(_OURS):
            return handler
        if handler.unary_unary or handler.stream_unary:
            inner = handler.unary_unary or handler.stream_unary
            make = (
                grpc.unary_unary_rpc_method_handler
                if handler.unary_unary
                else grpc.stream_unary_rpc_method_handler
            )
            return make(self._unary(inner), handler.request_deserializer, handler.response_serializer)
        return grpc.unary_stream_rpc_method_handler(
            self._stream(handler.unary_stream), handler.request_deserializer, handler.response_serializer
        )

    def _unary(self, inner: Callable[..., Any]) -> Callable[..., Any]:
        def call(request: Any, context: grpc.ServicerContext) -> Any:
            try:
                self._rate.require(certified(context))
                return inner(request, context)
            except Exception as error:
                _abort(context, error)

        return call

    def _stream(self, inner: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
        def call(request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
            try:
                self._rate.require(certified(context))
                yield from inner(request, context)
            except Exception as error:
                _abort(context, error)

        return call


class RateLimit:
    """A fixed number of calls in each minute for each identity. Safe for threads."""

    def __init__(self, max_per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._max_per_minute = max_per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._window_began = clock()
        self._counts: dict[str, int] = {}

    def require(self, identity: str) -> None:
        """Counts one call.

        Raises:
            ServiceError: `rate_limited`.
        """
        with self._lock:
            now = self._clock()
            if now - self._window_began >= _WINDOW_SECONDS:
                self._window_began, self._counts = now, {}
            count = self._counts.get(identity, 0) + 1
            self._counts[identity] = count
        if count > self._max_per_minute:
            raise exhausted("rate_limited", "Too many requests in this minute; wait and try again.")


def _abort(context: grpc.ServicerContext, error: Exception) -> None:
    code, message, status = _describe(error, context)
    if status is grpc.StatusCode.INTERNAL:
        # The kind of the error and the place, never its text: that could hold a path or worse.
        log.error("internal error: %s", type(error).__name__)
    details = any_pb2.Any()
    details.Pack(error_details_pb2.ErrorInfo(reason=code, domain=ERROR_DOMAIN))
    context.abort_with_status(
        rpc_status.to_status(status_pb2.Status(code=status.value[0], message=message, details=[details]))
    )


def _describe(error: Exception, context: grpc.ServicerContext) -> tuple[str, str, grpc.StatusCode]:
    if isinstance(error, ServiceError):
        return error.code, str(error), error.status
    if isinstance(error, EnclaveError | KeyvaultError | ProvenanceError):
        again = error.code in _GONE_FOR_A_MOMENT
        return (
            error.code,
            str(error),
            (grpc.StatusCode.UNAVAILABLE if again else grpc.StatusCode.FAILED_PRECONDITION),
        )
    if isinstance(error, grpc.RpcError) or not context.is_active():
        return "call_ended", "The call ended before it was answered.", grpc.StatusCode.CANCELLED
    return "internal_error", "The service met an error of its own.", grpc.StatusCode.INTERNAL
