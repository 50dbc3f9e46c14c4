"""Who is enrolled in a job: what the instructions say of them, if the policy lets it, and what came of it."""

from __future__ import annotations

from anonymizer import Enrolled, Report
from enclave.errors import WorkerError
from enclave.policy import Policy
from enclave.policy.enrolment import pictures_of
from enclave.worker.opening import OpenedUpload


def enrolled_in(opened: OpenedUpload, policy: Policy) -> tuple[Enrolled, ...]:
    """Gives the anonymizer everybody who is enrolled.

    Raises:
        WorkerError: `enrolment_not_allowed`.
    """
    people = opened.instructions.enrolled
    if not {person.role for person in people} <= set(policy.enrolled_roles):
        raise WorkerError(
            "the policy lets nobody have such a role by being recognized", "enrolment_not_allowed"
        )
    pictures = pictures_of(people, opened.untrusted_pictures)
    return tuple(
        Enrolled(person.role, theirs, person.embedding)
        for person, theirs in zip(people, pictures, strict=True)
    )


def recognized_facts(report: Report) -> dict[str, int]:
    """Gives what the statement says of it: nothing where nobody was recognized."""
    frames, tracks = report.recognized
    return {"frames": frames, "tracks": tracks} if frames else {}
