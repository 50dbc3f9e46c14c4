"""Every error that leaves this package."""

from __future__ import annotations


class ProvenanceError(Exception):
    """Something in a statement, a proof or the log is not right.

    The message is for people and never holds content, keys or names; `code` is for programs.

    Attributes:
        code: stable, snake_case.
    """

    code = "provenance_error"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class FormatError(ProvenanceError):
    """Bytes are not in the strict form that this package reads and writes."""

    code = "malformed"


class SignatureError(ProvenanceError):
    """A signature is missing, from another key, or does not verify."""

    code = "bad_signature"


class MerkleError(ProvenanceError):
    """A Merkle proof does not lead to the root that it should."""

    code = "bad_merkle_proof"


class LogError(ProvenanceError):
    """The log refuses, or is damaged."""

    code = "log_error"
