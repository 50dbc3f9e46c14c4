"""The desk of disclosures put together for one running service: the one object that the server knows."""

from __future__ import annotations

import os
import time

from enclave.host import WorkerHost
from grpc_api.config import ServiceConfig
from grpc_api.disclosures.askers import Askers
from grpc_api.disclosures.book import Book, Written
from grpc_api.disclosures.desk import DeskLimits, DisclosureDesk
from grpc_api.disclosures.doors import DoorParts, Doors
from grpc_api.disclosures.erasing import Eraser
from grpc_api.disclosures.kept import KeptStore
from grpc_api.disclosures.materials import Archive
from grpc_api.disclosures.recording import Recorder
from grpc_api.disclosures.workers import Worker
from grpc_api.jobs.spool import Spool
from grpc_api.ledger import Ledger
from grpc_api.premises import Premises
from grpc_api.services.disclosures import DisclosureServicer
from keyvault.client import VaultClient
from protos.bauta.internal.v1.worker_pb2 import RunDisclosure
from provenance.dsse import Envelope
from provenance.statements import DisclosureRequestFacts, WorkerReleaseFacts
from provenance.statements.fields import parse_instant
from provenance.trust import Trust

# A worker that outlived its request by this much has nothing to wait for.
_AFTER_EXPIRY_SECONDS = 600


class Disclosures:
    """What the front desk does about disclosures.

    Args:
        premises: where things lie.
        config: limits.
        vault: lets workers in, destroys wrapped keys.
        worker: starts disclosure workers.
        ledger: the log.
        trust: what this service's users believe in.
        spool: gives scratch files.
        kept: what jobs left behind.
        is_lasting: whether the service outlives a command.
    """

    def __init__(
        self,
        premises: Premises,
        config: ServiceConfig,
        vault: VaultClient,
        worker: WorkerHost,
        ledger: Ledger,
        trust: Trust,
        spool: Spool,
        kept: KeptStore,
        *,
        is_lasting: bool,
    ) -> None:
        self._config = config
        self._worker = worker
        self._trust = trust
        self._spool = spool
        self._book = Book(premises.desk / "disclosures.sqlite")
        recorder = Recorder(self._book, ledger)
        archive = Archive(self._book, ledger)
        self._doors = Doors(
            DoorParts(
                start=self._start,
                vault=vault,
                trust=trust,
                folder=premises.desk / "disclosures",
                kept=kept,
                book=self._book,
                recorder=recorder,
                archive=archive,
            )
        )
        eraser = Eraser(vault, kept, self._book, recorder, self._doors.close)
        limits = DeskLimits(config.max_open_disclosures, config.max_disclosure_requests_a_day)
        self._desk = DisclosureDesk(
            self._book, kept, recorder, self._doors, eraser, limits, trust, is_lasting=is_lasting
        )
        self.servicer = DisclosureServicer(self._desk, Askers(trust.log_origin), archive)

    def begin(self, release: Envelope) -> None:
        """The worker host is there, and this is its release: takes up what the last service left."""
        facts = WorkerReleaseFacts.from_statement(release.payload)
        self._book.keep_release(facts.measurement, release)
        self._desk.begin()

    def sweep(self) -> None:
        """To be called now and then."""
        self._desk.sweep()

    def stop(self) -> None:
        """Ends every worker; their requests are lost, and said to be at the next start."""
        self._doors.close_all()

    def close(self) -> None:
        """Closes the database."""
        self._book.close()

    def _start(self, request: Written, package: int, sink: int) -> Worker:
        facts = DisclosureRequestFacts.from_statement(request.envelope.payload)
        left = int(parse_instant(facts.expires_at).timestamp() - time.time()) + _AFTER_EXPIRY_SECONDS
        order = RunDisclosure(
            request=request.envelope.to_bytes(),
            trust=self._trust.to_bytes(),
            max_memory_bytes=self._config.max_worker_memory_bytes,
            max_disclosure_bytes=self._config.max_result_bytes,
            max_wall_seconds=max(1, left),
            max_frame_pixels=self._config.max_frame_pixels,
            max_frames=self._config.max_frames,
        )
        scratch = self._spool.create_scratch()
        try:
            return self._worker.disclose(order, package, sink, scratch)
        finally:
            os.close(scratch)
