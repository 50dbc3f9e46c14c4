"""DisclosureService: translates between the wire and the desk of disclosures."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from grpc_api.disclosures.askers import OPERATOR, Askers, keys_without_part
from grpc_api.disclosures.book import Written
from grpc_api.disclosures.checks import claimed_job, read_envelope, read_keys
from grpc_api.disclosures.desk import DisclosureDesk
from grpc_api.disclosures.fetching import chunks_from
from grpc_api.disclosures.materials import Archive
from grpc_api.disclosures.record import record_lines
from grpc_api.disclosures.states import DisclosureRecord, State
from grpc_api.errors import exhausted, invalid, precondition
from grpc_api.identity import LOCAL, caller
from protos.bauta.v1 import disclosures_pb2, disclosures_pb2_grpc
from provenance.keys import HybridPublicKey
from provenance.statements import ConsentFacts, DisclosureRequestFacts, DisclosureWorkerFacts

MAX_WATCHERS = 16
MAX_READERS = 2
MAX_ERASED_TRACKS = 4096
MAX_ERASURES = 32
"""After so many, with those of the last job, whoever erases asks again: an answer holds no more."""
# How long a watcher waits before it looks whether its client is still there.
_WATCH_SECONDS = 5.0
_SHA256_BYTES = 32

_STATES = {
    State.WAITING: disclosures_pb2.DISCLOSURE_STATE_WAITING,
    State.READY: disclosures_pb2.DISCLOSURE_STATE_READY,
    State.RELEASED: disclosures_pb2.DISCLOSURE_STATE_RELEASED,
    State.DENIED: disclosures_pb2.DISCLOSURE_STATE_DENIED,
    State.CANCELLED: disclosures_pb2.DISCLOSURE_STATE_CANCELLED,
    State.EXPIRED: disclosures_pb2.DISCLOSURE_STATE_EXPIRED,
    State.LOST: disclosures_pb2.DISCLOSURE_STATE_LOST,
}


class DisclosureServicer(disclosures_pb2_grpc.DisclosureServiceServicer):
    """Every method: who asks, what they may, the desk, and back onto the wire."""

    def __init__(self, desk: DisclosureDesk, askers: Askers, archive: Archive) -> None:
        self._desk = desk
        self._askers = askers
        self._archive = archive
        # A watcher holds one of the server's threads, a reader the whole log in memory.
        self._watchers = threading.BoundedSemaphore(MAX_WATCHERS)
        self._readers = threading.BoundedSemaphore(MAX_READERS)

    def GetCustody(
        self, request: disclosures_pb2.GetCustodyRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.GetCustodyResponse:
        """How a job's recovery key is kept."""
        asker = self._askers.require(request.access, "GetCustody", request.job_id)
        kept = self._desk.custody_for(asker, request.job_id)
        proof = self._archive.ledger.prove(kept.job_statement, (kept.job_evidence,), kept.log_index)
        return disclosures_pb2.GetCustodyResponse(
            custody_policy=kept.custody_policy,
            sharing=kept.sharing,
            job_proof=proof,
            sealed_share=kept.shares.get(asker, b""),
            sheet_bytes=self._desk.kept.sheet_bytes(kept.job_id),
        )

    def RequestDisclosure(
        self, request: disclosures_pb2.RequestDisclosureRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.RequestDisclosureResponse:
        """Records a request."""
        record = self._desk.ask(read_envelope(request.request), read_keys(request.requester))
        return disclosures_pb2.RequestDisclosureResponse(disclosure=self._to_wire(record), proof=record.proof)

    def ListDisclosures(
        self, request: disclosures_pb2.ListDisclosuresRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.ListDisclosuresResponse:
        """The asker's requests."""
        asker = self._askers.require_or_operator(caller(context), request.access, "ListDisclosures", "")
        found = [self._to_wire(record, is_short=True) for record in self._desk.all_seen_by(asker)]
        return disclosures_pb2.ListDisclosuresResponse(disclosures=found)

    def GetDisclosure(
        self, request: disclosures_pb2.GetDisclosureRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.GetDisclosureResponse:
        """One request with all that is needed to check it."""
        name = _name(request.request_sha256)
        asker = self._askers.require_or_operator(caller(context), request.access, "GetDisclosure", name)
        record = self._desk.seen_by(asker, name)
        return disclosures_pb2.GetDisclosureResponse(
            disclosure=self._to_wire(record),
            proof=record.proof,
            **self._worker_of(record),
            consents=self._consents_of(record),
        )

    def WatchDisclosures(
        self, request: disclosures_pb2.WatchDisclosuresRequest, context: grpc.ServicerContext
    ) -> Iterator[disclosures_pb2.WatchDisclosuresResponse]:
        """The asker's requests, and every change of them."""
        asker = self._askers.require_or_operator(caller(context), request.access, "WatchDisclosures", "")
        if asker != OPERATOR and not self._desk.is_known(asker):
            raise keys_without_part()
        with _one_of(self._watchers):
            yield from self._watched(asker, context)

    def _watched(
        self, asker: str, context: grpc.ServicerContext
    ) -> Iterator[disclosures_pb2.WatchDisclosuresResponse]:
        book = self._desk.book
        told: dict[str, disclosures_pb2.Disclosure] = {}
        while context.is_active():
            version = book.version
            for record in reversed(self._desk.all_seen_by(asker)):
                wire = self._to_wire(record)
                if told.get(record.request_sha256) != wire:
                    yield disclosures_pb2.WatchDisclosuresResponse(disclosure=wire)
                    told[record.request_sha256] = wire
            book.wait_for_change(version, _WATCH_SECONDS)

    def GetSheet(
        self, request: disclosures_pb2.GetSheetRequest, context: grpc.ServicerContext
    ) -> Iterator[disclosures_pb2.GetSheetResponse]:
        """The covered thumbnails, sealed to the custodians."""
        asker = self._askers.require(request.access, "GetSheet", request.job_id)
        if asker not in self._desk.successions.now(request.job_id).policy.custodians:
            raise keys_without_part()
        if not self._desk.kept.sheet_bytes(request.job_id):
            raise precondition("sheet_missing", "The job has no sheet of covered thumbnails.")
        for chunk in self._desk.kept.read_sheet(request.job_id):
            yield disclosures_pb2.GetSheetResponse(chunk=chunk)

    def DecideDisclosure(
        self, request: disclosures_pb2.DecideDisclosureRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.DecideDisclosureResponse:
        """A custodian's word."""
        envelope, key = read_envelope(request.decision), read_keys(request.custodian)
        record = self._desk.decide(envelope, key, request.sealed_share)
        return disclosures_pb2.DecideDisclosureResponse(disclosure=self._to_wire(record))

    def CancelDisclosure(
        self, request: disclosures_pb2.CancelDisclosureRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.CancelDisclosureResponse:
        """The requester's last word."""
        record = self._desk.cancel(read_envelope(request.cancellation))
        return disclosures_pb2.CancelDisclosureResponse(disclosure=self._to_wire(record))

    def ReleaseDisclosure(
        self, request: disclosures_pb2.ReleaseDisclosureRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.ReleaseDisclosureResponse:
        """Has the worker disclose."""
        name = _name(request.request_sha256)
        asker = self._askers.require(request.access, "ReleaseDisclosure", name)
        record = self._desk.release(name, asker)
        return disclosures_pb2.ReleaseDisclosureResponse(disclosure=self._to_wire(record))

    def FetchDisclosure(
        self, request: disclosures_pb2.FetchDisclosureRequest, context: grpc.ServicerContext
    ) -> Iterator[disclosures_pb2.FetchDisclosureResponse]:
        """The sealed disclosure, for who asked for it."""
        name = _name(request.request_sha256)
        asker = self._askers.require(request.access, "FetchDisclosure", name)
        record = self._desk.seen_by(asker, name)
        if asker != record.requester:
            raise keys_without_part()
        if record.state is not State.RELEASED:
            raise precondition("disclosure_not_ready", "The request has no disclosure to fetch.")
        if request.offset > record.disclosure_bytes:
            raise invalid("result_offset_wrong", "The offset lies behind the end of the disclosure.")
        for chunk in chunks_from(self._desk.doors.path(name), request.offset):
            yield disclosures_pb2.FetchDisclosureResponse(chunk=chunk)

    def EraseTracks(
        self, request: disclosures_pb2.EraseTracksRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.EraseTracksResponse:
        """Destroys, for the operator and for whoever handed the job in."""
        who = caller(context)
        if request.WhichOneof("what") != "kept_before":
            kept = self._desk.kept.get(request.job_id)
            if who not in {LOCAL, kept.owner}:
                raise keys_without_part()
            if len(request.tracks) > MAX_ERASED_TRACKS:
                raise invalid("too_many_tracks", f"At most {MAX_ERASED_TRACKS} tracks are erased at once.")
            proofs = self._desk.eraser.erase(kept, request.tracks, request.reason)
            return disclosures_pb2.EraseTracksResponse(proofs=proofs)
        if who != LOCAL:
            raise keys_without_part()
        before = request.kept_before.ToMilliseconds() / 1000
        proofs = []
        for kept in self._desk.kept.jobs():
            if kept.kept_at >= before:
                continue
            if len(proofs) >= MAX_ERASURES:
                return disclosures_pb2.EraseTracksResponse(proofs=proofs, is_more=True)
            proofs += self._desk.eraser.erase(kept, (), request.reason)
        return disclosures_pb2.EraseTracksResponse(proofs=proofs)

    def GiveConsent(
        self, request: disclosures_pb2.GiveConsentRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.GiveConsentResponse:
        """Records a consent that whoever handed the job in vouches for."""
        envelope = read_envelope(request.consent)
        kept = self._desk.kept.get(claimed_job(envelope))
        if caller(context) not in {LOCAL, kept.owner}:
            raise keys_without_part()
        proof = self._desk.eraser.give(kept, envelope, read_keys(request.giver))
        return disclosures_pb2.GiveConsentResponse(proof=proof)

    def WithdrawConsent(
        self, request: disclosures_pb2.WithdrawConsentRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.WithdrawConsentResponse:
        """Records that it is taken back, and erases."""
        proof, erasures = self._desk.eraser.withdraw(read_envelope(request.withdrawal))
        return disclosures_pb2.WithdrawConsentResponse(proof=proof, erasure_proofs=erasures)

    def Redeal(
        self, request: disclosures_pb2.RedealRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.RedealResponse:
        """One custodian's part in a re-sharing."""
        proof, is_in_force = self._desk.redeal(
            read_envelope(request.dealing),
            read_keys(request.dealer),
            request.redealt,
            request.custody_policy,
            request.sealed_parts,
        )
        return disclosures_pb2.RedealResponse(proof=proof, is_in_force=is_in_force)

    def GetResharings(
        self, request: disclosures_pb2.GetResharingsRequest, context: grpc.ServicerContext
    ) -> Iterator[disclosures_pb2.GetResharingsResponse]:
        """What was dealt anew of a job, each dealing with the asker's own part."""
        asker = self._askers.require(request.access, "GetResharings", request.job_id)
        self._desk.custody_for(asker, request.job_id)
        for one in self._desk.successions.dealings(request.job_id):
            written = one.written
            yield disclosures_pb2.GetResharingsResponse(
                proof=self._archive.ledger.prove(written.envelope, (), written.log_index or 0),
                dealer=_keys(written.signer),
                redealt=one.redealt,
                custody_policy=one.policy.text,
                sealed_part=one.part_for(asker),
                part_digests=one.part_digests,
            )

    def ListNotices(
        self, request: disclosures_pb2.ListNoticesRequest, context: grpc.ServicerContext
    ) -> disclosures_pb2.ListNoticesResponse:
        """The caller's notices that are due."""
        found = self._desk.book.notices(caller(context))
        notices = [disclosures_pb2.Notice(job_id=one.job_id, sealed=one.sealed) for one in found]
        return disclosures_pb2.ListNoticesResponse(notices=notices)

    def ReadRecord(
        self, request: disclosures_pb2.ReadRecordRequest, context: grpc.ServicerContext
    ) -> Iterator[disclosures_pb2.ReadRecordResponse]:
        """The log, and every statement of custody in it."""
        asker = self._askers.require_or_operator(caller(context), request.access, "ReadRecord", "")
        if asker != OPERATOR and not self._desk.is_custodian(asker):
            raise keys_without_part()
        with _one_of(self._readers):
            for chunk in record_lines(self._desk.book, self._archive.ledger):
                yield disclosures_pb2.ReadRecordResponse(chunk=chunk)

    def _to_wire(self, record: DisclosureRecord, *, is_short: bool = False) -> disclosures_pb2.Disclosure:
        """A request as it stands; a short one, for a list, without keys, decisions and proof."""
        recorded_at = Timestamp()
        recorded_at.FromMilliseconds(int(record.recorded_at * 1000))
        asked = self._desk.book.statement(record.request_sha256)
        return disclosures_pb2.Disclosure(
            request_sha256=bytes.fromhex(record.request_sha256),
            state=_STATES[record.state],
            request=b"" if asked is None else asked.envelope.to_bytes(),
            requester=None if asked is None or is_short else _keys(asked.signer),
            recorded_at=recorded_at,
            decisions=[] if is_short else [_decision(one) for one in self._desk.decisions(record)],
            error_code=record.error_code,
            disclosure_bytes=record.disclosure_bytes,
            disclosure_sha256=bytes.fromhex(record.disclosure_sha256),
            release_proof=b"" if is_short else record.release_proof,
            is_attended=record.state.is_open and bool(record.worker_sha256),
        )

    def _worker_of(self, record: DisclosureRecord) -> dict[str, bytes]:
        found = self._desk.book.statement(record.worker_sha256) if record.worker_sha256 else None
        if found is None or found.log_index is None or not record.state.is_open:
            return {}
        facts = DisclosureWorkerFacts.from_statement(found.envelope.payload)
        return {
            "worker_proof": self._archive.ledger.prove(found.envelope, (), found.log_index),
            "worker_release": self._archive.release_proof(facts.measurement),
        }

    def _consents_of(self, record: DisclosureRecord) -> list[disclosures_pb2.Consent]:
        asked = self._desk.book.statement(record.request_sha256)
        if asked is None:
            return []
        tracks = set(DisclosureRequestFacts.from_statement(asked.envelope.payload).tracks)
        return [
            disclosures_pb2.Consent(
                proof=self._archive.ledger.prove(one.envelope, (), one.log_index or 0),
                giver=_keys(one.signer),
            )
            for one in self._desk.eraser.standing_consents(record.job_id)
            if tracks & set(ConsentFacts.from_statement(one.envelope.payload).tracks)
        ]


@contextmanager
def _one_of(places: threading.BoundedSemaphore) -> Iterator[None]:
    """Takes a place for the length of a stream.

    Raises:
        ServiceError: `too_many_streams`.
    """
    if not places.acquire(blocking=False):
        raise exhausted("too_many_streams", "Too many others watch or read just now; try again.")
    try:
        yield
    finally:
        places.release()


def _decision(written: Written) -> disclosures_pb2.Decision:
    return disclosures_pb2.Decision(decision=written.envelope.to_bytes(), custodian=_keys(written.signer))


def _keys(key: HybridPublicKey | None) -> disclosures_pb2.SigningKeys | None:
    return None if key is None else disclosures_pb2.SigningKeys(ed25519=key.ed25519, mldsa65=key.mldsa65)


def _name(untrusted_sha256: bytes) -> str:
    if len(untrusted_sha256) != _SHA256_BYTES:
        raise invalid("statement_invalid", "A request is named by the SHA-256 of its envelope.")
    return untrusted_sha256.hex()
