"""How a job ends: the vault forgets its key, the spool its bytes; a failure gets its record in the log."""

from __future__ import annotations

import logging

from grpc_api.errors import ServiceError
from grpc_api.jobs import states
from grpc_api.jobs.spool import Spool
from grpc_api.jobs.store import JobStore
from grpc_api.ledger import Ledger
from keyvault.client import VaultClient
from keyvault.errors import KeyvaultError
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.statements import FailureFacts
from provenance.statements.vocabulary import FAILURE_CODES

log = logging.getLogger("bauta.grpc_api")


class Endings:
    """Ends jobs. Safe for threads; to end a job twice does no harm."""

    def __init__(self, store: JobStore, spool: Spool, vault: VaultClient, ledger: Ledger) -> None:
        self._store = store
        self._spool = spool
        self._vault = vault
        self._ledger = ledger

    def fail(self, job_id: str, code: str) -> None:
        """Ends a job and leaves nothing of it but the code, and the failure with its proof."""
        code = code if code in FAILURE_CODES else "internal_error"
        log.info("job failed: %s", code)
        self.drop(job_id)
        try:
            if self._store.get(job_id).state.is_final:
                return  # Cancelled meanwhile.
            proof = self._recorded(job_id, code)
            self._store.change(job_id, lambda record: states.fail(record, code, proof))
        except ServiceError as error:
            log.error("a failure could not be kept: %s", error.code)

    def _recorded(self, job_id: str, code: str) -> bytes:
        """The proof of a failure; empty where vault or log do not answer: the job has failed all the same."""
        try:
            envelope = Envelope.from_bytes(self._vault.sign_failure(bytes.fromhex(job_id), code))
            return self._ledger.prove(envelope, (), self._ledger.record(FailureFacts.kind(), envelope))
        except (KeyvaultError, ProvenanceError) as error:
            log.error("a failure could not be recorded: %s", error.code)
            return b""

    def drop(self, job_id: str) -> None:
        """Removes all bytes of a job, and the key that opened its upload."""
        self._forget_key(job_id)
        self._spool.drop(job_id)

    def drop_inputs(self, job_id: str) -> None:
        """Removes what a finished job was made from, and the key that opened it."""
        self._forget_key(job_id)
        self._spool.drop_inputs(job_id)

    def _forget_key(self, job_id: str) -> None:
        try:
            self._vault.end_job(bytes.fromhex(job_id))
        except KeyvaultError as error:
            # The next start tells the vault which jobs are open, and it destroys the rest.
            log.error("the vault could not be told that a job ended: %s", error.code)
