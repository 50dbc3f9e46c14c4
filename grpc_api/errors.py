"""Errors of the front desk: a stable code for programs, a sentence for people, a status for gRPC."""

from __future__ import annotations

import re

import grpc

_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")
_LONGEST_MESSAGE = 400


class ServiceError(Exception):
    """The front desk says no.

    Attributes:
        code: stable, snake_case; it becomes `google.rpc.ErrorInfo.reason`.
        status: the gRPC status that carries it.
    """

    code = "service_error"
    status = grpc.StatusCode.INTERNAL

    def __init__(self, code: str, message: str, status: grpc.StatusCode) -> None:
        super().__init__(message)
        self.code = code
        self.status = status


def said_by_a_service(code: str, message: str, status: grpc.StatusCode) -> ServiceError:
    """What a service says, fit to be shown: a code of the published form, printable text of bounded length.

    A service can be a stranger, and a terminal obeys what is written to it.
    """
    shown = "".join(sign if sign.isprintable() else "?" for sign in message[:_LONGEST_MESSAGE])
    return ServiceError(code if _CODE.fullmatch(code) else "service_answer_unknown", shown, status)


def invalid(code: str, message: str) -> ServiceError:
    """The request itself is wrong."""
    return ServiceError(code, message, grpc.StatusCode.INVALID_ARGUMENT)


def not_found() -> ServiceError:
    """No such job for this caller; a job of someone else looks exactly the same."""
    return ServiceError("job_not_found", "There is no such job for this identity.", grpc.StatusCode.NOT_FOUND)


def precondition(code: str, message: str) -> ServiceError:
    """The request is fine, the state of the job is not."""
    return ServiceError(code, message, grpc.StatusCode.FAILED_PRECONDITION)


def exhausted(code: str, message: str) -> ServiceError:
    """A limit or the disk stands in the way."""
    return ServiceError(code, message, grpc.StatusCode.RESOURCE_EXHAUSTED)


def outdated(code: str, message: str) -> ServiceError:
    """What the call was made from has changed meanwhile; look again."""
    return ServiceError(code, message, grpc.StatusCode.ABORTED)


def unavailable(code: str, message: str) -> ServiceError:
    """Try again later."""
    return ServiceError(code, message, grpc.StatusCode.UNAVAILABLE)
