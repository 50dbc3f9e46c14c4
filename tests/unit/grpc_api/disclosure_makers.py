"""A desk of disclosures around a real log with witnesses, one kept job, and workers that check for real.

The worker here is a double in one thing only: it restores nothing, and seals a few words instead. What it is
shown it checks with the very code that runs behind the wall, and it opens the shares.
"""

from __future__ import annotations

import hashlib
import io
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from enclave.disclosing import REFUSALS, DisclosureLimits, DisclosureOrder
from enclave.disclosure.checking import Counting, check
from enclave.disclosure.materials import read_materials
from enclave.errors import HostError
from enclave.host import Disclosed, DisclosureRefusedError, Materials
from enclave.policy import Terms, shipped
from grpc_api.disclosures.askers import Askers
from grpc_api.disclosures.book import Book, Written
from grpc_api.disclosures.desk import DeskLimits, DisclosureDesk
from grpc_api.disclosures.doors import DoorParts, Doors
from grpc_api.disclosures.erasing import Eraser
from grpc_api.disclosures.kept import Kept, KeptStore, read_policy
from grpc_api.disclosures.materials import Archive
from grpc_api.disclosures.recording import Recorder
from grpc_api.disclosures.states import DisclosureRecord
from grpc_api.ledger import Ledger
from keyvault.age import HybridIdentity, HybridRecipient, seal
from keyvault.client import VaultClient, VaultRefusedError
from keyvault.custody.decisions import approve, deny
from keyvault.custody.policy import CustodyPolicy
from keyvault.custody.requests import cancel
from keyvault.custody.seals import dealt_info, seal_share
from keyvault.custody.sharing import Dealt, deal, job_context
from keyvault.errors import KeyvaultError
from keyvault.recovery.layout import RESULT_TRACK
from keyvault.recovery.writer import PackageWriter
from keyvault.release import OneJobKey
from keyvault.signing.hybrid import HybridSigner
from provenance.disclosing import trust_digest
from provenance.dsse import Envelope, sign_envelope
from provenance.errors import LogError, ProvenanceError
from provenance.log import TransparencyLog
from provenance.statements import (
    ConsentFacts,
    DisclosureCountFacts,
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    DisclosureWorkerFacts,
    ErasureFacts,
    JobFacts,
)
from provenance.statements.fields import format_instant
from provenance.tlog_proof import TlogProof
from provenance.trust import Trust
from tests.unit.keyvault.custody.custody_makers import custody_text, person
from tests.unit.provenance.provenance_makers import (
    TestLogKeys,
    TestSigner,
    hex_of,
    job_facts,
    release_facts,
    seed,
    worker_release_facts,
)
from tests.unit.provenance.witness_makers import WITNESSES, cosigned, policy_text

JOB_ID = bytes(range(16))
OWNER = "x509:owner"
BEGINS = datetime(2026, 11, 21, 12, tzinfo=UTC)
WALLS = ("landlock_fs", "net_namespace", "seccomp")
SEALED_WORDS = b"what was under the cover"
SUBMITTER = HybridIdentity(seed("submitter/identity"))
NODE = TestSigner("node")


def keeps_text(**changes: str) -> str:
    """The custody policy of the job: ten minutes of cool-off; parts are replaced by name."""
    requests = (
        '[requests]\npurposes = ["court_order", "medical_care"]\n'
        'legal_bases = ["court_order", "consent"]\nlongest_hours = 72\ncool_off_minutes = 10\n'
        "most_tracks = 2\nmost_seconds = 30\n"
    )
    return custody_text(**{"requests": requests, **changes})


@cache
def dealt(text: str) -> Dealt:
    """What the job's worker dealt under a policy."""
    return deal(read_policy(text).rule, job_context(JOB_ID))


@cache
def sealed_shares(text: str) -> dict[str, bytes]:
    """The shares, sealed to their custodians."""
    made = dealt(text)
    return {
        whose: seal_share(
            share,
            HybridRecipient.parse(read_policy(text).custodians[whose].recipient),
            dealt_info(made.sharing, whose),
        )
        for whose, share in made.shares.items()
    }


@cache
def package() -> bytes:
    """Three tracks, and no more in any than a word."""
    sink = io.BytesIO()
    writer = PackageWriter(sink, bytes(32), job_context(JOB_ID))
    for track in (1, 2, 3, RESULT_TRACK):
        writer.add(track, 0, "result" if track == RESULT_TRACK else "pixels", b"covered")
    writer.close()
    return sink.getvalue()


class Clock:
    """Seconds since 1970, moved by hand; the witnesses have the same."""

    def __init__(self) -> None:
        self.now = BEGINS.timestamp()

    def __call__(self) -> float:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time).total_seconds()

    @property
    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


class VaultDouble(VaultClient):
    """The vault's side: it lets workers in on record, and destroys."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.tracks: dict[bytes, dict[int, str]] = {
            JOB_ID: {track: hex_of(f"wrapped {track}") for track in (1, 2, 3)}
        }
        self.let_in: list[bytes] = []
        self.waiting: dict[bytes, bytes] = {}

    def confirm_release(self, job_id: bytes, tlog_proof: bytes) -> None:
        TlogProof.parse(tlog_proof)
        self.let_in.append(job_id)

    def erase_tracks(self, job_id: bytes, tracks: Any, reason: str) -> tuple[bytes, int]:
        ring = self.tracks.get(job_id)
        if ring is None:
            raise VaultRefusedError("ring_unknown")
        wanted = tuple(tracks) or tuple(sorted(ring))
        if not set(wanted) <= set(ring) or not wanted:
            raise VaultRefusedError("track_unknown")
        facts = ErasureFacts(
            job_id=job_id.hex(),
            tracks=wanted,
            wrapped_keys_sha256=tuple(sorted(ring.pop(track) for track in wanted)),
            reason=reason,
            erased_at=format_instant(self._clock.moment),
        )
        envelope = sign_envelope(facts.to_statement(), NODE)
        self.waiting[envelope.digest] = envelope.to_bytes()
        return envelope.to_bytes(), len(ring)

    def announce_erasures(self) -> list[bytes]:
        return list(self.waiting.values())

    def confirm_erasure(self, statement_sha256: bytes, tlog_proof: bytes) -> None:
        TlogProof.parse(tlog_proof)
        del self.waiting[statement_sha256]


@dataclass
class WorkerDouble:
    """A disclosure worker in this process; `lies` replaces what it says, by name."""

    request: Envelope
    trust: Trust
    sink: int
    clock: Clock
    lies: dict[str, Any] = field(default_factory=dict)
    is_alive: bool = True

    def __post_init__(self) -> None:
        self.number = self.request.digest[:16]
        self.signer = HybridSigner.generate()
        self.one_job_key = OneJobKey.generate()
        self.counted: Envelope | None = None
        self.released: Envelope | None = None
        self.facts: DisclosureWorkerFacts | None = None
        self.header = b""

    def admission(self) -> bytes:
        asked = DisclosureRequestFacts.from_statement(self.request.payload)
        values: dict[str, Any] = {
            "request_sha256": self.request.digest.hex(),
            "job_id": asked.job_id,
            "tier": "process",
            "walls": WALLS,
            "measurement": hex_of("measurement"),
            "trust_sha256": trust_digest(self.trust),
            "worker_hpke": self.one_job_key.public_key,
            "worker_ed25519": self.signer.public.ed25519,
            "worker_mldsa65": self.signer.public.mldsa65,
            "admitted_at": format_instant(self.clock.moment),
        }
        self.facts = DisclosureWorkerFacts(**{**values, **self.lies.get("admission", {})})
        return sign_envelope(self.facts.to_statement(), self.lies.get("node", NODE)).to_bytes()

    def wait_until_ready(self) -> None:
        pass

    def count(self) -> bytes:
        self._require_alive()
        facts = DisclosureCountFacts(request_sha256=self.request.digest.hex(), nonce=os.urandom(32))
        self.counted = sign_envelope(facts.to_statement(), self.signer)
        return self.counted.to_bytes()

    def proceed(self, materials: Materials) -> Disclosed:
        self._require_alive()
        assert self.counted is not None
        limits = DisclosureLimits(1, 1, 1, 1, 1)
        order = DisclosureOrder(self.request, self.trust, limits)
        counting = Counting(order, self.one_job_key, self.counted, seconds_since=0.5)
        try:
            granted = check(counting, read_materials(materials.to_message()))
        except (KeyvaultError, ProvenanceError) as refusal:
            code = refusal.code if refusal.code in REFUSALS else "proof_invalid"
            raise DisclosureRefusedError(code, getattr(refusal, "custodian", None)) from None
        sealed = io.BytesIO()
        seal(io.BytesIO(SEALED_WORDS), sealed, [HybridRecipient.parse(granted.request.recipient)])
        whole = sealed.getvalue()
        self.header, rest = whole[:100], whole[100:]
        os.write(self.sink, rest)
        os.close(self.sink)
        values: dict[str, Any] = {
            "request_sha256": self.request.digest.hex(),
            "approvals_sha256": granted.approvals_sha256,
            "tracks": granted.request.tracks,
            "stretches": granted.request.stretches,
            "disclosure_sha256": hashlib.sha256(whole).hexdigest(),
            "measurement": hex_of("measurement"),
            "tier": "process",
            "walls": WALLS,
            "released_at": format_instant(self.clock.moment),
        }
        facts = DisclosureReleaseFacts(**{**values, **self.lies.get("release", {})})
        self.released = sign_envelope(facts.to_statement(), self.signer)
        return Disclosed(self.released.to_bytes(), len(whole), hashlib.sha256(whole).digest(), granted.blamed)

    def hand_out(self, release_proof: bytes) -> bytes:
        self._require_alive()
        header: bytes = self.lies.get("header", self.header)
        return header

    def is_there(self) -> bool:
        return self.is_alive

    def stop(self) -> None:
        self.is_alive = False

    def close(self) -> None:
        pass

    def _require_alive(self) -> None:
        if not self.is_alive:
            raise HostError("the worker is gone", "worker_died")


class Scene:
    """One service's desk of disclosures, with a job of two tracks that a policy keeps."""

    def __init__(
        self, folder: Path, *, text: str = "", witnesses: int = 3, is_lasting: bool = True, **limits: int
    ) -> None:
        self.folder = folder
        self.text = text or keeps_text()
        self.clock = Clock()
        self.keys = TestLogKeys()
        self.witnesses = list(WITNESSES[:witnesses])
        self.is_lasting = is_lasting
        self.limits = DeskLimits(**{"max_open_requests": 8, "max_requests_a_day": 20, **limits})
        self.trust = Trust(
            NODE.public,
            self.keys.origin,
            self.keys.vkeys,
            releases=(NODE.public,),
            witness_policy=policy_text("2") if witnesses else "",
        )
        self.workers: list[WorkerDouble] = []
        self.lies: dict[str, Any] = {}
        self.vault = VaultDouble(self.clock)
        self.log = TransparencyLog(
            folder / "log.sqlite", self.keys.origin, self.keys.sign_checkpoint, self._cosign
        )
        self.ledger = Ledger(self.log)
        self.kept_store = KeptStore(folder / "recovery")
        self.kept = self._job()
        self.open()

    def open(self) -> None:
        """The desk, as a front desk makes it at each start."""
        self.book = Book(self.folder / "disclosures.sqlite", self.clock)
        self.book.keep_release(hex_of("measurement"), self._worker_release())
        self.recorder = Recorder(self.book, self.ledger)
        self.archive = Archive(self.book, self.ledger)
        self.doors = Doors(
            DoorParts(
                start=self._start,
                vault=self.vault,
                trust=self.trust,
                folder=self.folder / "disclosures",
                kept=self.kept_store,
                book=self.book,
                recorder=self.recorder,
                archive=self.archive,
            )
        )
        self.eraser = Eraser(self.vault, self.kept_store, self.book, self.recorder, self.doors.close)
        self.desk = DisclosureDesk(
            self.book,
            self.kept_store,
            self.recorder,
            self.doors,
            self.eraser,
            self.limits,
            self.trust,
            is_lasting=self.is_lasting,
            clock=self.clock,
        )
        self.askers = Askers(self.keys.origin, self.clock)
        self.desk.begin()

    def restart(self) -> None:
        """The service ends and starts anew; its workers are gone."""
        for worker in self.workers:
            worker.stop()
        self.book.close()
        self.open()

    @property
    def policy(self) -> CustodyPolicy:
        """The custody policy of the job."""
        return read_policy(self.text)

    def request_facts(self, by: str = "desk", **changes: Any) -> DisclosureRequestFacts:
        """Ten seconds of one track, for a court."""
        values: dict[str, Any] = {
            "job_id": JOB_ID.hex(),
            "job_statement_sha256": self.kept.job_statement.digest.hex(),
            "custody_policy_sha256": self.policy.digest.hex(),
            "tracks": (2,),
            "stretches": ((5000, 15000),),
            "purpose": "court_order",
            "legal_basis": "court_order",
            "recipient": str(person("desk").identity.recipient),
            "requester_key_sha256": person(by).digest,
            "requested_at": format_instant(self.clock.moment),
            "expires_at": format_instant(self.clock.moment + timedelta(hours=24)),
        }
        return DisclosureRequestFacts(**{**values, **changes})

    def signed_request(self, by: str = "desk", **changes: Any) -> Envelope:
        """Its envelope."""
        return sign_envelope(self.request_facts(by, **changes).to_statement(), person(by).signer)

    def ask(self, by: str = "desk", **changes: Any) -> DisclosureRecord:
        """A request that is recorded, and whose worker waits."""
        record = self.desk.ask(self.signed_request(by, **changes), person(by).signer.public)
        return self.settled(record.request_sha256)

    def settled(self, name: str) -> DisclosureRecord:
        """The request once its worker has come up, or has not."""
        for _ in range(400):
            version = self.book.version
            record = self.book.request(name)
            if record.worker_sha256 or not record.state.is_open:
                return record
            self.book.wait_for_change(version, 0.05)
        raise AssertionError("no worker came up")

    def approval(self, record: DisclosureRecord, name: str, **changes: Any) -> tuple[Envelope, bytes]:
        """Somebody's approval and the share that goes with it; parts are replaced by name."""
        worker = self.worker_of(record)
        values: dict[str, Any] = {
            "policy": self.policy,
            "sharing": dealt(self.text).sharing,
            "request": self.desk.request_of(record),
            "keys": person(name),
            "sealed_share": self.kept.shares.get(person(name).digest, b""),
            "worker_key": worker.one_job_key.public_key,
            "now": self.clock.moment,
        }
        made = approve(**{**values, **changes})
        return made.envelope, made.sealed_share

    def approve(self, record: DisclosureRecord, *names: str) -> DisclosureRecord:
        """They approve, one after the other."""
        for name in names:
            envelope, share = self.approval(record, name)
            record = self.desk.decide(envelope, person(name).signer.public, share)
        return record

    def denial(self, record: DisclosureRecord, name: str) -> Envelope:
        """Somebody's denial."""
        request = self.desk.request_of(record)
        return deny(self.policy, request, person(name), "other", self.clock.moment)

    def deny(self, record: DisclosureRecord, *names: str) -> DisclosureRecord:
        """They deny."""
        for name in names:
            record = self.desk.decide(self.denial(record, name), person(name).signer.public, b"")
        return record

    def cancellation(self, record: DisclosureRecord, by: str = "desk") -> Envelope:
        """The requester takes it back."""
        return cancel(self.desk.request_of(record), person(by).signer, self.clock.moment)

    def release(self, record: DisclosureRecord, by: str = "desk") -> DisclosureRecord:
        """Somebody has it released."""
        return self.desk.release(record.request_sha256, person(by).digest)

    def consent(self, giver: str = "filmed", **changes: Any) -> Envelope:
        """Somebody who was filmed agrees."""
        values: dict[str, Any] = {
            "job_id": JOB_ID.hex(),
            "tracks": (2,),
            "purposes": ("court_order",),
            "giver_key_sha256": person(giver).digest,
            "given_at": format_instant(self.clock.moment),
        }
        return sign_envelope(ConsentFacts(**{**values, **changes}).to_statement(), person(giver).signer)

    def worker_of(self, record: DisclosureRecord) -> WorkerDouble:
        """The worker that waits for a request."""
        return next(one for one in self.workers if one.request.digest.hex() == record.request_sha256)

    def kinds(self) -> list[str]:
        """The kinds of all entries of the log, in order."""
        return [entry.kind for entry in self.ledger.whole()[1]]

    def close(self) -> None:
        """Closes what is open."""
        self.doors.close_all()
        self.book.close()
        self.log.close()

    def _start(self, request: Written, _package: int, sink: int) -> WorkerDouble:
        worker = WorkerDouble(request.envelope, self.trust, os.dup(sink), self.clock, dict(self.lies))
        self.workers.append(worker)
        return worker

    def _cosign(self, note: bytes, _: object) -> bytes:
        if len(self.witnesses) == 1:
            raise LogError("too few witnesses", "quorum_not_met")
        return cosigned(note, self.witnesses, int(self.clock.now)) if self.witnesses else note

    def _worker_release(self) -> Envelope:
        return sign_envelope(worker_release_facts().to_statement(), NODE)

    def _job(self) -> Kept:
        made = dealt(self.text)
        worker = TestSigner("worker")
        terms = Terms(shipped()["street"], "balanced", (str(SUBMITTER.recipient),))
        facts: JobFacts = job_facts(
            job_id=JOB_ID.hex(),
            recovery={
                "custody_policy": hashlib.sha256(self.text.encode()).hexdigest(),
                "package": hex_of("package"),
                "ring": hex_of("ring"),
                "sharing": made.sharing.digest.hex(),
                "sheet": hex_of("sheet"),
            },
        )
        statement = sign_envelope(facts.to_statement(), worker)
        evidence = sign_envelope(release_facts(worker.public, job_id=JOB_ID.hex()).to_statement(), NODE)
        self.ledger.record("release", evidence)
        for make, content in (
            (self.kept_store.create_package, package()),
            (self.kept_store.create_sheet, b"a sheet"),
        ):
            fd = make(JOB_ID.hex())
            os.write(fd, content)
            os.close(fd)
        self.kept_store.commit(JOB_ID.hex(), len(package()))
        kept = Kept(
            job_id=JOB_ID.hex(),
            owner=OWNER,
            terms=terms.to_bytes(),
            custody_policy=self.text,
            sharing=made.sharing.to_bytes(),
            shares=sealed_shares(self.text),
            statement=statement.to_bytes(),
            evidence=evidence.to_bytes(),
            log_index=self.ledger.record("job", statement),
            kept_at=self.clock.now,
        )
        self.kept_store.keep(kept)
        return kept
