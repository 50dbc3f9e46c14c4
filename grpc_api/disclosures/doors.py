"""The worker of each open request: from its evidence to its last word.

A worker is started when a request is on record, and shows who it is; then custodians may seal shares to it.
It lives in memory alone: a service that stops takes every open request with it, and whoever asked asks again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from enclave.errors import EnclaveError
from enclave.host import Disclosed, DisclosureRefusedError
from grpc_api.disclosures import states
from grpc_api.disclosures.book import Book, Written
from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.disclosures.materials import Archive
from grpc_api.disclosures.recording import Recorder
from grpc_api.disclosures.refusals import told
from grpc_api.disclosures.states import DisclosureRecord, State
from grpc_api.disclosures.succession import Dealt
from grpc_api.disclosures.workers import Worker
from grpc_api.errors import ServiceError, precondition, unavailable
from keyvault.client import VaultClient
from keyvault.errors import KeyvaultError
from provenance.disclosing import trust_digest
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.statements import (
    DisclosureCountFacts,
    DisclosureReleaseFacts,
    DisclosureRequestFacts,
    DisclosureWorkerFacts,
)
from provenance.trust import Trust

log = logging.getLogger("bauta.grpc_api")

_READ_BYTES = 1 << 20
_MAX_HEADER_BYTES = 64 << 10

StartWorker = Callable[[Written, int, int], Worker]
"""Starts a request's worker. It gets the package to read, an empty file to write; both stay the caller's."""


@dataclass(frozen=True)
class DoorParts:
    """What doors are made of.

    Attributes:
        start: of a worker.
        vault: lets a worker in once its evidence is recorded.
        trust: what a worker must say that it decides by.
        folder: where sealed disclosures lie.
        kept, book, recorder, archive: the desk's.
    """

    start: StartWorker
    vault: VaultClient
    trust: Trust
    folder: Path
    kept: KeptStore
    book: Book
    recorder: Recorder
    archive: Archive


class _Door:
    """One worker and what it is used for, one use at a time."""

    def __init__(self, worker: Worker) -> None:
        self.worker = worker
        self.busy = threading.Lock()

    def give_up(self) -> None:
        """Closes the worker's channels, once nobody uses them."""
        with self.busy:
            self.worker.close()


class Doors:
    """Safe for threads."""

    def __init__(self, parts: DoorParts) -> None:
        self._p = parts
        self._lock = threading.Lock()
        self._doors: dict[str, _Door] = {}
        parts.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def open(self, request: Written) -> None:
        """Starts the worker of a recorded request, in a thread of its own."""
        threading.Thread(target=self._admit, args=(request,), name="door", daemon=True).start()

    def close(self, request_sha256: str) -> None:
        """Ends a request's worker, and with it every share that was sealed to it."""
        with self._lock:
            door = self._doors.pop(request_sha256, None)
        if door is not None:
            door.worker.stop()
            # Whoever waits for its answer hears first that it is gone; and may be who calls this.
            threading.Thread(target=door.give_up, name="door", daemon=True).start()
        self._partial(request_sha256).unlink(missing_ok=True)
        self._p.book.forget_shares(request_sha256)

    def close_all(self) -> None:
        """Ends every worker."""
        with self._lock:
            names = list(self._doors)
        for name in names:
            self.close(name)

    def look_after(self) -> None:
        """Notices workers that have died."""
        with self._lock:
            gone = [name for name, door in self._doors.items() if not door.worker.is_there()]
        for name in gone:
            self._lose(name, "worker_lost")

    def path(self, request_sha256: str) -> Path:
        """Where the sealed disclosure of a released request lies."""
        return self._p.folder / f"{request_sha256}.age"

    def release(self, record: DisclosureRecord, kept: Kept, dealt: Sequence[Dealt]) -> DisclosureRecord:
        """Has the worker count, check and disclose; every word of it goes into the log first.

        Args:
            record: the request.
            kept: of its job, as that worker left it.
            dealt: what its custodians dealt since.

        Raises:
            ServiceError: `worker_lost`, `release_running`; the log's code, and to try again is safe; or the
                code with which the worker refuses, and it still waits.
            EnclaveError: the worker is gone.
        """
        door = self._door(record.request_sha256)
        if not door.busy.acquire(blocking=False):
            raise precondition("release_running", "This release is under way; look again in a moment.")
        try:
            return self._release(door.worker, record, kept, dealt)
        except DisclosureRefusedError as refusal:
            raise told(refusal) from None
        except EnclaveError:
            if not door.worker.is_there():
                self._lose(record.request_sha256, "worker_lost")
            raise
        finally:
            door.busy.release()

    def _admit(self, request: Written) -> None:
        name = request.envelope.digest.hex()
        facts = DisclosureRequestFacts.from_statement(request.envelope.payload)
        try:
            door = _Door(self._started(request, facts.job_id))
            with self._lock:
                self._doors[name] = door
            if not self._p.book.request(name).state.is_open:
                self.close(name)  # Taken back while it was started.
                return
            with door.busy:
                self._let_in(door.worker, request, facts.job_id)
        except (EnclaveError, KeyvaultError, ProvenanceError, ServiceError) as error:
            log.error("a disclosure worker did not come up: %s", error.code)
            self._lose(name, error.code if isinstance(error, EnclaveError) else "worker_lost")
        except Exception as error:
            log.error("a disclosure worker did not come up: %s", type(error).__name__)
            self._lose(name, "worker_lost")

    def _let_in(self, worker: Worker, request: Written, job_id: str) -> None:
        name = request.envelope.digest.hex()
        evidence = self._checked_evidence(worker, request, job_id)
        index = self._p.recorder.record(Written(DisclosureWorkerFacts.kind(), evidence, None, name))
        self._p.vault.confirm_release(worker.number, self._p.recorder.inclusion(index))
        worker.wait_until_ready()
        self._p.book.change(name, lambda record: states.admit(record, evidence.digest.hex()))

    def _started(self, request: Written, job_id: str) -> Worker:
        package = self._p.kept.open_package(job_id)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC
            sink = os.open(self._partial(request.envelope.digest.hex()), flags, 0o600)
            try:
                return self._p.start(request, package, sink)
            finally:
                os.close(sink)
        finally:
            os.close(package)

    def _checked_evidence(self, worker: Worker, request: Written, job_id: str) -> Envelope:
        evidence = Envelope.from_bytes(worker.admission())
        facts = DisclosureWorkerFacts.from_statement(evidence.verify(self._p.trust.node))
        named = (facts.request_sha256, facts.job_id, facts.trust_sha256)
        if named != (request.envelope.digest.hex(), job_id, trust_digest(self._p.trust)):
            raise _worker_lies()
        return evidence

    def _release(
        self, worker: Worker, record: DisclosureRecord, kept: Kept, dealt: Sequence[Dealt]
    ) -> DisclosureRecord:
        name = record.request_sha256
        evidence = self._evidence_of(record)
        key = DisclosureWorkerFacts.from_statement(evidence.payload).worker_key
        counted = Envelope.from_bytes(worker.count())
        if DisclosureCountFacts.from_statement(counted.verify(key)).request_sha256 != name:
            raise _worker_lies()
        self._p.recorder.record(Written(DisclosureCountFacts.kind(), counted, None, name))
        disclosed = worker.proceed(self._p.archive.gather(kept, dealt, record))
        for custodian, code in disclosed.blamed.items():
            log.warning("a custodian's share was left out: %s %s", custodian, code)
        statement = Envelope.from_bytes(disclosed.statement)
        released = DisclosureReleaseFacts.from_statement(statement.verify(key))
        request = self._p.book.statement(name)
        named = (released.request_sha256, released.disclosure_sha256)
        if request is None or named != (name, disclosed.sealed_sha256.hex()):
            raise _worker_lies()
        released.require_within(DisclosureRequestFacts.from_statement(request.envelope.payload))
        try:
            index = self._p.recorder.record(Written(DisclosureReleaseFacts.kind(), statement, None, name))
        except ServiceError:
            # It goes on record later, and answers the request without having opened anything.
            self._lose(name, "release_not_recorded")
            raise
        # From here on the request is used up, whatever becomes of the bytes.
        shown = self._p.recorder.proof(statement, index, evidence)
        self._p.book.change(name, lambda before: states.note_release(before, shown))
        try:
            header = worker.hand_out(self._p.recorder.proof(statement, index))
            self._commit(name, header, disclosed)
        except (EnclaveError, ServiceError, OSError):
            self._lose(name, "release_lost")
            raise
        after = self._p.book.change(
            name,
            lambda before: states.release(
                before,
                disclosure_bytes=disclosed.sealed_bytes,
                disclosure_sha256=disclosed.sealed_sha256.hex(),
            ),
        )
        self.close(name)
        return after

    def _commit(self, name: str, untrusted_header: bytes, disclosed: Disclosed) -> None:
        """Puts the header before what the worker wrote; durable when it returns, and what was announced."""
        if not 0 < len(untrusted_header) <= _MAX_HEADER_BYTES:
            raise _worker_lies()
        whole = self.path(name).with_suffix(".tmp")
        digest = hashlib.sha256(untrusted_header)
        try:
            with self._partial(name).open("rb") as source, whole.open("wb") as target:
                target.write(untrusted_header)
                while block := source.read(_READ_BYTES):
                    digest.update(block)
                    target.write(block)
                size = target.tell()
                target.flush()
                os.fsync(target.fileno())
            if (size, digest.digest()) != (disclosed.sealed_bytes, disclosed.sealed_sha256):
                raise _worker_lies()
            whole.replace(self.path(name))
        finally:
            whole.unlink(missing_ok=True)
            self._partial(name).unlink(missing_ok=True)

    def _evidence_of(self, record: DisclosureRecord) -> Envelope:
        found = self._p.book.statement(record.worker_sha256) if record.worker_sha256 else None
        if found is None:
            raise unavailable("worker_not_ready", "The request's worker is still coming up; try again.")
        return found.envelope

    def _door(self, name: str) -> _Door:
        with self._lock:
            door = self._doors.get(name)
        if door is None:
            raise precondition("worker_lost", "The request's worker is gone; the request is to be made anew.")
        return door

    def _lose(self, name: str, code: str) -> None:
        self.close(name)
        self._partial(name).unlink(missing_ok=True)
        with suppress(ServiceError):
            self._p.book.change(name, lambda record: states.lose(record, code))

    def _partial(self, name: str) -> Path:
        return self._p.folder / f"{name}.partial"


def is_answered(record: DisclosureRecord) -> bool:
    """Whether a release of this request is on record, whatever became of it."""
    return record.state is State.RELEASED or bool(record.release_proof)


def _worker_lies() -> ServiceError:
    return precondition(
        "worker_reply_invalid", "The disclosure worker's reply did not pass the checks of the front desk."
    )
