"""The front desk's side of its channel to the vault. No private key on this side, and none in reach of it."""

from __future__ import annotations

import re
import socket
import struct
import threading
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from keyvault.errors import KeyvaultError
from keyvault.public_keys import from_message
from protos.bauta.internal.v1.vault_pb2 import (
    AcceptUpload,
    AnnounceErasures,
    AnnounceIntake,
    AnnounceRotations,
    ConfirmErasure,
    ConfirmRelease,
    ConfirmRotation,
    Describe,
    EndJob,
    EraseTracks,
    KeepRing,
    RegisterWorker,
    ReleaseWorker,
    RetainJobs,
    SignAnchor,
    SignCheckpoint,
    SignFailure,
    SignPolicies,
    SignSubmission,
    VaultRequest,
    VaultResponse,
)
from protos.framing import FramingError, read_message, write_message
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey

MAX_RESPONSE_BYTES = 1 << 20
# Longer than the vault itself waits for a worker host.
DEFAULT_TIMEOUT_SECONDS = 60.0
_CODE = re.compile(r"[a-z][a-z0-9_]{0,63}")


class VaultUnavailableError(KeyvaultError):
    """The vault is gone, silent, or answers what was not asked: start a new one."""

    code = "vault_unavailable"


class VaultRefusedError(KeyvaultError):
    """The vault refuses this request; the next one may be answered.

    Attributes:
        code: as the vault gave it.
    """

    def __init__(self, code: str) -> None:
        super().__init__(f"the vault refuses: {code}")
        self.code = code


@dataclass(frozen=True)
class VaultDescription:
    """The public keys of this installation.

    Attributes:
        node: signs intake, release and failure statements.
        log_origin: the log's origin line.
        log_vkeys: the log's verifier keys, Ed25519 and ML-DSA-44.
        release_keys: whose releases of worker versions count.
        credential_root: what content credentials lead to: a DER X.509 certificate.
        anchorer: the address that sends anchors, 20 bytes; empty where the operator asks for none.
    """

    node: HybridPublicKey
    log_origin: str
    log_vkeys: tuple[str, ...]
    release_keys: tuple[HybridPublicKey, ...]
    credential_root: bytes
    anchorer: bytes = b""


class VaultClient:
    """Asks the vault, one request at a time. Thread-safe.

    Args:
        fd: the front desk's end of the channel; owned by this object from here on.
        timeout_seconds: how long one answer may take.
    """

    def __init__(self, fd: int, timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS) -> None:
        self._lock = threading.Lock()
        self._channel = socket.socket(fileno=fd)
        self._channel.setblocking(True)
        # The kernel's own timeouts: framing reads the plain descriptor.
        seconds = int(timeout_seconds)
        timeout = struct.pack("@ll", seconds, int((timeout_seconds - seconds) * 1_000_000))
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            self._channel.setsockopt(socket.SOL_SOCKET, option, timeout)

    def describe(self) -> VaultDescription:
        """Gives the public keys.

        Raises:
            VaultUnavailableError: no answer.
        """
        description = self._ask(VaultRequest(describe=Describe()), "description").description
        try:
            node = from_message(description.node)
            release_keys = tuple(from_message(key) for key in description.release_keys)
        except ProvenanceError:
            raise VaultUnavailableError("the vault described itself with something that is no key") from None
        return VaultDescription(
            node=node,
            log_origin=description.log_origin,
            log_vkeys=tuple(description.log_vkeys),
            release_keys=release_keys,
            credential_root=description.credential_root,
            anchorer=description.anchorer,
        )

    def is_there(self) -> bool:
        """Whether the vault still answers."""
        try:
            self.describe()
        except VaultUnavailableError:
            return False
        return True

    def announce_intake(self) -> bytes:
        """Gives the current intake statement in its DSSE envelope (JSON); the same bytes while it is current.

        Waits for the worker host's hello, up to the vault's own limit.

        Raises:
            VaultRefusedError: worker_not_ready, worker_not_released, intake_keys_exhausted or
                vault_store_unwritable.
            VaultUnavailableError: no answer.
        """
        return self._ask(VaultRequest(announce_intake=AnnounceIntake()), "intake").intake

    def sign_checkpoint(self, text: bytes, prove_from: Callable[[int], list[bytes]]) -> bytes:
        """Gives the signed note of a checkpoint.

        Args:
            text: origin, size and root, three lines.
            prove_from: gives the consistency proof from an older size to this checkpoint's.

        Raises:
            VaultRefusedError: checkpoint_malformed, checkpoint_wrong_origin, checkpoint_shrinks,
                checkpoint_forks, checkpoint_forgets or vault_store_unwritable.
            VaultUnavailableError: no answer.
        """
        signed_size = self._ask(VaultRequest(describe=Describe()), "description").description.log_size
        request = SignCheckpoint(text=text, consistency=prove_from(signed_size))
        return self._ask(VaultRequest(sign_checkpoint=request), "checkpoint").checkpoint

    def sign_anchor(self, transaction: bytes, prove_to: Callable[[int], list[bytes]]) -> bytes:
        """Gives the signature of a transaction that anchors: r, s and the parity of y, 65 bytes.

        Args:
            transaction: unsigned, as `AnchorTransaction.to_sign` gives it.
            prove_to: gives the consistency proof from the anchored tree to one of this size.

        Raises:
            VaultRefusedError: anchors_not_asked, anchor_malformed, anchor_wrong_chain, anchor_of_another,
                anchor_too_dear, or checkpoint_not_signed; the last one also when the log grew meanwhile.
            VaultUnavailableError: no answer.
        """
        signed_size = self._ask(VaultRequest(describe=Describe()), "description").description.log_size
        request = SignAnchor(transaction=transaction, consistency=prove_to(signed_size))
        return self._ask(VaultRequest(sign_anchor=request), "anchor_signature").anchor_signature

    def release_worker(self) -> bytes:
        """Gives the node's own release of the worker version that is connected, a DSSE envelope (JSON).

        Raises:
            VaultRefusedError: release_key_not_own or worker_not_ready.
            VaultUnavailableError: no answer.
        """
        request = VaultRequest(release_worker=ReleaseWorker())
        return self._ask(request, "worker_release").worker_release

    def register_worker(self, release: bytes) -> None:
        """Shows the vault a release of the worker version that is connected, a DSSE envelope (JSON).

        Raises:
            VaultRefusedError: worker_release_invalid or worker_not_ready.
            VaultUnavailableError: no answer.
        """
        self._ask(VaultRequest(register_worker=RegisterWorker(release=release)), "done")

    def accept_upload(self, job_id: bytes, age_header: bytes, terms_sha256: bytes) -> None:
        """Has the vault stand by an upload; when this returns, no rotation of intake keys can lose it.

        Args:
            job_id: 16 bytes.
            age_header: of the upload, to the end of its MAC line.
            terms_sha256: of the job's canonical terms.

        Raises:
            VaultRefusedError: acceptance_malformed, upload_header_invalid, intake_key_unknown,
                too_many_accepted_uploads or vault_store_unwritable.
            VaultUnavailableError: no answer.
        """
        request = AcceptUpload(job_id=job_id, age_header=age_header, terms_sha256=terms_sha256)
        self._ask(VaultRequest(accept_upload=request), "done")

    def confirm_release(self, job_id: bytes, tlog_proof: bytes) -> None:
        """Shows the vault that a job's release is in the log; it then lets the key go.

        Raises:
            VaultRefusedError: release_unknown, release_proof_invalid or release_not_witnessed.
            VaultUnavailableError: no answer.
        """
        request = ConfirmRelease(job_id=job_id, tlog_proof=tlog_proof)
        self._ask(VaultRequest(confirm_release=request), "done")

    def end_job(self, job_id: bytes) -> None:
        """Has the vault destroy what it keeps for a job.

        Raises:
            VaultUnavailableError: no answer.
        """
        self._ask(VaultRequest(end_job=EndJob(job_id=job_id)), "done")

    def keep_ring(self, job_id: bytes, ring_sha256: bytes) -> None:
        """Has the vault keep the ring of a job that is done; `end_job` then does not destroy it.

        Raises:
            VaultRefusedError: ring_unknown or vault_store_unwritable.
            VaultUnavailableError: no answer.
        """
        request = KeepRing(job_id=job_id, ring_sha256=ring_sha256)
        self._ask(VaultRequest(keep_ring=request), "done")

    def retain_jobs(self, job_ids: Iterable[bytes]) -> None:
        """Has the vault destroy what it keeps for every job but these.

        Raises:
            VaultUnavailableError: no answer.
        """
        self._ask(VaultRequest(retain_jobs=RetainJobs(job_ids=job_ids)), "done")

    def sign_failure(self, job_id: bytes, code: str) -> bytes:
        """Gives a signed failure statement in its DSSE envelope (JSON).

        Args:
            job_id: 16 bytes.
            code: one of the published failure codes.

        Raises:
            VaultRefusedError: failure_job_id_invalid or failure_code_invalid.
            VaultUnavailableError: no answer.
        """
        return self._ask(VaultRequest(sign_failure=SignFailure(job_id=job_id, code=code)), "failure").failure

    def sign_submission(self, job_id: bytes, upload_sha256: bytes) -> bytes:
        """Gives a signed submission statement in its DSSE envelope (JSON); another one each time.

        Args:
            job_id: 16 bytes; its upload was accepted.
            upload_sha256: of the whole sealed upload, 32 bytes.

        Raises:
            VaultRefusedError: submission_malformed or upload_not_accepted.
            VaultUnavailableError: no answer.
        """
        request = SignSubmission(job_id=job_id, upload_sha256=upload_sha256)
        return self._ask(VaultRequest(sign_submission=request), "submission").submission

    def sign_policies(self) -> list[bytes]:
        """Gives a policy statement in its DSSE envelope (JSON) for each policy that the worker ships.

        Raises:
            VaultRefusedError: policies_unknown or worker_not_ready.
            VaultUnavailableError: no answer.
        """
        answer = self._ask(VaultRequest(sign_policies=SignPolicies()), "statements")
        return list(answer.statements.envelopes)

    def announce_rotations(self) -> list[bytes]:
        """Gives the DSSE envelopes (JSON) of destroyed intake keys that were not confirmed; a few at a time.

        Raises:
            VaultUnavailableError: no answer.
        """
        answer = self._ask(VaultRequest(announce_rotations=AnnounceRotations()), "statements")
        return list(answer.statements.envelopes)

    def confirm_rotation(self, retired_sha256: bytes, tlog_proof: bytes) -> None:
        """Shows the vault that a destruction is in the log; it then forgets it.

        Raises:
            VaultRefusedError: rotation_unknown or entry_proof_invalid.
            VaultUnavailableError: no answer.
        """
        request = ConfirmRotation(retired_sha256=retired_sha256, tlog_proof=tlog_proof)
        self._ask(VaultRequest(confirm_rotation=request), "done")

    def erase_tracks(self, job_id: bytes, tracks: Sequence[int], reason: str) -> tuple[bytes, int]:
        """Has the vault destroy wrapped keys of a job that is kept; nobody brings them back.

        Args:
            job_id: 16 bytes.
            tracks: numbers, rising, at most 64; none for those that are left, 64 at a time.
            reason: an erasure reason.

        Returns:
            The erasure statement in its DSSE envelope (JSON), and how many tracks of the job are left.

        Raises:
            VaultRefusedError: erasure_malformed, ring_unknown, track_unknown, track_erased or
                vault_store_unwritable.
            VaultUnavailableError: no answer.
        """
        request = EraseTracks(job_id=job_id, tracks=tracks, reason=reason)
        erased = self._ask(VaultRequest(erase_tracks=request), "erased").erased
        return erased.statement, erased.left

    def announce_erasures(self) -> list[bytes]:
        """Gives the DSSE envelopes (JSON) of erasures that were not confirmed; a few at a time.

        Raises:
            VaultUnavailableError: no answer.
        """
        answer = self._ask(VaultRequest(announce_erasures=AnnounceErasures()), "statements")
        return list(answer.statements.envelopes)

    def confirm_erasure(self, statement_sha256: bytes, tlog_proof: bytes) -> None:
        """Shows the vault that an erasure is in the log; it then forgets the statement.

        Raises:
            VaultRefusedError: erasure_unknown or entry_proof_invalid.
            VaultUnavailableError: no answer.
        """
        request = ConfirmErasure(statement_sha256=statement_sha256, tlog_proof=tlog_proof)
        self._ask(VaultRequest(confirm_erasure=request), "done")

    def close(self) -> None:
        """Closes the channel, upon which the vault ends."""
        self._channel.close()

    def _ask(self, request: VaultRequest, answer: str) -> VaultResponse:
        with self._lock:
            try:
                write_message(self._channel.fileno(), request)
                response = read_message(self._channel.fileno(), VaultResponse, MAX_RESPONSE_BYTES)
            except (OSError, FramingError):
                response = None
            if response is None:
                # A late answer must never be taken for the next one's.
                self._channel.close()
                raise VaultUnavailableError("the vault does not answer")
        if _CODE.fullmatch(response.error_code):
            raise VaultRefusedError(response.error_code)
        if response.error_code or response.WhichOneof("answer") != answer:
            raise VaultUnavailableError("the vault answered something else")
        return response
