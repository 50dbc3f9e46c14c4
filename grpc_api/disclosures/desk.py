"""Requests, decisions, cancellations, releases: each checked, then recorded, and only then in force."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

from grpc_api.disclosures import states
from grpc_api.disclosures.book import Book, Written, request_unknown
from grpc_api.disclosures.checks import (
    check_asked,
    check_cancellation,
    check_decision,
    claimed_job,
    claimed_subject,
    require_open,
)
from grpc_api.disclosures.doors import Doors, is_answered
from grpc_api.disclosures.erasing import Eraser, require_tracks
from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.disclosures.notices import notice_of
from grpc_api.disclosures.recording import Recorder
from grpc_api.disclosures.states import DisclosureRecord, State
from grpc_api.disclosures.views import DECISIONS, Views
from grpc_api.errors import ServiceError, exhausted, precondition, unavailable
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import keys_sha256
from keyvault.custody.requests import Request
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey
from provenance.proof import ProofFile
from provenance.statements import (
    ConsentFacts,
    DisclosureCancellationFacts,
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    DisclosureWorkerFacts,
    ResharingFacts,
)
from provenance.trust import Trust

log = logging.getLogger("bauta.grpc_api")

_A_DAY_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class DeskLimits:
    """What one requester, and all of them together, may keep the service busy with.

    Attributes:
        max_open_requests: each has a worker that waits.
        max_requests_a_day: of one requester.
    """

    max_open_requests: int
    max_requests_a_day: int


class DisclosureDesk(Views):
    """Safe for threads. See `grpc_api.disclosures` for what its parts are.

    Args:
        trust: of this service; without witnesses in it nothing is disclosed.
        is_lasting: whether the service outlives the command that started it: workers wait in it.
    """

    def __init__(
        self,
        book: Book,
        kept: KeptStore,
        recorder: Recorder,
        doors: Doors,
        eraser: Eraser,
        limits: DeskLimits,
        trust: Trust,
        *,
        is_lasting: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(book, kept)
        self.eraser = eraser
        self.doors = doors
        self._recorder = recorder
        self._limits = limits
        self._trust = trust
        self._is_lasting = is_lasting
        self._clock = clock
        self._has_begun = False
        recorder.on_record(self._put_in_force)

    def begin(self) -> None:
        """Takes up what the last service left: its workers are gone, its statements are recorded."""
        for record in self.book.requests(*states.OPEN, limit=-1):
            lost = "release_lost" if is_answered(record) else "worker_lost"
            self.book.change(record.request_sha256, partial(states.lose, code=lost))
        self._recorder.settle()
        self.eraser.catch_up()
        self._has_begun = True

    def sweep(self) -> None:
        """Ends what has expired, notices workers that died, and tries again what waits for the log."""
        now = self._clock()
        for record in self.book.requests(*states.OPEN, limit=-1):
            if record.expires_at <= now:
                self._end(record.request_sha256, states.expire)
        self.doors.look_after()
        self._recorder.settle()
        self.eraser.catch_up()

    def ask(self, untrusted: Envelope, requester: HybridPublicKey) -> DisclosureRecord:
        """Takes a request, and starts the worker that may answer it.

        Raises:
            CustodianError: as `check_asked`; consent_missing.
            ServiceError: `witnesses_not_named`, `service_not_lasting`, `nothing_kept`, `track_unknown`,
                `too_many_requests`; or the log's code.
        """
        self._require_able()
        with self._recorder.one_at_a_time:
            kept = self.successions.now(claimed_job(untrusted))
            name = untrusted.digest.hex()
            known = self.book.statement(name)
            if known is None:
                request = check_asked(
                    kept, untrusted, requester, self.eraser.erased(kept.job_id), self._now()
                )
                require_tracks(self.kept, kept.job_id, request.facts.tracks)
                self._require_consent(request)
                self._require_room(request.facts.requester_key_sha256)
                self.book.keep_policy(kept.policy)
            if known is None or known.log_index is None:
                self._recorder.record(Written(DisclosureRequestFacts.kind(), untrusted, requester, name))
            return self.book.request(name)

    def decide(
        self, untrusted: Envelope, custodian: HybridPublicKey, untrusted_share: bytes
    ) -> DisclosureRecord:
        """Takes a custodian's approval or denial.

        Raises:
            CustodianError: as `check_decision`.
            ServiceError: `request_unknown`, `request_ended`; or the log's code.
        """
        self._require_begun()
        with self._recorder.one_at_a_time:
            record = self.book.request(claimed_subject(untrusted))
            known = self.book.statement(untrusted.digest.hex())
            if known is None or known.log_index is None:
                states.require_open(record)
                kept, request = self.successions.now(record.job_id), self.request_of(record)
                decided = check_decision(
                    kept,
                    request,
                    self._worker_of(record),
                    untrusted,
                    custodian,
                    untrusted_share,
                    self._decided(record, besides=untrusted.digest.hex()),
                    self._now(),
                )
                written = Written(
                    decided.facts.kind(), untrusted, custodian, record.request_sha256, untrusted_share
                )
                self._recorder.record(written)
            return self.book.request(record.request_sha256)

    def cancel(self, untrusted: Envelope) -> DisclosureRecord:
        """Takes a cancellation by who made the request.

        Raises:
            CustodianError: requester_unknown.
            ServiceError: `request_unknown`, `request_ended`; or the log's code.
        """
        with self._recorder.one_at_a_time:
            record = self.book.request(claimed_subject(untrusted))
            asked = self.book.statement(record.request_sha256)
            if asked is None or asked.signer is None:
                raise request_unknown()
            check_cancellation(untrusted, asked.signer)
            states.require_open(record)
            kind = DisclosureCancellationFacts.kind()
            self._recorder.record(Written(kind, untrusted, asked.signer, record.request_sha256))
            return self.book.request(record.request_sha256)

    def release(self, request_sha256: str, asker: str) -> DisclosureRecord:
        """Has the worker disclose; custodians and the requester may ask for it.

        Raises:
            CustodianError: quorum_not_met, cool_off_running or request_expired, as far as the desk can tell.
            ServiceError: `request_ended`, `request_unknown`, and what `Doors.release` raises.
            EnclaveError: the worker is gone.
        """
        record = self.seen_by(asker, request_sha256)
        states.require_open(record)
        kept = self.successions.now(record.job_id)
        require_open(self.request_of(record), self._now())
        if record.state is not State.READY:
            raise CustodianError("quorum_not_met", "too few custodians, or not the right ones, agree")
        cool_off = timedelta(minutes=kept.policy.requests.cool_off_minutes)
        if self._clock() - record.recorded_at < cool_off.total_seconds():
            raise CustodianError("cool_off_running", "the time between request and release is not over")
        first, dealt = self.kept.get(record.job_id), self.successions.dealings(record.job_id)
        released = self.doors.release(record, first, dealt)
        self._tell(kept, released)
        return released

    def redeal(
        self,
        untrusted: Envelope,
        dealer: HybridPublicKey,
        untrusted_redealt: bytes,
        untrusted_policy: str,
        untrusted_parts: bytes,
    ) -> tuple[bytes, bool]:
        """Takes one custodian's part in a re-sharing.

        Returns:
            The proof file of their statement, and whether that policy is in force with it.

        Raises:
            CustodianError: as `Successions.check`.
            ServiceError: `witnesses_not_named`, `nothing_kept`, `dealing_waiting`; as `Successions.check`; or
                the log's code.
        """
        self._require_begun()
        self._require_witnesses()
        with self._recorder.one_at_a_time:
            kept = self.kept.get(claimed_job(untrusted))
            self._require_settled(kept.job_id, untrusted.digest)
            known = self.book.statement(untrusted.digest.hex())
            if known is None or known.log_index is None:
                policy = self.successions.check(
                    kept, untrusted, dealer, untrusted_redealt, untrusted_policy, untrusted_parts
                )
                # Durable before the statement is, as that is before its record.
                self.book.keep_policy(kept.policy)
                self.book.keep_policy(policy)
                self.book.keep_first_sharing(kept.job_id, kept.sharing)
                self.book.keep_redealt(untrusted, untrusted_redealt)
                kind = ResharingFacts.kind()
                index = self._recorder.record(Written(kind, untrusted, dealer, kept.job_id, untrusted_parts))
            else:
                index = known.log_index
            made = {
                dealing.recorded.statement.digest
                for step in self.successions.of(kept).steps
                for dealing in step.dealings.values()
            }
            return self._recorder.proof(untrusted, index), untrusted.digest in made

    def _require_settled(self, job_id: str, besides: bytes) -> None:
        """What was dealt before goes into the log before: this one might come from shares that are left."""
        self._recorder.settle()
        for one in self.book.unplaced():
            is_dealing = (one.kind, one.about) == (ResharingFacts.kind(), job_id)
            if is_dealing and one.envelope.digest != besides:
                raise unavailable(
                    "dealing_waiting", "Another dealing of this job waits for the log; try again."
                )

    def _put_in_force(self, statement: Written, index: int) -> None:
        """What each recorded statement does; to be told twice changes nothing."""
        match statement.kind:
            case "disclosure-request":
                self._take_request(statement, index)
            case "disclosure-approval" | "disclosure-denial":
                self._take_decision(statement)
            case "disclosure-cancellation":
                self._end(statement.about, _cancelled)
            case "resharing":
                self._take_dealing(statement, index)
            case "consent":
                self.eraser.take_consent(statement)
            case "consent-withdrawal":
                self.eraser.take_withdrawal(statement)
            case _:
                pass  # Of a worker or the vault: who records it goes on by itself.

    def _take_request(self, statement: Written, index: int) -> None:
        facts = DisclosureRequestFacts.from_statement(statement.envelope.payload)
        expires_at = datetime.fromisoformat(facts.expires_at).timestamp()
        record = DisclosureRecord(
            request_sha256=statement.about,
            job_id=facts.job_id,
            requester=facts.requester_key_sha256,
            recorded_at=self._clock(),
            expires_at=expires_at,
            proof=self._recorder.proof(statement.envelope, index),
        )
        if self.book.open_request(record) is record:
            self.doors.open(statement)

    def _take_decision(self, statement: Written) -> None:
        record = self.book.request(statement.about)
        if not record.state.is_open:
            return
        policy = self.successions.now(record.job_id).policy
        approved, denied = (
            {keys_sha256(one.signer) for one in self.decisions(record) if one.kind == kind and one.signer}
            for kind in DECISIONS
        )
        after = self.book.change(
            record.request_sha256, lambda before: states.count(before, policy, approved, denied)
        )
        self.book.announce()
        if after.state is State.DENIED:
            self.doors.close(record.request_sha256)

    def _take_dealing(self, statement: Written, index: int) -> None:
        # A worker that finds a dealing behind its request refuses: shares may be others by then.
        for record in self.book.requests(*states.OPEN, limit=-1):
            if record.job_id == statement.about:
                self._end(record.request_sha256, partial(states.lose, code="request_reshared"))
        try:
            step = self.successions.complete(self.kept.get(statement.about), index)
        except ServiceError:
            return  # Everything of the job was erased meanwhile.
        if step is not None:
            log.info("the custody of a job changed hands, at entry %d", index)

    def _end(self, request_sha256: str, transition: Callable[[DisclosureRecord], DisclosureRecord]) -> None:
        self.book.change(request_sha256, transition)
        self.doors.close(request_sha256)

    def _require_begun(self) -> None:
        # What the last service left is not sorted out yet: a decision now could be on a worker that is gone.
        if not self._has_begun:
            raise unavailable("worker_not_ready", "The worker is still coming up; try again.")

    def _require_able(self) -> None:
        self._require_begun()
        self._require_witnesses()
        if not self._is_lasting:
            raise precondition(
                "service_not_lasting",
                "This service ends with its command, and a disclosure worker with it; use `bauta serve`.",
            )

    def _require_witnesses(self) -> None:
        witnesses = self._trust.witnesses
        if witnesses is None or witnesses.asks_nobody:
            raise precondition(
                "witnesses_not_named",
                "This service's configuration names no witnesses, and without them its operator could show "
                "everybody another log: nothing is disclosed here.",
            )

    def _require_room(self, requester: str) -> None:
        if len(self.book.requests(*states.OPEN, limit=-1)) >= self._limits.max_open_requests:
            raise exhausted("too_many_requests", "Too many requests are open here; wait for one to end.")
        today = self.book.made_since(requester, self._clock() - _A_DAY_SECONDS)
        if today >= self._limits.max_requests_a_day:
            raise exhausted("too_many_requests", "These keys have made too many requests in a day.")

    def _require_consent(self, request: Request) -> None:
        """Where consent is the reason, whoever is asked about must have given it, and not taken it back."""
        if request.facts.legal_basis != "consent":
            return
        given = [
            ConsentFacts.from_statement(one.envelope.payload)
            for one in self.eraser.standing_consents(request.facts.job_id)
        ]
        covered = {track for one in given if request.facts.purpose in one.purposes for track in one.tracks}
        if not set(request.facts.tracks) <= covered:
            raise CustodianError(
                "consent_missing",
                "no standing consent covers every track that is asked for, for this purpose",
            )

    def _decided(self, record: DisclosureRecord, besides: str) -> set[str]:
        """Who has decided, recorded or on the way there."""
        waiting = [one for one in self.book.unplaced() if one.about == record.request_sha256]
        return {
            keys_sha256(one.signer)
            for one in (*self.decisions(record), *waiting)
            if one.kind in DECISIONS and one.signer and one.envelope.digest.hex() != besides
        }

    def _worker_of(self, record: DisclosureRecord) -> DisclosureWorkerFacts | None:
        found = self.book.statement(record.worker_sha256) if record.worker_sha256 else None
        return None if found is None else DisclosureWorkerFacts.from_statement(found.envelope.payload)

    def _tell(self, kept: Kept, record: DisclosureRecord) -> None:
        try:
            proof = ProofFile.from_bytes(record.release_proof)
            released = DisclosureReleaseFacts.from_statement(proof.statement.payload)
            asked = self.request_of(record).facts
            notice = notice_of(kept, asked, released, record.release_proof, self._clock())
        except ProvenanceError as error:
            log.error("a notice could not be made: %s", error.code)
            return
        if notice is not None:
            self.book.post(notice)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock(), UTC)


def _cancelled(record: DisclosureRecord) -> DisclosureRecord:
    return states.cancel(record) if record.state.is_open else record
