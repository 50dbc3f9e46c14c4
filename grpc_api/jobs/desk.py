"""What may be done to jobs, for whoever asks: limits, ownership, durability. The servicer only translates."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from enclave.policy import parse_terms
from grpc_api.admission import Admission, holder_of
from grpc_api.config import ServiceConfig
from grpc_api.errors import ServiceError, exhausted, invalid, outdated, precondition, unavailable
from grpc_api.identity import certified_part
from grpc_api.jobs import states
from grpc_api.jobs.acceptance import MAX_HEADER_BYTES, UploadRefusedError, accept_upload
from grpc_api.jobs.endings import Endings
from grpc_api.jobs.receipts import Receipts
from grpc_api.jobs.spool import Spool, UploadFile
from grpc_api.jobs.states import JobRecord, State
from grpc_api.jobs.store import JobStore
from keyvault.client import VaultClient

TOKEN_BYTES = 16
# A power cut costs at most this much of an upload.
SYNC_EVERY_BYTES = 32 << 20


class JobDesk:
    """Creates, fills, cancels and removes jobs."""

    def __init__(
        self,
        store: JobStore,
        spool: Spool,
        config: ServiceConfig,
        vault: VaultClient,
        receipts: Receipts,
        endings: Endings,
        stop_worker: Callable[[str], None],
        clock: Callable[[], float] = time.time,
        admission: Admission | None = None,
    ) -> None:
        self.store = store
        self._admission = admission
        self._admitting = threading.Lock()
        self._spool = spool
        self._config = config
        self._vault = vault
        self._receipts = receipts
        self._endings = endings
        self._stop_worker = stop_worker
        self._clock = clock
        self._lock = threading.Lock()
        self._uploading: set[str] = set()
        self._draining = False

    def drain(self) -> None:
        """Takes no new jobs from now on."""
        self._draining = True

    def create(
        self, owner: str, terms: bytes, client_token: bytes, admission_token: bytes = b""
    ) -> JobRecord:
        """Opens a job; the terms are checked here so that a mistake costs no upload, and no token.

        Args:
            owner: whoever asks.
            terms: canonical JSON.
            client_token: 16 bytes; the same gives the same job.
            admission_token: a token of admission, where the service asks for one.

        Raises:
            ServiceError: `client_token_invalid`, `too_many_jobs`, `service_draining`, `token_not_asked`, or
                as `Admission.admit`.
            EnclaveError: the terms or their policy are not valid.
        """
        if self._draining:
            raise unavailable("service_draining", "The service is stopping and takes no new jobs.")
        if len(client_token) != TOKEN_BYTES:
            raise invalid("client_token_invalid", f"client_token must be {TOKEN_BYTES} random bytes.")
        parse_terms(terms)
        # Whose answer was lost asks again: that job is among those counted, and its token is used up.
        is_known = self.store.find(owner, client_token.hex()) is not None
        if not is_known and self.store.count_open(certified_part(owner)) >= self._config.max_open_jobs:
            raise exhausted("too_many_jobs", "This identity has too many open jobs; finish or cancel some.")
        now = self._clock()
        job = JobRecord(
            job_id=secrets.token_hex(16),
            owner=owner,
            client_token=client_token.hex(),
            terms=terms,
            state=State.UPLOADING,
            created_at=now,
            updated_at=now,
        )
        if self._admission is not None:
            return self._admitted(self._admission, job, admission_token)
        if admission_token:
            raise precondition(
                "token_not_asked",
                "This service asks for no token of admission; yours was not looked at. Leave it away.",
            )
        return self.store.create(job)

    def _admitted(self, admission: Admission, job: JobRecord, admission_token: bytes) -> JobRecord:
        holder = holder_of(job.owner, bytes.fromhex(job.client_token))
        # One after the other: of two requests for one job, the second finds the job, not a used token.
        with self._admitting:
            known = self.store.find(job.owner, job.client_token)
            if known is None:
                admission.admit(admission_token, holder)
                known = self.store.create(job)
            admission.settle(holder)
            return known

    @contextmanager
    def uploading(self, owner: str, job_id: str, offset: int) -> Iterator[Upload]:
        """Opens the upload of a job at the offset where it stands.

        Raises:
            ServiceError: `upload_in_progress`, `upload_offset_wrong`, `job_state_wrong`, `job_not_found`;
                or why the upload can never be opened, and the job has failed.
        """
        job = self.store.get(job_id, owner)
        states.commit_bytes(job, job.committed_bytes)
        with self._lock:
            if job_id in self._uploading:
                # Often the client's own last stream, whose end is heard of here later than there.
                raise unavailable("upload_in_progress", "Another stream is uploading to this job.")
            self._uploading.add(job_id)
        try:
            job = self.store.get(job_id, owner)
            if offset != job.committed_bytes:
                # What was on its way when a stream broke may be made durable after the client has asked.
                raise outdated("upload_offset_wrong", "An upload resumes at committed_bytes; ask GetJob.")
            with self._spool.appending(job_id, offset) as file:
                yield Upload(job, file, self.store, self._spool, self._config, self._vault, self._receipts)
        except UploadRefusedError as refusal:
            self._endings.fail(job_id, refusal.code)
            raise
        finally:
            with self._lock:
                self._uploading.discard(job_id)
            self._forget_if_ended(job_id)

    def _forget_if_ended(self, job_id: str) -> None:
        # Cancelled while bytes were still coming in: what came after that must not stay.
        with suppress(ServiceError):
            if self.store.get(job_id).state.is_final:
                self._endings.drop(job_id)
                self._receipts.forget(job_id)

    def cancel(self, owner: str, job_id: str) -> JobRecord:
        """Stops a job that has not ended; what it left is removed."""
        self.store.get(job_id, owner)
        job = self.store.change(job_id, states.cancel)
        self._stop_worker(job_id)
        self._endings.drop(job_id)
        return job

    def delete(self, owner: str, job_id: str) -> None:
        """Removes an ended job and all of its bytes."""
        job = self.store.get(job_id, owner)
        if not job.state.is_final:
            raise precondition("job_state_wrong", "A job that has not ended is cancelled first.")
        self._endings.drop(job_id)
        self.store.delete(job_id)

    def read_result(self, owner: str, job_id: str, offset: int) -> Iterator[bytes]:
        """The sealed result of a finished job."""
        job = self._finished(owner, job_id)
        if offset > job.result_bytes:
            raise invalid("result_offset_wrong", "The offset lies behind the end of the result.")
        return self._spool.read_result(job_id, offset)

    def read_review(self, owner: str, job_id: str, offset: int) -> Iterator[bytes]:
        """The sealed review package of a finished job."""
        job = self._finished(owner, job_id)
        if not job.review_bytes:
            raise precondition("review_not_asked", "The job was not asked for a review package.")
        if offset > job.review_bytes:
            raise invalid("review_offset_wrong", "The offset lies behind the end of the review package.")
        return self._spool.read_review(job_id, offset)

    def read_untouched(self, owner: str, job_id: str, offset: int) -> Iterator[bytes]:
        """The sealed untouched package of a finished job."""
        job = self._finished(owner, job_id)
        if not job.untouched_bytes:
            raise precondition("untouched_not_asked", "The job's policy asks for no untouched package.")
        if offset > job.untouched_bytes:
            raise invalid(
                "untouched_offset_wrong", "The offset lies behind the end of the untouched package."
            )
        return self._spool.read_untouched(job_id, offset)

    def read_scores(self, owner: str, job_id: str, offset: int) -> Iterator[bytes]:
        """The sealed scores of a finished job."""
        job = self._finished(owner, job_id)
        if not job.scores_bytes:
            raise precondition("scores_absent", "In this job nobody was compared with encrypted templates.")
        if offset > job.scores_bytes:
            raise invalid("scores_offset_wrong", "The offset lies behind the end of the scores.")
        return self._spool.read_scores(job_id, offset)

    def _finished(self, owner: str, job_id: str) -> JobRecord:
        job = self.store.get(job_id, owner)
        if job.state is not State.DONE:
            raise precondition("result_not_ready", "The job has no result to fetch.")
        return job

    def sweep(self) -> None:
        """Removes what nobody will come back for: stale uploads, ended jobs past their time, stray files."""
        now = self._clock()
        for job in self.store.in_state(State.UPLOADING):
            with self._lock:
                busy = job.job_id in self._uploading
            if not busy and now - job.updated_at > self._config.upload_seconds:
                self._endings.drop(job.job_id)
                self._receipts.forget(job.job_id)
                self.store.delete(job.job_id)
        for job in self.store.in_state(*states.FINAL):
            if now - job.updated_at > self._config.retention_seconds:
                self._endings.drop(job.job_id)
                self.store.delete(job.job_id)


class Upload:
    """One stream of sealed bytes into one job."""

    def __init__(
        self,
        job: JobRecord,
        file: UploadFile,
        store: JobStore,
        spool: Spool,
        config: ServiceConfig,
        vault: VaultClient,
        receipts: Receipts,
    ) -> None:
        self._job = job
        self._file = file
        self._store = store
        self._spool = spool
        self._config = config
        self._vault = vault
        self._receipts = receipts
        self._synced_bytes = file.size
        self._is_accepted = False

    def append(self, chunk: bytes) -> None:
        """Adds sealed bytes; once the header is there, the vault takes the file key into its keeping.

        Raises:
            UploadRefusedError: the upload can never be opened.
            ServiceError: `upload_too_large`, `storage_full`, `vault_busy`.
        """
        if self._file.size + len(chunk) > self._config.max_upload_bytes:
            raise exhausted("upload_too_large", "The sealed upload is larger than this service takes.")
        if self._file.size == self._synced_bytes:
            self._spool.require_room(len(chunk))
        self._file.append(chunk)
        if self._file.size >= MAX_HEADER_BYTES:
            self._accept()
        if self._file.size - self._synced_bytes >= SYNC_EVERY_BYTES:
            self.commit()

    def commit(self) -> JobRecord:
        """Makes what came so far durable."""
        self._file.sync()
        self._synced_bytes = self._file.size
        return self._store.change(self._job.job_id, lambda job: states.commit_bytes(job, self._file.size))

    def finish(self, total_bytes: int, sha256: bytes) -> JobRecord:
        """Closes the upload; from here on the service answers for it, and the log says so.

        Raises:
            UploadRefusedError: the upload can never be opened.
            ServiceError: `upload_size_wrong`, `upload_digest_wrong`, the upload starts anew; or the log's
                code, and to finish again is safe.
            KeyvaultError: the vault does not sign the receipt.
        """
        self.commit()
        if total_bytes != self._file.size:
            raise precondition("upload_size_wrong", "The upload is not as long as its finish says.")
        digest = self._file.sha256()
        if digest != sha256.hex():
            self._store.change(self._job.job_id, lambda job: states.commit_bytes(job, 0))
            raise precondition(
                "upload_digest_wrong", "The upload was damaged on the way; it starts again at offset 0."
            )
        self._accept()
        receipt = self._receipts.make(self._job, digest)
        return self._store.change(self._job.job_id, lambda job: states.finish_upload(job, digest, receipt))

    def _accept(self) -> None:
        # As early as possible: an intake key may die while a long upload is still under way.
        if not self._is_accepted:
            accept_upload(self._vault, self._job, self._file.head(MAX_HEADER_BYTES))
            self._is_accepted = True
