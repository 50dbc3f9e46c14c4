"""Errors of the enclave package: one base class, stable codes.

Only the code of an error ever crosses the wall (STYLE, habit 3). Messages help a person act; they name keys
and mechanisms, never values that came from an upload.
"""

from __future__ import annotations


class EnclaveError(Exception):
    """Something about a policy, a wall, a worker or its job is not as it must be.

    Attributes:
        code: stable and snake_case; what programs compare and what crosses the wall.
    """

    code = "enclave_error"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class PolicyError(EnclaveError):
    """A policy text is not a policy."""

    code = "policy_invalid"


class TermsError(EnclaveError):
    """The terms of a job are malformed or not allowed by their policy."""

    code = "terms_invalid"


class PreambleError(TermsError):
    """What stands before the media in an upload is not a preamble."""

    code = "preamble_invalid"


class ReviewError(EnclaveError):
    """A review package or the decisions about it are malformed, or not whose they should be."""

    code = "review_package_invalid"


class WallError(EnclaveError):
    """A wall could not be raised, or too few of them stand."""

    code = "wall_failed"


class OrderError(EnclaveError):
    """A job order is malformed or out of range."""

    code = "order_invalid"


class WorkerError(EnclaveError):
    """One job failed behind the wall."""

    code = "internal_error"


class HostError(EnclaveError):
    """The worker host or one of its children misbehaved, seen from outside the wall."""

    code = "worker_lost"


class MeasurementError(EnclaveError):
    """The installed code cannot be measured, or is not what it should be."""

    code = "measurement_failed"
