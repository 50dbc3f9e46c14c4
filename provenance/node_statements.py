"""What the service itself vouches for, checked offline: receipts, failures, policies, keys and tracks erased.

Each is a proof file whose statement the node key signed, so that it needs no evidence for its signer. Results
are for `verifier`, releases of worker versions for `register`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import BinaryIO, Generic, TypeVar

from provenance import canonical
from provenance.checklist import Checklist, Step
from provenance.checkpoint import Checkpoint
from provenance.errors import ProvenanceError
from provenance.proof import ProofFile
from provenance.recorded import RECORDED_STEPS, verify_recorded
from provenance.statements import (
    ErasureFacts,
    Facts,
    FailureFacts,
    KeyRotationFacts,
    PolicyFacts,
    SubmissionFacts,
)
from provenance.statements.base import MAX_STATEMENT_BYTES
from provenance.trust import Trust
from provenance.verifier import VerifiedResult

NODE_STATEMENTS: tuple[type[Facts], ...] = (
    SubmissionFacts,
    FailureFacts,
    PolicyFacts,
    KeyRotationFacts,
    ErasureFacts,
)

NODE_STEPS = {
    **RECORDED_STEPS,
    "statement_signed": "The node signed the statement.",
    "upload_matches": "The sealed upload is the one that the receipt is about.",
}
_CHUNK_BYTES = 1 << 20

FactsT = TypeVar("FactsT", bound=Facts)


@dataclass(frozen=True)
class NodeStatement(Generic[FactsT]):
    """What the service said, after every step held.

    Attributes:
        facts: the statement.
        checkpoint: the log's signed tree head; `signed_at` is the log's clock.
        log_index: where the statement is recorded.
        steps: one report a step, in order.
    """

    facts: FactsT
    checkpoint: Checkpoint
    log_index: int
    steps: tuple[Step, ...]


def verify_node_statement(
    untrusted_proof: bytes, trust: Trust | bytes, kind: type[FactsT], upload: BinaryIO | None = None
) -> NodeStatement[FactsT]:
    """Checks a statement of one kind.

    Args:
        untrusted_proof: the proof file.
        trust: a trust file, or what was read from one.
        kind: one of `NODE_STATEMENTS`.
        upload: a sealed upload from its first byte, to be compared with a receipt.

    Raises:
        VerificationError: with the first step that failed.
        OSError: the upload cannot be read.
    """
    checklist = Checklist(NODE_STEPS)
    recorded = verify_recorded(checklist, untrusted_proof, trust, kind.kind(), evidence=0)
    with checklist.step("statement_signed"):
        facts = kind.from_statement(recorded.proof.statement.verify(recorded.trust.node))
    if upload is None:
        checklist.leave("upload_matches")
    else:
        with checklist.step("upload_matches"):
            _check_upload(upload, facts)
    return NodeStatement(facts, recorded.checkpoint, recorded.log_index, checklist.reports())


def require_about(said: NodeStatement[Facts], result: VerifiedResult) -> str:
    """Checks that a receipt or a policy's record fits a result, and was in the log before it.

    Returns:
        What that shows, for people.

    Raises:
        ProvenanceError: `record_differs`.
    """
    facts, job, release = said.facts, result.facts, result.release
    match facts:
        case SubmissionFacts():
            fits = (facts.job_id, facts.terms_sha256, facts.upload_header_sha256) == (
                job.job_id,
                job.terms_sha256,
                release.upload_header_sha256,
            )
            sentence = "The service had given a receipt for this job's upload."
        case PolicyFacts():
            fits = facts.policy_sha256 == job.policy_sha256
            sentence = f"The text of this job's policy was on record, as {facts.policy}."
        case _:
            fits, sentence = False, ""
    if not fits or said.log_index >= result.log_index:
        raise ProvenanceError("the record is sound, but it is not about this result", "record_differs")
    return sentence


def claimed_kind(untrusted_proof: bytes) -> type[Facts]:
    """Says which of `NODE_STATEMENTS` a proof claims to hold; what claims nothing known is read as a receipt.

    A claim decides nothing: the entry in the log and the statement must both be of that kind.
    """
    try:
        statement = canonical.loads(
            ProofFile.from_bytes(untrusted_proof).statement.payload, MAX_STATEMENT_BYTES
        )
        claimed = statement.get("predicateType") if isinstance(statement, dict) else None
    except ProvenanceError:
        claimed = None
    return next((kind for kind in NODE_STATEMENTS if claimed == kind.PREDICATE_TYPE), SubmissionFacts)


def _check_upload(upload: BinaryIO, facts: Facts) -> None:
    if not isinstance(facts, SubmissionFacts):
        raise ProvenanceError("the statement is no receipt of an upload", "wrong_statement")
    digest = hashlib.sha256()
    while chunk := upload.read(_CHUNK_BYTES):
        digest.update(chunk)
    if digest.hexdigest() != facts.upload_sha256:
        raise ProvenanceError("the receipt is of another sealed upload", "upload_differs")
