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

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class PolicyError(EnclaveError):
    """A policy text is not a policy."""

    def __init__(self, message: str) -> None:
        super().__init__("policy_invalid", message)


class TermsError(EnclaveError):
    """The terms of a job, or the preamble of an upload, are malformed or not allowed by their policy."""


class WallError(EnclaveError):
    """A wall could not be raised, or too few of them stand."""


class WorkerError(EnclaveError):
    """One job failed behind the wall."""


class HostError(EnclaveError):
    """The worker host or one of its children misbehaved, seen from outside the wall."""
