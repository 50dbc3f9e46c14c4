"""Everything that must hold before a region is uncovered, in the order of ADR 24. A pure function.

What is believed: the trust file, whose digest the custodians compared with that of their own; the request,
whose digest they named; the keys that this worker made itself. Everything else is shown by the operator:
each statement counts by its signature and by its place in the log, and the log by its witnesses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from enclave.disclosing import DisclosureOrder
from enclave.disclosure.in_force import InForce, in_force
from enclave.disclosure.materials import Materials
from enclave.errors import WorkerError
from keyvault.custody.errors import CustodianError
from keyvault.custody.history import History, read_history
from keyvault.custody.requests import Request, check_request
from keyvault.custody.sharing import recovery_key
from keyvault.custody.tally import Moment, Tally
from keyvault.custody.witnessed import Witnessed, require_witnessed
from keyvault.release import OneJobKey
from provenance.certified import AGREED_FACTS, read_evidence, read_job
from provenance.checklist import Checklist
from provenance.dsse import Envelope
from provenance.entry import Entry
from provenance.errors import ProvenanceError, SignatureError
from provenance.recorded import RECORDED_STEPS, verify_recorded
from provenance.register import verify_recorded_release
from provenance.statements import (
    DisclosureApprovalFacts,
    DisclosureCountFacts,
    DisclosureDenialFacts,
    DisclosureRequestFacts,
    JobFacts,
)
from provenance.trust import Trust


@dataclass(frozen=True)
class Granted:
    """What a quorum gave: the recovery key of one job, for the scope of one request.

    Attributes:
        job: what the job's worker said.
        request: what is to be disclosed, and to whom.
        approvals_sha256: of the approvals' envelopes, sorted, hex.
        blamed: who approved and gave no true share, and the code of what was wrong.
        now: when.
        recovery_key: 32 bytes.
    """

    job: JobFacts
    request: DisclosureRequestFacts
    approvals_sha256: tuple[str, ...]
    blamed: dict[str, str]
    now: Moment
    recovery_key: bytes = field(repr=False)


@dataclass(frozen=True)
class Counting:
    """This worker, about to count.

    Attributes:
        order: what it was started with.
        one_job_key: what shares were sealed to.
        counted: the statement that it has just signed, with a nonce that it has just drawn.
        seconds_since: since it drew that, by its own stopwatch.
    """

    order: DisclosureOrder
    one_job_key: OneJobKey
    counted: Envelope
    seconds_since: float


def check(counting: Counting, materials: Materials) -> Granted:
    """Checks all of it, counts, and rebuilds the recovery key.

    Args:
        counting: this worker.
        materials: what the front desk shows.

    Raises:
        CustodianError: a rule of custody does not hold; the code says which.
        ProvenanceError: a proof or a statement is not what it must be.
        WorkerError: `witnesses_not_named`, `nothing_kept`, `history_stale`, `facts_disagree`,
            `requester_unknown`, `custody_policy_changed`, `sharing_changed`.
    """
    trust = counting.order.trust
    job, statement = _job(materials, trust)
    seen = require_witnessed(materials.request_proof, trust, DisclosureRequestFacts.kind())
    if seen.statement.digest != counting.order.request.digest:
        raise WorkerError("the proof is of another request", "facts_disagree")
    history = _history(counting, materials, statement)
    decides = in_force(job, history, seen.log_index, materials)
    request = _request(counting, materials, decides, job)
    tally = Tally(decides.policy, decides.sharing, request, seen, counting.one_job_key)
    _count(tally, history, request, materials)
    # The checkpoint with this worker's own fresh entry in it was signed after that was drawn, and has come.
    now = Moment(history.first.earliest, history.first.latest + timedelta(seconds=counting.seconds_since))
    secret = tally.rebuild(history, now)
    return Granted(
        job=job,
        request=request.facts,
        approvals_sha256=tally.approvals_sha256,
        blamed=tally.blamed,
        now=now,
        recovery_key=recovery_key(secret, decides.sharing.context),
    )


def _job(materials: Materials, trust: Trust) -> tuple[JobFacts, Envelope]:
    """The job, as its worker signed it: certified by the node, of a released version, recorded, witnessed."""
    if trust.witnesses is None or trust.witnesses.asks_nobody:
        raise SignatureError("the trust file names no witnesses", "witnesses_not_named")
    checklist = Checklist(RECORDED_STEPS)
    recorded = verify_recorded(checklist, materials.job_proof, trust, JobFacts.kind(), evidence=1)
    evidence = read_evidence(recorded.proof.evidence[0], trust.node, trust.required_signatures)
    facts = read_job(recorded.proof.statement, evidence, trust.required_signatures)
    if any(getattr(facts, name) != getattr(evidence, name) for name in AGREED_FACTS):
        raise ProvenanceError("the worker's statement is not about the released job", "facts_disagree")
    verify_recorded_release(materials.job_release, trust, (facts.measurement,), None)
    if not facts.recovery:
        raise WorkerError("nothing of this job was kept: its covers stay for good", "nothing_kept")
    return facts, recorded.proof.statement


def _history(counting: Counting, materials: Materials, job: Envelope) -> History:
    """The log from the job to an end that is younger than this worker's own count."""
    history = read_history(
        materials.history_proof, materials.entries, materials.statements, counting.order.trust
    )
    if history.first.statement.digest != job.digest:
        raise WorkerError("the log is not shown from the job of the request on", "facts_disagree")
    if Entry(DisclosureCountFacts.kind(), counting.counted.digest) not in materials.entries:
        raise WorkerError("the log that is shown is older than this worker's count", "history_stale")
    return history


def _request(counting: Counting, materials: Materials, decides: InForce, job: JobFacts) -> Request:
    """The request, by a requester of the policy that decides, and about this job."""
    envelope = counting.order.request
    named = DisclosureRequestFacts.from_statement(envelope.payload).requester_key_sha256
    requester = materials.keys.get(named)
    if requester is None:
        raise WorkerError("the requester's public key is not shown", "requester_unknown")
    request = check_request(decides.policy, envelope, requester)
    if request.facts.job_id != job.job_id:
        raise WorkerError("the request is about another job", "facts_disagree")
    return request


def _count(tally: Tally, history: History, request: Request, materials: Materials) -> None:
    """Takes every decision on the request in the order of the log; one that does not hold does not count."""
    for recorded in history.recorded:
        seen = Witnessed(
            recorded.statement,
            recorded.kind,
            recorded.log_index,
            history.first.earliest,
            history.first.latest,
        )
        try:
            if recorded.kind == DisclosureApprovalFacts.kind():
                approval = DisclosureApprovalFacts.from_statement(recorded.statement.payload)
                key = materials.keys.get(approval.custodian_key_sha256)
                share = materials.sealed_shares.get(approval.share_sha256)
                if key is not None and share is not None and approval.request_sha256 == request.digest.hex():
                    tally.take_approval(seen, key, share)
            elif recorded.kind == DisclosureDenialFacts.kind():
                denial = DisclosureDenialFacts.from_statement(recorded.statement.payload)
                key = materials.keys.get(denial.custodian_key_sha256)
                # Where its key is not shown, it still stands in the history, and ends a later approval.
                if key is not None and denial.request_sha256 == request.digest.hex():
                    tally.take_denial(seen, key)
        except (CustodianError, ProvenanceError):
            continue
