"""A job and its limits, checked; both sides of the wall read orders this way."""

from __future__ import annotations

from dataclasses import dataclass, fields

from enclave.errors import OrderError
from enclave.policy.terms import MAX_TERMS_BYTES
from protos.bauta.internal.v1.worker_pb2 import RunJob

JOB_ID_BYTES = 16
# An order is the terms and a few numbers.
MAX_ORDER_BYTES = MAX_TERMS_BYTES + 1024
_LARGEST_LIMIT = 1 << 50


@dataclass(frozen=True)
class JobLimits:
    """What one job may use; every limit is at least 1.

    Attributes:
        max_memory_bytes: address space of the child, on top of the warm parent's.
        max_result_bytes: size of the sealed result.
        max_wall_seconds: time from the start of the child to its last report.
        max_frame_pixels: width times height of a frame.
        max_frames: frames of one video.
        max_review_bytes: size of the sealed review package.
        max_recovery_bytes: size of the recovery package.
        max_untouched_bytes: size of the sealed untouched package.
    """

    max_memory_bytes: int
    max_result_bytes: int
    max_wall_seconds: int
    max_frame_pixels: int
    max_frames: int
    max_review_bytes: int
    max_recovery_bytes: int
    max_untouched_bytes: int

    @property
    def largest_file_bytes(self) -> int:
        """What any file of the job can grow to."""
        return max(
            self.max_result_bytes, self.max_review_bytes, self.max_recovery_bytes, self.max_untouched_bytes
        )


@dataclass(frozen=True)
class JobOrder:
    """One job, as the front desk orders it.

    Attributes:
        job_id: 16 bytes.
        terms: the canonical terms as the request stated them; the worker compares them with those inside
            the seal.
        limits: what the job may use.

    Raises:
        OrderError: something is out of range.
    """

    job_id: bytes
    terms: bytes
    limits: JobLimits

    def __post_init__(self) -> None:
        if len(self.job_id) != JOB_ID_BYTES or not 0 < len(self.terms) <= MAX_TERMS_BYTES:
            raise OrderError("an order has a 16-byte job id and terms of a bounded size")
        for limit in fields(self.limits):
            if not 1 <= getattr(self.limits, limit.name) <= _LARGEST_LIMIT:
                raise OrderError(f"the limit {limit.name} is out of range")

    @classmethod
    def from_message(cls, untrusted: RunJob) -> JobOrder:
        """Reads the protobuf message.

        Raises:
            OrderError: something is out of range.
        """
        limits = {limit.name: getattr(untrusted, limit.name) for limit in fields(JobLimits)}
        return cls(job_id=untrusted.job_id, terms=untrusted.terms, limits=JobLimits(**limits))
