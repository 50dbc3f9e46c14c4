"""The front desk put together: stores, services, health, reflection, and an orderly end."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from enclave.host import WorkerHost
from enclave.wall import require_floor
from grpc_api.admission import Admission
from grpc_api.anchors.service import Anchoring
from grpc_api.config import ServiceConfig
from grpc_api.disclosures.kept import KeptStore
from grpc_api.disclosures.wiring import Disclosures
from grpc_api.errors import unavailable
from grpc_api.founding import trust_of
from grpc_api.interceptor import FrontDoor
from grpc_api.jobs import states
from grpc_api.jobs.desk import JobDesk
from grpc_api.jobs.dispatcher import Backstage, Dispatcher
from grpc_api.jobs.endings import Endings
from grpc_api.jobs.keeping import Keeping
from grpc_api.jobs.progress import ProgressBoard
from grpc_api.jobs.receipts import Receipts
from grpc_api.jobs.spool import Spool
from grpc_api.jobs.states import State
from grpc_api.jobs.store import JobStore
from grpc_api.ledger import IntakeBoard, Ledger
from grpc_api.premises import Premises
from grpc_api.public_records import PublicRecords
from grpc_api.register import settle_release
from grpc_api.services.intake import IntakeServicer
from grpc_api.services.jobs import JobServicer
from grpc_api.services.proofs import ProofServicer
from grpc_api.timestamps import TimeAuthorities
from grpc_api.tls import TlsFiles, server_credentials
from grpc_api.witnesses import cosigner
from keyvault.client import VaultClient, VaultDescription
from keyvault.errors import KeyvaultError
from keyvault.submitter.spent import SpentStore
from protos.bauta.v1 import (
    disclosures_pb2,
    disclosures_pb2_grpc,
    intake_pb2,
    intake_pb2_grpc,
    jobs_pb2,
    jobs_pb2_grpc,
    proofs_pb2,
    proofs_pb2_grpc,
)
from provenance.log import TransparencyLog

log = logging.getLogger("bauta.grpc_api")

_MAX_MESSAGE_BYTES = 2 << 20
_SWEEP_SECONDS = 60.0
# How long calls may go on after the service has stopped; a client resumes at the next one.
_CALL_GRACE_SECONDS = 2.0
_OUR_SERVICES = tuple(
    descriptor.services_by_name[name].full_name
    for descriptor, name in (
        (intake_pb2.DESCRIPTOR, "IntakeService"),
        (jobs_pb2.DESCRIPTOR, "JobService"),
        (proofs_pb2.DESCRIPTOR, "ProofService"),
        (disclosures_pb2.DESCRIPTOR, "DisclosureService"),
    )
)


class FrontDesk:
    """One running service."""

    def __init__(
        self,
        premises: Premises,
        config: ServiceConfig,
        vault: VaultClient,
        worker: WorkerHost,
        *,
        description: VaultDescription,
        embedded: bool,
    ) -> None:
        self._config = config
        self._worker = worker
        self._vault = vault
        self._trust = trust_of(description, config.outsiders)
        self._premises = premises
        self._store = JobStore(premises.desk / "jobs.sqlite")
        self._admission = _door(config, premises, self._store)
        spool = Spool(premises.desk / "spool", config.min_free_bytes)
        self._spool = spool
        kept = KeptStore(premises.desk / "recovery")
        self._keeping = Keeping(kept, spool, vault, config)
        self._embedded = embedded
        self._recover()
        ledger = Ledger(
            TransparencyLog(
                premises.desk / "log.sqlite",
                description.log_origin,
                vault.sign_checkpoint,
                cosigner(self._trust.witnesses),
            )
        )
        progress = ProgressBoard()
        endings = Endings(self._store, spool, vault, ledger)
        outsiders = config.outsiders
        clocks = TimeAuthorities(
            outsiders.timestamp_urls, outsiders.timestamp_roots, config.timestamp_seconds
        )
        self._dispatcher = Dispatcher(
            Backstage(
                store=self._store,
                spool=spool,
                keeping=self._keeping,
                progress=progress,
                ledger=ledger,
                worker=worker,
                vault=vault,
                endings=endings,
                clocks=clocks,
                node_key=description.node,
                config=config,
            )
        )
        self._desk = JobDesk(
            self._store,
            spool,
            config,
            vault,
            Receipts(vault, ledger),
            endings,
            self._dispatcher.stop_job,
            admission=self._admission,
        )
        self._public = PublicRecords(premises.public, vault, ledger)
        self._board = IntakeBoard(vault.announce_intake, ledger)
        self._disclosures = Disclosures(
            premises,
            config,
            vault,
            worker,
            ledger,
            self._trust,
            spool,
            kept,
            is_lasting=not embedded,
        )
        self._anchoring = (
            Anchoring(
                config.outsiders.anchors,
                self._trust.anchors[0],
                premises.anchors,
                ledger,
                vault,
                description.log_origin,
            )
            if config.outsiders.anchors is not None
            else None
        )
        self._front_door = FrontDoor(config.max_requests_per_minute)
        self._server = grpc.server(
            ThreadPoolExecutor(config.max_streams, thread_name_prefix="rpc"),
            interceptors=[self._front_door],
            maximum_concurrent_rpcs=config.max_streams,
            options=[
                ("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES),
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_time_ms", 30_000),
                ("grpc.keepalive_timeout_ms", 20_000),
            ],
        )
        intake_pb2_grpc.add_IntakeServiceServicer_to_server(
            IntakeServicer(self._board, config.max_upload_bytes), self._server
        )
        jobs_pb2_grpc.add_JobServiceServicer_to_server(JobServicer(self._desk, progress), self._server)
        proofs_pb2_grpc.add_ProofServiceServicer_to_server(
            ProofServicer(self._store, ledger, self._public, self._anchoring), self._server
        )
        disclosures_pb2_grpc.add_DisclosureServiceServicer_to_server(self._disclosures.servicer, self._server)
        self._health = health.HealthServicer()
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        reflection.enable_server_reflection(
            (*_OUR_SERVICES, health.SERVICE_NAME, reflection.SERVICE_NAME), self._server
        )
        self._ended = threading.Event()

    def listen(self, address: str) -> str:
        """Binds `unix:PATH`, or `HOST:PORT` with mutual TLS; the address as bound.

        Raises:
            ServiceError: `address_unavailable`, `tls_files_missing`.
        """
        try:
            if address.startswith("unix:"):
                self._server.add_secure_port(
                    address, grpc.local_server_credentials(grpc.LocalConnectionType.UDS)
                )
                return address
            port = self._server.add_secure_port(
                address, server_credentials(TlsFiles(self._premises.tls, "server"))
            )
            return f"{address.rpartition(':')[0]}:{port}"
        except RuntimeError:
            raise unavailable("address_unavailable", f"The address {address} cannot be bound.") from None

    def start(self) -> None:
        """Answers from now on; takes jobs once the worker is warm and its walls are up.

        Raises:
            EnclaveError: the walls are below the floor, or the worker never came up.
            ServiceError: `worker_not_released`, `lock_missing`.
            KeyvaultError: the vault does not take the worker's release.
        """
        self._set_health(serving=False)
        self._server.start()
        hello = self._worker.hello()
        require_floor(hello.walls, self._config.wall_floor)
        release = settle_release(
            self._premises.releases,
            self._premises.own_release,
            self._trust,
            self._vault,
            hello,
        )
        self._board.settle(release)
        self._disclosures.begin(release)
        self._public.settle(hello)
        self._dispatcher.start()
        if self._anchoring is not None:
            self._anchoring.start()
        threading.Thread(target=self._sweep, name="sweeper", daemon=True).start()
        self._set_health(serving=True)

    def stop(self) -> None:
        """Drains: no new jobs, running ones may finish, then calls end and threads stop."""
        self._ended.set()
        if self._anchoring is not None:
            self._anchoring.stop()
        self._set_health(serving=False)
        self._desk.drain()
        # An embedded service stops when nobody is left to fetch a result: then there is nothing to wait for.
        self._dispatcher.shut_down(0.0 if self._embedded else self._config.drain_seconds)
        self._disclosures.stop()
        self._server.stop(grace=_CALL_GRACE_SECONDS).wait(2 * _CALL_GRACE_SECONDS)
        if self._embedded:
            # A vault that is gone has nothing in memory any more; its next start is told again.
            with suppress(KeyvaultError):
                self._recover()

    def close(self) -> None:
        """Closes the stores, once the worker is gone."""
        self._store.close()
        self._disclosures.close()
        if self._admission is not None:
            self._admission.close()

    def _recover(self) -> None:
        recover(self._store, self._spool, max_attempts=self._config.max_attempts, abandon=self._embedded)
        open_jobs = [job.job_id for job in self._store.in_state(State.UPLOADING, State.QUEUED, State.RUNNING)]
        self._keeping.recover(open_jobs)
        # The vault destroys what it keeps for any other job.
        self._vault.retain_jobs(map(bytes.fromhex, open_jobs))

    def _set_health(self, *, serving: bool) -> None:
        answer = health_pb2.HealthCheckResponse
        status = answer.SERVING if serving else answer.NOT_SERVING
        for service in ("", *_OUR_SERVICES):
            self._health.set(service, status)

    def _sweep(self) -> None:
        while not self._ended.wait(_SWEEP_SECONDS):
            self._desk.sweep()
            self._public.catch_up()
            self._disclosures.sweep()


def _door(config: ServiceConfig, premises: Premises, store: JobStore) -> Admission | None:
    if not config.admission:
        return None
    door = Admission(config.admission, SpentStore(premises.spent))
    # Before jobs are given up or removed: a job that is there has used its token up.
    door.settle_all(store.in_state(*State))
    return door


def recover(store: JobStore, spool: Spool, *, max_attempts: int, abandon: bool) -> None:
    """Puts every job that a killed service left into a named state, and removes stray files.

    Args:
        store, spool: as the last service left them.
        max_attempts: how often a job is started.
        abandon: nobody comes back (embedded service): open jobs fail, results that wait are removed.
    """
    for job in store.in_state(State.UPLOADING, State.QUEUED, State.RUNNING):
        after = store.change(
            job.job_id, lambda record: states.recover(record, max_attempts=max_attempts, abandon=abandon)
        )
        if after.state is State.FAILED:
            spool.drop(job.job_id)
    if abandon:
        for job in store.in_state(State.DONE):
            store.delete(job.job_id)
    kept = {job.job_id for job in store.in_state(State.UPLOADING, State.QUEUED, State.DONE)}
    for job_id in spool.job_ids() - kept:
        spool.drop(job_id)
    for job in store.in_state(State.DONE):
        spool.drop_inputs(job.job_id)
