"""What a job under a reversible policy leaves for custodians: checked against its statement, then kept.

In this order, so that a crash leaves a job that is tried again and nothing that nobody knows of: both files
are durable, the statement that names them is in the log, the document beside them is durable, the vault keeps
the ring, the job is done.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from enclave.policy import parse_terms
from grpc_api.config import ServiceConfig
from grpc_api.disclosures.kept import Kept, KeptStore
from grpc_api.jobs.refused import WorkerRefusedError
from grpc_api.jobs.spool import Spool
from grpc_api.jobs.states import JobRecord
from keyvault.client import VaultClient
from keyvault.custody.errors import CustodianError
from keyvault.custody.policy import CustodyPolicy
from keyvault.custody.sharing import Sharing, job_context
from protos.bauta.internal.v1.worker_pb2 import WorkerRecovery, WorkerResult
from provenance.dsse import Envelope
from provenance.statements import JobFacts


class Keeping:
    """Keeps it.

    Args:
        kept: where.
        spool: gives nameless files to workers that have nothing to keep.
        vault: has the rings.
        config: the limit.
        clock: seconds since 1970.
    """

    def __init__(
        self,
        kept: KeptStore,
        spool: Spool,
        vault: VaultClient,
        config: ServiceConfig,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._kept = kept
        self._spool = spool
        self._vault = vault
        self._config = config
        self._clock = clock

    def descriptors(self, job: JobRecord) -> tuple[int, int]:
        """Opens what a worker writes a package and a sheet to; the caller closes both.

        Raises:
            ServiceError: storage_full.
        """
        if _custody_of(job) is None:
            return self._spool.create_scratch(), self._spool.create_scratch()
        # Of an attempt that was as good as done when the service was killed: this one begins from nothing.
        self._kept.drop(job.job_id)
        return self._kept.create_package(job.job_id), self._kept.create_sheet(job.job_id)

    def commit(self, job: JobRecord, untrusted_result: WorkerResult) -> None:
        """Makes both files durable, once they are those that the statement names.

        Raises:
            WorkerRefusedError: worker_reply_invalid, they are others, or larger than their limit.
        """
        if _custody_of(job) is None:
            return
        told = untrusted_result.recovery
        sizes = self._kept.commit(job.job_id, told.package_bytes)
        claimed = (told.package_bytes, told.package_sha256.hex(), told.sheet_bytes, told.sheet_sha256.hex())
        there = (sizes.package_bytes, sizes.package_sha256, sizes.sheet_bytes, sizes.sheet_sha256)
        if there != claimed or sizes.package_bytes > self._config.max_recovery_bytes:
            raise WorkerRefusedError("worker_reply_invalid")

    def keep(
        self, job: JobRecord, result: WorkerResult, statement: Envelope, evidence: Envelope, log_index: int
    ) -> None:
        """Keeps what was committed, and has the vault keep the ring.

        Args:
            job: as it was ordered.
            result: checked by `require_named`.
            statement: in the log.
            evidence: likewise.
            log_index: of the statement.

        Raises:
            KeyvaultError: the vault does not.
        """
        custody = _custody_of(job)
        if custody is None:
            return
        told = result.recovery
        self._kept.keep(
            Kept(
                job_id=job.job_id,
                owner=job.owner,
                terms=job.terms,
                custody_policy=custody.text,
                sharing=told.sharing,
                shares={share.custodian.hex(): share.sealed for share in told.shares},
                statement=statement.to_bytes(),
                evidence=evidence.to_bytes(),
                log_index=log_index,
                kept_at=self._clock(),
            )
        )
        self._vault.keep_ring(bytes.fromhex(job.job_id), told.ring_sha256)

    def tidy(self, job_id: str) -> None:
        """Removes what a job began to leave that did not come to its end."""
        self._kept.drop_partial(job_id)

    def forget(self, job_id: str) -> None:
        """Removes all that a job left; its ring, which then opens nothing, stays with the vault."""
        self._kept.drop(job_id)

    def recover(self, open_jobs: Collection[str]) -> None:
        """Removes what a killed service left of jobs that will not go on."""
        for job_id in self._kept.folders() - set(open_jobs):
            self.tidy(job_id)


def require_named(job: JobRecord, untrusted_result: WorkerResult, facts: JobFacts) -> None:
    """Checks that reply and statement name the same things, and that these are what the terms ask for.

    Raises:
        WorkerRefusedError: worker_reply_invalid.
    """
    custody = _custody_of(job)
    named: dict[str, str] = {}
    if untrusted_result.HasField("recovery") and custody is not None:
        named = _named(job, untrusted_result.recovery, custody)
    if dict(facts.recovery) != named or bool(named) != (custody is not None):
        raise WorkerRefusedError("worker_reply_invalid")
    if custody is None and untrusted_result.HasField("recovery"):
        raise WorkerRefusedError("worker_reply_invalid")


def _named(job: JobRecord, untrusted: WorkerRecovery, custody: CustodyPolicy) -> dict[str, str]:
    try:
        sharing = Sharing.from_bytes(untrusted.sharing)
    except CustodianError:
        raise WorkerRefusedError("worker_reply_invalid") from None
    whose = [share.custodian.hex() for share in untrusted.shares]
    fits = (
        sharing.context == job_context(bytes.fromhex(job.job_id))
        and sharing.rule == custody.rule
        and sharing.epoch == 0
        and sorted(whose) == sorted(custody.rule.custodians)
    )
    if not fits:
        raise WorkerRefusedError("worker_reply_invalid")
    return {
        "custody_policy": custody.digest.hex(),
        "package": untrusted.package_sha256.hex(),
        "ring": untrusted.ring_sha256.hex(),
        "sharing": sharing.digest.hex(),
        "sheet": untrusted.sheet_sha256.hex(),
    }


def _custody_of(job: JobRecord) -> CustodyPolicy | None:
    return parse_terms(job.terms).custody
