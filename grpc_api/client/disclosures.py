"""What a requester or a custodian does over a connection, with everything checked before it is believed.

The service belongs to the operator, who must not be able to have a share sealed to a worker of their own, or
under a policy of their own. So a custodian starts from the job's statement, signed by its worker, recorded
and witnessed, and goes from there: policy, sharing, request, worker.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from grpc_api.client.connection import Connection, service_errors
from grpc_api.client.outputs import create_private
from grpc_api.client.resharing import follow, holding_of, read_keys
from grpc_api.client.transfer import resuming
from grpc_api.errors import invalid, precondition
from keyvault.custody.access import Access
from keyvault.custody.holding import Holding
from keyvault.custody.policy import CustodyPolicy, parse_custody_policy
from keyvault.custody.requests import Request, check_request
from keyvault.custody.sharing import Sharing, job_context
from keyvault.custody.succession import Succession
from keyvault.custody.witnessed import Witnessed, require_witnessed
from protos.bauta.v1 import disclosures_pb2
from provenance.certified import AGREED_FACTS, read_evidence, read_job
from provenance.checklist import Checklist
from provenance.disclosing import verify_disclosure, verify_worker
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.recorded import RECORDED_STEPS, verify_recorded
from provenance.statements import (
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    DisclosureWorkerFacts,
    JobFacts,
    ResharingFacts,
)
from provenance.trust import Trust

MAX_SHEET_BYTES = 48 << 20


class Asker(Protocol):
    """Whoever signs questions: `console.custodian_process.CustodianProcess`."""

    def access(self, service: str, call: str, about: str = "") -> Access:
        """Signs one."""


@dataclass(frozen=True)
class KeptJob:
    """How a job's recovery key is kept: as the job's own worker said it, and its custodians since.

    Attributes:
        job: the statement.
        statement: its envelope.
        policy: the custody policy.
        sharing: the public part of the divided key, as it counts now; likewise the policy.
        sealed_share: the asker's own, or after a re-sharing the dealers' parts of it; empty for who is no
            custodian.
        sheet_bytes: size of the sealed sheet in bytes; 0 where there is none.
        succession: how custody came to where it is, on record and witnessed.
    """

    job: JobFacts
    statement: Envelope
    policy: CustodyPolicy
    sharing: Sharing
    sealed_share: bytes | Holding
    sheet_bytes: int
    succession: Succession

    def at(self, log_index: int) -> KeptJob:
        """As it was at a place in the log; a share of one that was left is no more."""
        policy, sharing = self.succession.at(log_index)
        share = self.sealed_share if sharing == self.sharing else b""
        return replace(self, policy=policy, sharing=sharing, sealed_share=share)


@dataclass(frozen=True)
class Asked:
    """A request as a custodian may rely on it.

    Attributes:
        disclosure: the service's word on where it stands.
        envelope: the request.
        request: checked by the job's policy.
        requester: who signed it.
        recorded: where the witnessed log has it.
        worker: that waits, checked; None while there is none.
        consents: proof files of standing consents, and who signed them; the caller checks them.
    """

    disclosure: disclosures_pb2.Disclosure
    envelope: Envelope
    request: Request
    requester: HybridPublicKey
    recorded: Witnessed
    worker: DisclosureWorkerFacts | None
    consents: tuple[tuple[bytes, HybridPublicKey], ...]


class DisclosureClient:
    """The service of disclosures, seen by somebody with keys.

    Args:
        connection: to the service.
        trust: what of it is believed.
        asker: signs questions; None for the service's operator on its own socket.
    """

    def __init__(self, connection: Connection, trust: Trust, asker: Asker | None) -> None:
        self._connection = connection
        self._stub = connection.disclosures
        self._trust = trust
        self._asker = asker

    def custody(self, job_id: str) -> KeptJob:
        """How a job's recovery key is kept.

        Raises:
            ServiceError: with the service's code; `custody_differs`: what it shows is not what the job's
                worker signed.
            ProvenanceError: the job's proof does not hold, or that of a re-sharing.
            CustodianError: what was dealt is malformed.
        """
        request = disclosures_pb2.GetCustodyRequest(access=self._access("GetCustody", job_id), job_id=job_id)
        with service_errors():
            shown = self._stub.GetCustody(request)
        job, statement = read_kept_job(shown.job_proof, self._trust)
        policy = parse_custody_policy(shown.custody_policy)
        sharing = Sharing.from_bytes(shown.sharing)
        named = (job.job_id, job.recovery.get("custody_policy"), job.recovery.get("sharing"))
        if named != (job_id, policy.digest.hex(), sharing.digest.hex()):
            raise invalid(
                "custody_differs", "The service shows another custody than the job's worker signed."
            )
        if sharing.context != job_context(bytes.fromhex(job_id)):
            raise invalid("custody_differs", "The shares are of another job.")
        succession = Succession(policy, sharing, bytes.fromhex(job_id))
        parts = self._followed(job_id, succession)
        share: bytes | Holding = shown.sealed_share
        if succession.steps:
            share = holding_of(succession.steps[-1], parts) or b""
        now = succession.policy, succession.sharing
        return KeptJob(job, statement, *now, share, shown.sheet_bytes, succession)

    def redeal(
        self,
        job_id: str,
        dealing: Envelope,
        dealer: HybridPublicKey,
        redealt: bytes,
        policy: str,
        sealed_parts: bytes,
    ) -> tuple[Witnessed, bool]:
        """Hands in one custodian's part in a re-sharing.

        Returns:
            Where the witnessed log has it, and whether the new policy decides from here on: by what the log
            shows, not by the service's word.

        Raises:
            ServiceError: with the service's code; `proof_of_other_request`.
            ProvenanceError: the service does not show that it is recorded.
        """
        request = disclosures_pb2.RedealRequest(
            dealing=dealing.to_bytes(),
            dealer=_keys(dealer),
            redealt=redealt,
            custody_policy=policy,
            sealed_parts=sealed_parts,
        )
        with service_errors():
            answer = self._stub.Redeal(request)
        seen = require_witnessed(answer.proof, self._trust, ResharingFacts.kind())
        if seen.statement.digest != dealing.digest:
            raise invalid("proof_of_other_request", "The proof is sound, but of another dealing.")
        steps = self.custody(job_id).succession.steps
        return seen, any(
            one.recorded.statement.digest == dealing.digest
            for step in steps
            for one in step.dealings.values()
        )

    def _followed(self, job_id: str, succession: Succession) -> Mapping[bytes, bytes]:
        """Takes all that was dealt anew; the asker's own parts."""
        access = self._access("GetResharings", job_id)
        request = disclosures_pb2.GetResharingsRequest(access=access, job_id=job_id)
        asker = Access.from_bytes(access).asker
        with service_errors():
            return follow(succession, self._stub.GetResharings(request), self._trust, asker)

    def sheet(self, kept: KeptJob) -> bytes:
        """The sealed sheet of covered thumbnails.

        Raises:
            ServiceError: with the service's code; `sheet_too_large`, `custody_differs`.
        """
        job_id = kept.job.job_id
        sealed = bytearray()
        with service_errors():
            access = self._access("GetSheet", job_id)
            for part in self._stub.GetSheet(disclosures_pb2.GetSheetRequest(access=access, job_id=job_id)):
                sealed += part.chunk
                if len(sealed) > MAX_SHEET_BYTES:
                    raise invalid("sheet_too_large", "The sheet is larger than any sheet is.")
        if hashlib.sha256(sealed).hexdigest() != kept.job.recovery["sheet"]:
            raise invalid("custody_differs", "The sheet is not the one that the job's worker sealed.")
        return bytes(sealed)

    def ask(self, envelope: Envelope, requester: HybridPublicKey) -> disclosures_pb2.Disclosure:
        """Makes a request; its record is checked before it is believed.

        Raises:
            ServiceError: with the service's code.
            ProvenanceError: the service does not show that it is recorded.
        """
        request = disclosures_pb2.RequestDisclosureRequest(
            request=envelope.to_bytes(), requester=_keys(requester)
        )
        with service_errors():
            answer = self._stub.RequestDisclosure(request)
        seen = require_witnessed(answer.proof, self._trust, DisclosureRequestFacts.kind())
        if seen.statement.digest != envelope.digest:
            raise invalid("proof_of_other_request", "The proof is sound, but of another request.")
        return answer.disclosure

    def all(self) -> list[disclosures_pb2.Disclosure]:
        """The asker's requests, newest first."""
        request = disclosures_pb2.ListDisclosuresRequest(access=self._access("ListDisclosures", ""))
        with service_errors():
            return list(self._stub.ListDisclosures(request).disclosures)

    def watch(self) -> Iterator[disclosures_pb2.Disclosure]:
        """The asker's requests, each again whenever it has changed, for as long as the service answers."""
        request = disclosures_pb2.WatchDisclosuresRequest(access=self._access("WatchDisclosures", ""))
        with service_errors():
            for change in self._stub.WatchDisclosures(request):
                yield change.disclosure

    def show(self, name: bytes, custody: Callable[[str], KeptJob]) -> tuple[Asked, KeptJob]:
        """One request, with everything about it checked.

        Args:
            name: SHA-256 of the request's envelope.
            custody: `custody`, or what was learned from it before.

        Raises:
            ServiceError: with the service's code; `proof_of_other_request`.
            ProvenanceError: a proof does not hold, or the trust file names no witnesses.
            CustodianError: the job's policy does not take the request.
        """
        access = self._access("GetDisclosure", name.hex())
        with service_errors():
            shown = self._stub.GetDisclosure(
                disclosures_pb2.GetDisclosureRequest(access=access, request_sha256=name)
            )
        recorded = require_witnessed(shown.proof, self._trust, DisclosureRequestFacts.kind())
        if recorded.statement.digest != name:
            raise invalid("proof_of_other_request", "The proof is sound, but of another request.")
        facts = DisclosureRequestFacts.from_statement(recorded.statement.payload)
        kept = custody(facts.job_id).at(recorded.log_index)
        requester = read_keys(shown.disclosure.requester)
        request = check_request(kept.policy, recorded.statement, requester)
        if request.facts.job_statement_sha256 != kept.statement.digest.hex():
            raise invalid("request_other_job", "The request names another result than the job had.")
        worker = None
        if shown.worker_proof:
            worker = verify_worker(shown.worker_proof, shown.worker_release, self._trust, name)
        consents = tuple((one.proof, read_keys(one.giver)) for one in shown.consents)
        return (
            Asked(shown.disclosure, recorded.statement, request, requester, recorded, worker, consents),
            kept,
        )

    def decide(
        self, decision: Envelope, custodian: HybridPublicKey, sealed_share: bytes = b""
    ) -> disclosures_pb2.Disclosure:
        """Hands a decision in.

        Raises:
            ServiceError: with the service's code.
        """
        request = disclosures_pb2.DecideDisclosureRequest(
            decision=decision.to_bytes(), custodian=_keys(custodian), sealed_share=sealed_share
        )
        with service_errors():
            return self._stub.DecideDisclosure(request).disclosure

    def cancel(self, cancellation: Envelope) -> disclosures_pb2.Disclosure:
        """Takes a request back.

        Raises:
            ServiceError: with the service's code.
        """
        request = disclosures_pb2.CancelDisclosureRequest(cancellation=cancellation.to_bytes())
        with service_errors():
            return self._stub.CancelDisclosure(request).disclosure

    def release(self, name: bytes) -> disclosures_pb2.Disclosure:
        """Has the worker disclose; takes as long as that does.

        Raises:
            ServiceError: with the service's code, or the worker's.
        """
        request = disclosures_pb2.ReleaseDisclosureRequest(
            access=self._access("ReleaseDisclosure", name.hex()), request_sha256=name
        )
        with service_errors():
            return self._stub.ReleaseDisclosure(request).disclosure

    def fetch(self, disclosure: disclosures_pb2.Disclosure, target: Path) -> None:
        """Fetches a sealed disclosure into a new file; through broken connections.

        Raises:
            ServiceError: with the service's code, or `result_digest_wrong`.
        """
        name, digest = disclosure.request_sha256, hashlib.sha256()
        with create_private(target) as file:

            def attempt() -> None:
                access = self._access("FetchDisclosure", name.hex())
                request = disclosures_pb2.FetchDisclosureRequest(
                    access=access, request_sha256=name, offset=file.tell()
                )
                for part in self._stub.FetchDisclosure(request):
                    if file.tell() + len(part.chunk) > disclosure.disclosure_bytes:
                        raise _damaged()
                    digest.update(part.chunk)
                    file.write(part.chunk)

            resuming(self._connection, attempt)
            size = file.tell()
        if (size, digest.digest()) != (disclosure.disclosure_bytes, disclosure.disclosure_sha256):
            target.unlink()
            raise _damaged()

    def check_release(
        self, disclosure: disclosures_pb2.Disclosure, request: DisclosureRequestFacts
    ) -> DisclosureReleaseFacts:
        """Checks the proof of a release: witnessed, signed by the request's worker, within its scope.

        Raises:
            ProvenanceError: it does not hold.
            ServiceError: `proof_of_other_request`, it is of something else.
        """
        facts = verify_disclosure(disclosure.release_proof, self._trust, request).facts
        named = (facts.request_sha256, facts.disclosure_sha256)
        if named != (disclosure.request_sha256.hex(), disclosure.disclosure_sha256.hex()):
            raise invalid("proof_of_other_request", "The proof is sound, but of another release.")
        return facts

    def notices(self) -> list[disclosures_pb2.Notice]:
        """The caller's sealed notices that are due."""
        with service_errors():
            return list(self._stub.ListNotices(disclosures_pb2.ListNoticesRequest()).notices)

    def record(self) -> Iterator[bytes]:
        """The record file of the service, in pieces."""
        request = disclosures_pb2.ReadRecordRequest(access=self._access("ReadRecord", ""))
        with service_errors():
            for part in self._stub.ReadRecord(request):
                yield part.chunk

    def _access(self, call: str, about: str) -> bytes:
        if self._asker is None:
            return b""
        return self._asker.access(self._trust.log_origin, call, about).to_bytes()


def read_kept_job(untrusted_proof: bytes, trust: Trust) -> tuple[JobFacts, Envelope]:
    """Takes a job's statement out of its proof: recorded, certified, signed; without the file it is about.

    Raises:
        VerificationError: with the first step that failed.
        ProvenanceError: a signature is false, or the two statements are not about one job.
    """
    recorded = verify_recorded(Checklist(RECORDED_STEPS), untrusted_proof, trust, JobFacts.kind(), evidence=1)
    evidence = read_evidence(recorded.proof.evidence[0], trust.node, trust.required_signatures)
    facts = read_job(recorded.proof.statement, evidence, trust.required_signatures)
    if any(getattr(facts, name) != getattr(evidence, name) for name in AGREED_FACTS):
        raise ProvenanceError("the worker's statement is not about the released job", "facts_disagree")
    return facts, recorded.proof.statement


def _keys(key: HybridPublicKey) -> disclosures_pb2.SigningKeys:
    return disclosures_pb2.SigningKeys(ed25519=key.ed25519, mldsa65=key.mldsa65)


def _damaged() -> Exception:
    return precondition("result_digest_wrong", "What was sealed for you was damaged on the way.")
