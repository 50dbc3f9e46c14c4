"""The release register: which versions of the worker are released, by whom, and that the log says so too.

A client seals to an intake only if every worker that may get its key is a released one. The register is no
list of its own: a release is a signed statement, recorded in the log like any other, and the trust file says
whose releases count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from provenance.checklist import Checklist, Step, VerificationError
from provenance.checkpoint import Checkpoint, verify_checkpoint
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError, SignatureError
from provenance.keys import HybridPublicKey
from provenance.proof import ProofFile
from provenance.recorded import RECORDED_STEPS, verify_recorded
from provenance.statements import IntakeFacts, WorkerReleaseFacts
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from provenance.verifier import verify_intake

KIND = "worker-release"

RELEASE_STEPS = {
    **RECORDED_STEPS,
    "release_signed": "Somebody whose releases count signed this one.",
    "measurement_released": "Every worker that the intake names is of the released version.",
    "same_log": "The intake and the release stand in one and the same tree of the log.",
}

_FINGERPRINT_DIGITS = 16


class NotReleasedError(ProvenanceError):
    """An intake is sound, but nobody has shown that its worker is a released one.

    Attributes:
        step: the id of the step of `RELEASE_STEPS` that failed.
        reason: the code of why.
    """

    code = "worker_not_released"

    def __init__(self, cause: VerificationError) -> None:
        super().__init__(f"the service does not show that its worker is of a released version: {cause}")
        self.step = cause.step
        self.reason = cause.code


@dataclass(frozen=True)
class SignedRelease:
    """A worker release whose signatures hold; not necessarily recorded.

    Attributes:
        facts: what was released.
        key: who released it; one of the trust file's release keys.
        is_own: whether that is the service's own node key: the operator's word, and nobody else's.
    """

    facts: WorkerReleaseFacts
    key: HybridPublicKey
    is_own: bool

    @property
    def by(self) -> str:
        """Who released it, for people."""
        if self.is_own:
            return "this service's own operator"
        return f"release key {fingerprint(self.key)}"


@dataclass(frozen=True)
class ReleasedIntake:
    """An intake that a client may seal to.

    Attributes:
        intake: where to seal.
        release: the version of every worker that may get the key.
        steps: one report a step of the release, in order.
    """

    intake: IntakeFacts
    release: SignedRelease
    steps: tuple[Step, ...]


def fingerprint(key: HybridPublicKey) -> str:
    """A short name for a release key: 64 bits of the SHA-256 over the names of all its parts."""
    return hashlib.sha256("\n".join(key.key_ids).encode()).hexdigest()[:_FINGERPRINT_DIGITS]


def verify_release(untrusted: Envelope, trust: Trust) -> SignedRelease:
    """Checks the signatures of a worker release, whether or not it is recorded.

    Raises:
        SignatureError: `release_key_unknown`, it is by nobody whose releases count; or a signature is
            missing or false.
        FormatError: it is no worker release.
    """
    # The first signature names the signer; whether all of them are its own, the key checks.
    signer = next((key for key in trust.releases if key.key_ids[0] == untrusted.signatures[0].key_id), None)
    if signer is None:
        raise SignatureError(
            "the worker release is signed by a key whose releases do not count here", "release_key_unknown"
        )
    facts = WorkerReleaseFacts.from_statement(untrusted.verify(signer, trust.required_signatures))
    return SignedRelease(facts, signer, signer == trust.node)


def verify_recorded_release(
    untrusted_proof: bytes, trust: Trust | bytes, measurements: Sequence[str], checkpoint: Checkpoint | None
) -> tuple[SignedRelease, tuple[Step, ...]]:
    """Checks that measurements are those of a release that counts and is recorded.

    Args:
        untrusted_proof: a proof file of the release.
        trust: a trust file, or what was read from one.
        measurements: hex SHA-256, each of which must be the released one.
        checkpoint: a tree head of the log that the release must stand under, if that matters.

    Raises:
        VerificationError: with the first step that failed.
    """
    checklist = Checklist(RELEASE_STEPS)
    recorded = verify_recorded(checklist, untrusted_proof, trust, KIND, evidence=0)
    with checklist.step("release_signed"):
        release = verify_release(recorded.proof.statement, recorded.trust)
    with checklist.step("measurement_released"):
        if not measurements or any(item != release.facts.measurement for item in measurements):
            raise ProvenanceError("a worker is not of the released version", "worker_not_released")
    with checklist.step("same_log"):
        found = recorded.checkpoint
        if checkpoint is not None and (found.size, found.root) != (checkpoint.size, checkpoint.root):
            # Two heads that the log signed could still be of two logs that it keeps for two readers.
            raise ProvenanceError("the release and the intake stand in different trees", "log_differs")
    return release, checklist.reports()


def verify_released_intake(
    untrusted_intake: bytes, untrusted_release: bytes, trust: Trust | bytes, now: datetime
) -> ReleasedIntake:
    """Checks an intake and the release of every worker it names, as a client does before it seals a byte.

    Args:
        untrusted_intake: the announcement's proof file.
        untrusted_release: the release's proof file; empty where the service sent none, which is refused.
        trust: a trust file, or what was read from one.
        now: with a time zone.

    Raises:
        VerificationError: with the first step of the intake that failed.
        NotReleasedError: with the first step of the release that failed.
    """
    intake = verify_intake(untrusted_intake, trust, now)
    believed = trust if isinstance(trust, Trust) else Trust.from_bytes(trust)
    head = _head_of(untrusted_intake, believed)
    try:
        release, steps = verify_recorded_release(
            untrusted_release, believed, intake.worker_measurements, head
        )
    except VerificationError as error:
        raise NotReleasedError(error) from error
    return ReleasedIntake(intake, release, steps)


def _head_of(verified_proof: bytes, trust: Trust) -> Checkpoint:
    place = TlogProof.parse(ProofFile.from_bytes(verified_proof).log)
    return verify_checkpoint(place.checkpoint, trust.log_origin, trust.log_keys)
