"""The offline check of a proof: ordered steps, each one named, the first that fails ends it.

Needs the file, its proof and a trust file. No server, no network, no database. A check raises; nothing
here returns a bool.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from provenance.certified import AGREED_FACTS, read_evidence, read_job
from provenance.checklist import Checklist, Step, VerificationError
from provenance.checkpoint import Checkpoint
from provenance.credentials.reading import CredentialsError, CredentialsUncheckedError, read_manifest
from provenance.errors import FormatError, ProvenanceError
from provenance.proof import ProofFile
from provenance.recorded import RECORDED_STEPS, verify_recorded
from provenance.statements import IntakeFacts, JobFacts, ReleaseFacts
from provenance.timestamps import Remark, Timestamp, read_timestamps, remarks_on, require_timestamps
from provenance.trust import Trust

__all__ = [
    "INTAKE_STEPS",
    "OPENING_STEPS",
    "RESULT_STEPS",
    "STATED_STEPS",
    "Remark",
    "Stated",
    "Step",
    "VerificationError",
    "VerifiedResult",
    "verify_intake",
    "verify_opening",
    "verify_result",
    "verify_stated",
]

SALT_BYTES = 32
NO_CREDENTIALS = "none"
_CHUNK_BYTES = 1 << 20

STATED_STEPS = {
    **RECORDED_STEPS,
    "evidence_signed": "The node certified the worker that did the job.",
    "statement_signed": "That worker signed the statement, with keys made for this one job.",
    "facts_agree": "The worker states the job, code, policy and walls that the node saw.",
    "timestamps_sound": "Every timestamp in the proof is about this statement and was signed as it stands.",
    "timestamps_believed": "As many clocks as you demand, of those you believe, had seen the statement.",
}
RESULT_STEPS = {
    **STATED_STEPS,
    "result_matches": "The file is the one that the statement is about, to the last byte.",
    "credentials_trusted": "Its content credentials (C2PA) lead to a root that is believed, and to this job.",
}
INTAKE_STEPS = {
    **RECORDED_STEPS,
    "statement_signed": "The node signed the intake.",
    "within_validity": "The intake is valid now.",
}
OPENING_STEPS = {
    "commitment_opens": "The original is the one that was anonymized.",
}


@dataclass(frozen=True)
class Stated:
    """A job's statement of which everything held, before anybody looks at the file that it is about.

    Attributes:
        trust: what was believed.
        proof: the proof file.
        facts, release, checkpoint, log_index, timestamps, remarks: as in `VerifiedResult`.
    """

    trust: Trust
    proof: ProofFile
    facts: JobFacts
    release: ReleaseFacts
    checkpoint: Checkpoint
    log_index: int
    timestamps: tuple[Timestamp, ...]
    remarks: tuple[Remark, ...]


@dataclass(frozen=True)
class VerifiedResult:
    """What a proof says, after every step held.

    Attributes:
        facts: the job statement.
        release: the evidence for the worker.
        checkpoint: the log's signed tree head; `signed_at` is the log's clock.
        log_index: where the statement is recorded.
        timestamps: what other people's clocks say, each one sound; not each of them is believed.
        remarks: what fails no check, and a reader should know.
        steps: one report a step, in order.
    """

    facts: JobFacts
    release: ReleaseFacts
    checkpoint: Checkpoint
    log_index: int
    timestamps: tuple[Timestamp, ...]
    remarks: tuple[Remark, ...]
    steps: tuple[Step, ...]


def verify_result(result: BinaryIO, untrusted_proof: bytes, trust: Trust | bytes) -> VerifiedResult:
    """Checks an anonymized file against its proof.

    Args:
        result: the file, from its first byte; read in constant memory.
        untrusted_proof: the proof file.
        trust: a trust file, or what was read from one.

    Raises:
        VerificationError: with the first step that failed.
        OSError: the file cannot be read.
    """
    checklist = Checklist(RESULT_STEPS)
    stated = verify_stated(checklist, untrusted_proof, trust)
    with checklist.step("result_matches"):
        _check_result(result, stated.facts)
    unchecked = _check_credentials(checklist, result, stated.facts, stated.proof, stated.trust)
    return VerifiedResult(
        facts=stated.facts,
        release=stated.release,
        checkpoint=stated.checkpoint,
        log_index=stated.log_index,
        timestamps=stated.timestamps,
        remarks=(*stated.remarks, *unchecked),
        steps=checklist.reports(),
    )


def verify_stated(checklist: Checklist, untrusted_proof: bytes, trust: Trust | bytes) -> Stated:
    """Runs `STATED_STEPS`, which the checklist begins with: all of a job's proof but its file.

    Args:
        checklist: of the whole verification.
        untrusted_proof: the proof file.
        trust: a trust file, or what was read from one.

    Raises:
        VerificationError: with the first step that failed.
    """
    recorded = verify_recorded(checklist, untrusted_proof, trust, "job", evidence=1)
    believed, proof = recorded.trust, recorded.proof
    with checklist.step("evidence_signed"):
        release = read_evidence(proof.evidence[0], believed.node, believed.required_signatures)
    with checklist.step("statement_signed"):
        facts = read_job(proof.statement, release, believed.required_signatures)
    with checklist.step("facts_agree"):
        if any(getattr(facts, name) != getattr(release, name) for name in AGREED_FACTS):
            raise ProvenanceError("the worker's statement is not about the released job", "facts_disagree")
    with checklist.step("timestamps_sound"):
        stamps = read_timestamps(proof.timestamps, proof.statement.digest, believed.timestamp_roots)
    if believed.required_timestamps or any(stamp.root is not None for stamp in stamps):
        with checklist.step("timestamps_believed"):
            require_timestamps(stamps, believed.required_timestamps)
    else:
        checklist.leave("timestamps_believed")
    return Stated(
        trust=believed,
        proof=proof,
        facts=facts,
        release=release,
        checkpoint=recorded.checkpoint,
        log_index=recorded.log_index,
        timestamps=stamps,
        remarks=remarks_on(stamps, facts.finished_at, recorded.checkpoint.signed_at),
    )


def verify_intake(untrusted_proof: bytes, trust: Trust | bytes, now: datetime) -> IntakeFacts:
    """Checks an intake announcement, as a client does before it seals a byte.

    Args:
        untrusted_proof: the announcement, a proof file without evidence.
        trust: a trust file, or what was read from one.
        now: with a time zone.

    Raises:
        VerificationError: with the first step that failed.
    """
    checklist = Checklist(INTAKE_STEPS)
    recorded = verify_recorded(checklist, untrusted_proof, trust, "intake", evidence=0)
    believed = recorded.trust
    with checklist.step("statement_signed"):
        # Two signatures do: an intake is believed for an hour, and what must last decades comes later.
        facts = IntakeFacts.from_statement(recorded.proof.statement.verify(believed.node))
    with checklist.step("within_validity"):
        if not facts.covers(now):
            raise ProvenanceError("the intake is not valid at this time; ask for a new one", "intake_expired")
    return facts


def verify_opening(original: BinaryIO, salt: bytes, commitment: bytes) -> None:
    """Checks that a statement's commitment is to this original. Only who has the salt can do this.

    Args:
        original: the media file as it was before, from its first byte.
        salt: 32 bytes, chosen by the submitter.
        commitment: 32 bytes; `JobFacts.original_commitment` has them in hex.

    Raises:
        VerificationError: it is not.
        OSError: the file cannot be read.
    """
    with Checklist(OPENING_STEPS).step("commitment_opens"):
        if len(salt) != SALT_BYTES:
            raise FormatError("the salt is not 32 bytes")
        mac = hmac.new(salt, digestmod=hashlib.sha256)
        while chunk := original.read(_CHUNK_BYTES):
            mac.update(chunk)
        if not hmac.compare_digest(mac.digest(), commitment):
            raise ProvenanceError(
                "the commitment is to another file or under another salt", "not_the_original"
            )


def _check_credentials(
    checklist: Checklist, result: BinaryIO, facts: JobFacts, proof: ProofFile, believed: Trust
) -> tuple[Remark, ...]:
    """Reads the manifest inside the file, where the statement says that there is one."""
    step = "credentials_trusted"
    if facts.credentials == NO_CREDENTIALS or not believed.credential_roots:
        checklist.leave(step)
        return ()
    try:
        with checklist.step(step):
            manifest = read_manifest(result, facts.media_type, believed.credential_roots)
            said = (manifest.evidence_sha256, manifest.log_origin)
            if said != (proof.evidence[0].digest.hex(), believed.log_origin):
                raise CredentialsError("the content credentials tell of another job", "credentials_disagree")
    except VerificationError as failure:
        if not isinstance(failure.__cause__, CredentialsUncheckedError):
            raise
        checklist.leave(step, "not checked")
        return (Remark("credentials_unchecked", f"The content credentials were not checked: {failure}."),)
    return ()


def _check_result(result: BinaryIO, facts: JobFacts) -> None:
    digest = hashlib.sha256()
    size = 0
    while chunk := result.read(_CHUNK_BYTES):
        size += len(chunk)
        if size > facts.result_bytes:
            raise ProvenanceError("the file is longer than the statement says", "result_wrong_size")
        digest.update(chunk)
    if size != facts.result_bytes:
        raise ProvenanceError("the file is shorter than the statement says", "result_wrong_size")
    if digest.hexdigest() != facts.result_sha256:
        raise ProvenanceError("the file was changed after it was made", "result_changed")
