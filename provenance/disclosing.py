"""Disclosure workers and what they released, checked offline: by custodians before they approve, by audits.

The node certifies the worker, as it does a job's; but here the worker itself believes a trust file, and the
certificate says which. Whoever gives it a share compares that with their own: an operator can start a worker
that believes the operator's own log, and nobody will approve anything for it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from provenance.certified import read_disclosure_worker
from provenance.checklist import Checklist, Step
from provenance.errors import ProvenanceError, SignatureError
from provenance.recorded import RECORDED_STEPS, Recorded, verify_recorded
from provenance.register import verify_recorded_release
from provenance.statements import DisclosureReleaseFacts, DisclosureRequestFacts, DisclosureWorkerFacts
from provenance.trust import Trust

WORKER_STEPS: Final = {
    **RECORDED_STEPS,
    "worker_certified": "The node certified the disclosure worker.",
    "worker_of_request": "It was started for this request, byte for byte.",
    "worker_believes_alike": "It checks everything against this very trust file.",
    "worker_released": "It is of a released version, and that is recorded too.",
}
DISCLOSURE_STEPS: Final = {
    **RECORDED_STEPS,
    "worker_certified": "The node certified the disclosure worker.",
    "disclosure_signed": "That worker signed the release, with keys made for this one request.",
    "facts_agree": "It states the request, code and walls that the node saw.",
    "within_request": "No more was released than was asked for, and in time.",
}


@dataclass(frozen=True)
class VerifiedDisclosure:
    """A release of a disclosure, after every step held.

    Attributes:
        facts: the release.
        worker: the evidence for the worker.
        log_index: where the release is recorded.
        steps: one report a step, in order.
    """

    facts: DisclosureReleaseFacts
    worker: DisclosureWorkerFacts
    log_index: int
    steps: tuple[Step, ...]


def trust_digest(trust: Trust) -> str:
    """How a disclosure worker's evidence names the trust file that it decides by: SHA-256, hex.

    Of node, log, witnesses, release keys and required signatures, in their one form. Clocks and roots of
    content credentials decide nothing there: whoever believes others besides has the same digest.
    """
    decisive = replace(trust, timestamp_roots=(), required_timestamps=0, credential_roots=())
    return hashlib.sha256(decisive.to_bytes()).hexdigest()


def verify_worker(
    untrusted_proof: bytes, untrusted_release: bytes, trust: Trust, request_sha256: bytes
) -> DisclosureWorkerFacts:
    """Checks a disclosure worker, as a custodian does before any share is sealed to it.

    Args:
        untrusted_proof: a proof file of its evidence, a statement of the node.
        untrusted_release: a proof file of the release of its version.
        trust: the custodian's own.
        request_sha256: of the envelope of the request that is decided on, 32 bytes.

    Raises:
        VerificationError: with the first step that failed.
        SignatureError: `witnesses_not_named`, the trust file demands none; the log belongs to the very
            operator who starts such workers.
    """
    checklist = Checklist(WORKER_STEPS)
    recorded = _witnessed(checklist, untrusted_proof, trust, DisclosureWorkerFacts.kind(), evidence=0)
    with checklist.step("worker_certified"):
        worker = read_disclosure_worker(recorded.proof.statement, trust.node)
    with checklist.step("worker_of_request"):
        if worker.request_sha256 != request_sha256.hex():
            raise ProvenanceError("the worker was started for another request", "facts_disagree")
    with checklist.step("worker_believes_alike"):
        if worker.trust_sha256 != trust_digest(trust):
            raise ProvenanceError(
                "the worker decides by another trust file than yours; approve nothing for it", "trust_differs"
            )
    with checklist.step("worker_released"):
        verify_recorded_release(untrusted_release, trust, (worker.measurement,), None)
    return worker


def verify_disclosure(
    untrusted_proof: bytes, trust: Trust, request: DisclosureRequestFacts | None = None
) -> VerifiedDisclosure:
    """Checks the proof of a release: whoever receives one does, and an audit.

    Args:
        untrusted_proof: a proof file of the release, with the worker's evidence.
        trust: of whoever checks.
        request: what was asked for, where the caller has it.

    Raises:
        VerificationError: with the first step that failed.
        SignatureError: `witnesses_not_named`.
    """
    checklist = Checklist(DISCLOSURE_STEPS)
    recorded = _witnessed(checklist, untrusted_proof, trust, DisclosureReleaseFacts.kind(), evidence=1)
    with checklist.step("worker_certified"):
        worker = read_disclosure_worker(recorded.proof.evidence[0], trust.node)
    with checklist.step("disclosure_signed"):
        facts = DisclosureReleaseFacts.from_statement(recorded.proof.statement.verify(worker.worker_key))
    with checklist.step("facts_agree"):
        said = (facts.request_sha256, facts.measurement, facts.tier, facts.walls)
        if said != (worker.request_sha256, worker.measurement, worker.tier, worker.walls):
            raise ProvenanceError("the release is not by the worker of this request", "facts_disagree")
    if request is None:
        checklist.leave("within_request")
    else:
        with checklist.step("within_request"):
            facts.require_within(request)
    return VerifiedDisclosure(facts, worker, recorded.log_index, checklist.reports())


def _witnessed(
    checklist: Checklist, untrusted_proof: bytes, trust: Trust, kind: str, *, evidence: int
) -> Recorded:
    recorded = verify_recorded(checklist, untrusted_proof, trust, kind, evidence=evidence)
    if trust.witnesses is None or trust.witnesses.asks_nobody:
        raise SignatureError(
            "a disclosure is only checked by a trust file that names witnesses", "witnesses_not_named"
        )
    return recorded
