"""Uploads that were accepted in time: each one's file key, kept for its job alone.

Intake keys live for hours, and a job may wait longer than that for its turn. So the file key is unwrapped
once, when the upload's header has arrived, and kept sealed in the store under the job's number. It goes when
the job ends, or when its time is over, whichever comes first; after that nobody opens the upload again.
"""

from __future__ import annotations

import hashlib
import struct
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from keyvault.age import AgeError, AgeNoMatchError, Header, parse_header, unwrap_file_key
from keyvault.release import FILE_KEY_BYTES, JOB_ID_BYTES
from keyvault.upload import UploadSuiteError, insist_on_post_quantum
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError, VaultStartError
from keyvault.vault.intake import MEASUREMENT_BYTES, IntakeKey, IntakeKeys
from keyvault.vault.keystore import Keystore
from keyvault.vault.memory import Secret, wipe
from keyvault.vault.perishables import Perishables

ENTRY = "accepted"
_SHA256_BYTES = 32
# Seconds since the epoch; job; SHA-256 of header and of terms; measurement; file key.
_RECORD = struct.Struct(
    f">Q{JOB_ID_BYTES}s{_SHA256_BYTES}s{_SHA256_BYTES}s{MEASUREMENT_BYTES}s{FILE_KEY_BYTES}s"
)


@dataclass(frozen=True)
class Accepted:
    """One upload that the vault stands by.

    Attributes:
        destroy_at: seconds since the epoch.
        job_id: 16 bytes.
        header_sha256: of the upload's age header.
        terms_sha256: of the job's canonical terms.
        measurement: of the worker that the intake key was announced with.
        file_key: 16 bytes; closed once the job has ended.
    """

    destroy_at: int
    job_id: bytes
    header_sha256: bytes
    terms_sha256: bytes
    measurement: bytes
    file_key: Secret = field(repr=False, compare=False)

    def to_record(self) -> bytearray:
        """The form it is stored in. The caller wipes it."""
        record = bytearray(_RECORD.size)
        _RECORD.pack_into(
            record,
            0,
            self.destroy_at,
            self.job_id,
            self.header_sha256,
            self.terms_sha256,
            self.measurement,
            b"",
        )
        record[-FILE_KEY_BYTES:] = self.file_key.view
        return record

    def forget(self) -> None:
        """Overwrites the file key."""
        self.file_key.close()


class Acceptances:
    """All uploads that wait for their worker. Thread-safe.

    Args:
        store: where they are sealed.
        intake_keys: open an upload's header, once.
        config: the cap and the time.
        clock: seconds since the epoch.
    """

    def __init__(
        self, store: Keystore, intake_keys: IntakeKeys, config: VaultConfig, clock: Callable[[], float]
    ) -> None:
        self._intake_keys = intake_keys
        self._config = config
        self._clock = clock
        self._lock = threading.Lock()
        self._accepted = Perishables(store, ENTRY, _load(store), clock)

    def accept(self, job_id: bytes, untrusted_header: bytes, terms_sha256: bytes) -> None:
        """Takes an upload. Durable when it returns; the same upload again changes nothing.

        Raises:
            VaultRequestError: acceptance_malformed, upload_header_invalid, upload_not_post_quantum,
                intake_key_unknown, too_many_accepted_uploads or vault_store_unwritable.
        """
        if len(job_id) != JOB_ID_BYTES or len(terms_sha256) != _SHA256_BYTES:
            raise VaultRequestError("acceptance_malformed", "an acceptance names a job and its terms")
        header_sha256 = hashlib.sha256(untrusted_header).digest()
        with self._lock:
            self._accepted.destroy_due()
            known = self._accepted.items.get(job_id)
            if known is not None and (known.header_sha256, known.terms_sha256) == (
                header_sha256,
                terms_sha256,
            ):
                return
            if known is None and len(self._accepted.items) >= self._config.max_accepted_uploads:
                raise VaultRequestError(
                    "too_many_accepted_uploads", "too many uploads wait for their workers"
                )
            key, file_key = self._unwrap(parse_upload_header(untrusted_header, self._config))
            accepted = Accepted(
                destroy_at=int(self._clock()) + self._config.accepted_lifetime_seconds,
                job_id=job_id,
                header_sha256=header_sha256,
                terms_sha256=terms_sha256,
                measurement=key.measurement,
                file_key=Secret.moved_from(bytearray(file_key)),
            )
            self._accepted.put(job_id, accepted)

    def find(self, job_id: bytes, header_sha256: bytes, terms_sha256: bytes, measurement: bytes) -> Accepted:
        """The accepted upload of a job, for a worker that may have its key.

        Raises:
            VaultRequestError: upload_not_accepted, terms_not_accepted or worker_measurement_changed.
        """
        with self._lock:
            self._accepted.destroy_due()
            accepted = self._accepted.items.get(job_id)
        if accepted is None or accepted.header_sha256 != header_sha256:
            raise VaultRequestError("upload_not_accepted", "no such upload was accepted for this job")
        if accepted.terms_sha256 != terms_sha256:
            raise VaultRequestError("terms_not_accepted", "the upload was accepted under other terms")
        if accepted.measurement != measurement:
            raise VaultRequestError(
                "worker_measurement_changed", "the upload was sealed for another version of the worker"
            )
        return accepted

    def of(self, job_id: bytes) -> Accepted:
        """The accepted upload of a job.

        Raises:
            VaultRequestError: upload_not_accepted.
        """
        with self._lock:
            self._accepted.destroy_due()
            accepted = self._accepted.items.get(job_id)
        if accepted is None:
            raise VaultRequestError("upload_not_accepted", "no upload was accepted for this job")
        return accepted

    def end(self, job_id: bytes) -> None:
        """Destroys a job's file key, if there is one."""
        with self._lock:
            self._accepted.destroy({job_id} & self._accepted.items.keys())

    def retain(self, job_ids: Collection[bytes]) -> None:
        """Destroys every file key but those of these jobs."""
        with self._lock:
            self._accepted.destroy(self._accepted.items.keys() - set(job_ids))

    def destroy_due(self) -> None:
        """Destroys every file key whose time is over."""
        with self._lock:
            self._accepted.destroy_due()

    def seconds_to_next_destruction(self) -> float | None:
        """How long until one must be destroyed; 0 when one is due, None when there is none."""
        with self._lock:
            return self._accepted.seconds_to_next_destruction()

    def _unwrap(self, header: Header) -> tuple[IntakeKey, bytes]:
        for key in self._intake_keys.live():
            try:
                return key, unwrap_file_key(header, [key.identity])
            except AgeNoMatchError:
                continue
            except AgeError:
                raise _bad_header() from None
        raise VaultRequestError("intake_key_unknown", "no living intake key opens this upload")


def parse_upload_header(untrusted_header: bytes, config: VaultConfig) -> Header:
    """Parses an upload's age header.

    Raises:
        VaultRequestError: upload_header_invalid or upload_not_post_quantum.
    """
    if len(untrusted_header) > config.max_age_header_bytes:
        raise _bad_header()
    try:
        header = parse_header(untrusted_header)
        insist_on_post_quantum(header)
    except AgeError:
        raise _bad_header() from None
    except UploadSuiteError as weak:
        raise VaultRequestError(
            weak.code, "the upload is sealed to a recipient that is not post-quantum"
        ) from None
    return header


def _load(store: Keystore) -> dict[bytes, Accepted]:
    plaintext = store.read(ENTRY)
    try:
        if len(plaintext) % _RECORD.size:
            raise VaultStartError("vault_store_corrupt", "the stored uploads have an unknown form")
        accepted = {}
        for offset in range(0, len(plaintext), _RECORD.size):
            destroy_at, job_id, header, terms, measurement, _ = _RECORD.unpack_from(plaintext, offset)
            end = offset + _RECORD.size
            file_key = Secret.moved_from(memoryview(plaintext)[end - FILE_KEY_BYTES : end])
            accepted[job_id] = Accepted(destroy_at, job_id, header, terms, measurement, file_key)
        return accepted
    finally:
        wipe(plaintext)


def _bad_header() -> VaultRequestError:
    return VaultRequestError("upload_header_invalid", "the upload's header is malformed or was changed")
