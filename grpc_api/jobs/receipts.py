"""Receipts: the node signs that an upload is held, and the log has it before the client hears "queued"."""

from __future__ import annotations

import threading

from grpc_api.errors import unavailable
from grpc_api.jobs.states import JobRecord
from grpc_api.ledger import Ledger
from keyvault.client import VaultClient
from provenance.dsse import Envelope
from provenance.errors import LogError
from provenance.statements import SubmissionFacts


class Receipts:
    """Makes receipts. Safe for threads."""

    def __init__(self, vault: VaultClient, ledger: Ledger) -> None:
        self._vault = vault
        self._ledger = ledger
        self._lock = threading.Lock()
        # Signed and not yet recorded, by job and digest: to sign again would put a second entry into the log.
        self._waiting: dict[tuple[str, str], Envelope] = {}

    def make(self, job: JobRecord, upload_sha256: str) -> bytes:
        """The receipt of an upload that is durable and accepted: a proof file of its submission statement.

        Raises:
            ServiceError: with the log's code; the upload is safe, and to finish it again is safe.
            KeyvaultError: the vault does not sign it, or does not answer.
        """
        name = job.job_id, upload_sha256
        with self._lock:
            statement = self._waiting.get(name)
        if statement is None:
            signed = self._vault.sign_submission(bytes.fromhex(job.job_id), bytes.fromhex(upload_sha256))
            statement = Envelope.from_bytes(signed)
        try:
            receipt = self._ledger.prove(
                statement, (), self._ledger.record(SubmissionFacts.kind(), statement)
            )
        except LogError as error:
            with self._lock:
                self._waiting[name] = statement
            raise unavailable(
                error.code, "The upload is safe, but its receipt is not in the log yet; finish it again."
            ) from error
        self.forget(job.job_id)
        return receipt

    def forget(self, job_id: str) -> None:
        """The job is recorded, or gone."""
        with self._lock:
            for name in [name for name in self._waiting if name[0] == job_id]:
                del self._waiting[name]
