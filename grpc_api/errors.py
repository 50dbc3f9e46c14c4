"""Errors of the front desk: a stable code for programs, a sentence for people, a status for gRPC."""

from __future__ import annotations

import grpc


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


def unavailable(code: str, message: str) -> ServiceError:
    """Try again later."""
    return ServiceError(code, message, grpc.StatusCode.UNAVAILABLE)


MESSAGES = {
    "cancelled": "The submitter cancelled the job.",
    "client_gone": "The service was restarted after the submitter had gone; nothing was kept.",
    "detector_failed": "The face detector failed; the frame could not be checked, so nothing was released.",
    "age_header_invalid": "The sealed upload does not begin with a valid age header.",
    "age_header_mac_invalid": "The header of the sealed upload was changed after sealing.",
    "age_payload_corrupt": "The sealed upload was changed after sealing, or damaged on the way.",
    "age_payload_truncated": "The sealed upload ends too early.",
    "intake_key_unknown": "The upload is not sealed to a live intake of this service.",
    "internal_error": "The worker met an error that it has no name for. Nothing was released.",
    "media_corrupt": "A part of the media cannot be decoded, and nothing unchecked is passed on.",
    "media_empty": "The file is empty.",
    "media_no_video": "The file holds no video stream.",
    "media_too_large": "The picture is too small or too large for the limits of this service.",
    "media_too_long": "The video has more frames or lasts longer than the limits of this service allow.",
    "media_truncated": "The file ends too early: part of the video is missing.",
    "media_unknown_format": "The file is no video or image of a kind that Bauta reads.",
    "media_unsupported": "The file uses a feature that Bauta does not support.",
    "policy_invalid": "The policy does not follow the schema.",
    "preamble_invalid": "The sealed upload does not begin with a Bauta preamble.",
    "release_refused": "The vault refused to release the file key.",
    "result_too_large": "The result is larger than the limits of this service allow.",
    "storage_full": "The disk of the service is full.",
    "terms_mismatch": "The terms inside the seal are not those of the request; someone changed one of them.",
    "worker_died": "The worker ended early: the media may be hostile, or a limit was reached.",
    "worker_lost": "The service was stopped while the job ran, more often than it tries again.",
    "worker_reply_invalid": "The worker's reply did not pass the checks of the front desk.",
    "worker_timeout": "The job took longer than the limit of this service.",
}


def message_for(code: str) -> str:
    """The sentence that belongs to a code; it never holds content."""
    return MESSAGES.get(code, "The job failed; the code says why.")
