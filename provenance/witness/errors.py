"""What a witness answers when it does not sign: one class for each status of c2sp.org/tlog-witness."""

from __future__ import annotations

from typing import ClassVar

from provenance.errors import ProvenanceError


class RefusedError(ProvenanceError):
    """A witness refuses a submission.

    Attributes:
        status: the HTTP status that the specification names.
    """

    code = "submission_refused"
    status: ClassVar[int] = 400


class MalformedError(RefusedError):
    """The submission is not in the published form, or its old size is larger than its checkpoint's."""

    code = "submission_malformed"


class UnknownLogError(RefusedError):
    """The checkpoint is of a log that this witness was not told of."""

    code = "log_unknown"
    status = 404


class UnsignedError(RefusedError):
    """A key of the log did not sign the checkpoint, or a line that claims to be by it is false."""

    code = "log_signature_false"
    status = 403


class ConflictError(RefusedError):
    """The submission does not start from the tree head that this witness signed last.

    Attributes:
        known_size: leaves of that tree; the answer tells it.
    """

    code = "old_size_differs"
    status = 409

    def __init__(self, known_size: int) -> None:
        super().__init__("the submission does not start from the size that was cosigned last")
        self.known_size = known_size


class InconsistentError(RefusedError):
    """It is not shown that the last tree is the beginning of this one."""

    code = "tree_inconsistent"
    status = 422
