"""The front desk's channel: one request, one answer, in order, until it closes."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass

from keyvault.public_keys import to_message
from keyvault.vault.acceptances import Acceptances
from keyvault.vault.anchoring import AnchorDesk
from keyvault.vault.announcements import Announcer, WorkerFacts
from keyvault.vault.config import VaultConfig
from keyvault.vault.confirmations import Confirmations
from keyvault.vault.erasures import Erasures
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.frames import (
    ChannelClosedError,
    OversizeFrameError,
    is_readable,
    parse,
    read_frame,
    skip,
    write_frame,
)
from keyvault.vault.identity import Identity
from keyvault.vault.intake import IntakeKeys
from keyvault.vault.notary import sign_failure, sign_policies, sign_submission
from keyvault.vault.ratchet import CheckpointRatchet
from keyvault.vault.register import WorkerRegister
from keyvault.vault.rings import Rings
from protos.bauta.internal.v1.vault_pb2 import (
    Description,
    Done,
    Erased,
    Statements,
    VaultRequest,
    VaultResponse,
)

_LONGEST_SLEEP_SECONDS = 60.0

_logger = logging.getLogger("keyvault")


@dataclass(frozen=True)
class FrontDesk:
    """Answers the front desk's requests.

    Attributes:
        identity: the keys of this installation.
        ratchet: signs checkpoints, forwards only.
        announcer: signs what is said about intake keys.
        acceptances: the uploads that the vault stands by.
        confirmations: the releases that wait for the log.
        register: the worker versions that somebody stands by.
        rings: the wrapped keys of recovery packages.
        erasures: what destroys them, on purpose.
        credential_root: what content credentials lead to: a DER X.509 certificate.
        wait_for_worker: gives the worker host, or raises.
        clock: seconds since the epoch.
        anchors: signs for a chain; None where the operator asks for no anchors.
    """

    identity: Identity
    ratchet: CheckpointRatchet
    announcer: Announcer
    acceptances: Acceptances
    confirmations: Confirmations
    register: WorkerRegister
    rings: Rings
    erasures: Erasures
    credential_root: bytes
    wait_for_worker: Callable[[], WorkerFacts]
    clock: Callable[[], float]
    anchors: AnchorDesk | None = None

    def answer(self, untrusted_body: bytes) -> VaultResponse:
        """Answers one request. Whatever comes in, a response goes out."""
        try:
            return self._dispatch(parse(VaultRequest, untrusted_body, "request_malformed"))
        except VaultRequestError as refusal:
            return VaultResponse(error_code=refusal.code)
        except Exception as defect:
            # A defect of ours must not take the keys away from everybody; its text may quote the request.
            _logger.error("request failed: %s", type(defect).__name__)
            return VaultResponse(error_code="vault_internal_error")

    def _dispatch(self, untrusted: VaultRequest) -> VaultResponse:
        node = self.identity.node
        match untrusted.WhichOneof("operation"):
            case "describe":
                return VaultResponse(description=self._describe())
            case "announce_intake":
                return VaultResponse(intake=self.announcer.announce())
            case "sign_checkpoint":
                request = untrusted.sign_checkpoint
                return VaultResponse(checkpoint=self.ratchet.sign(request.text, request.consistency))
            case "sign_failure":
                return VaultResponse(failure=sign_failure(node, untrusted.sign_failure, self.clock()))
            case "sign_submission":
                submission = sign_submission(node, self.acceptances, untrusted.sign_submission, self.clock())
                return VaultResponse(submission=submission)
            case "sign_policies":
                policies = sign_policies(node, self.wait_for_worker(), self.clock())
                return VaultResponse(statements=Statements(envelopes=policies))
            case "announce_rotations":
                return VaultResponse(statements=Statements(envelopes=self.announcer.rotations()))
            case "confirm_rotation":
                rotation = untrusted.confirm_rotation
                self.announcer.confirm_rotation(
                    rotation.retired_sha256,
                    lambda leaf: self.confirmations.require_recorded(leaf, rotation.tlog_proof),
                )
            case "erase_tracks":
                statement, left = self.erasures.erase(untrusted.erase_tracks)
                return VaultResponse(erased=Erased(statement=statement, left=left))
            case "announce_erasures":
                return VaultResponse(statements=Statements(envelopes=self.erasures.pending()))
            case "confirm_erasure":
                erasure = untrusted.confirm_erasure
                self.erasures.confirm(
                    erasure.statement_sha256,
                    lambda leaf: self.confirmations.require_recorded(leaf, erasure.tlog_proof),
                )
            case "sign_anchor":
                if self.anchors is None:
                    raise VaultRequestError("anchors_not_asked", "the operator asks for no anchors")
                anchor = untrusted.sign_anchor
                signature = self.anchors.sign(anchor.transaction, anchor.consistency)
                return VaultResponse(anchor_signature=signature)
            case "release_worker":
                return VaultResponse(worker_release=self.register.release(self.wait_for_worker()))
            case "register_worker":
                self.register.register(self.wait_for_worker(), untrusted.register_worker.release)
            case "accept_upload":
                upload = untrusted.accept_upload
                self.acceptances.accept(upload.job_id, upload.age_header, upload.terms_sha256)
            case "confirm_release":
                release = untrusted.confirm_release
                self.confirmations.confirm(release.job_id, release.tlog_proof)
            case "keep_ring":
                self.rings.keep(untrusted.keep_ring.job_id, untrusted.keep_ring.ring_sha256)
            case "end_job":
                self.acceptances.end(untrusted.end_job.job_id)
                self.rings.end(untrusted.end_job.job_id)
            case "retain_jobs":
                self.acceptances.retain(untrusted.retain_jobs.job_ids)
                self.rings.retain(untrusted.retain_jobs.job_ids)
            case _:
                raise VaultRequestError("request_unknown", "the request names no operation known here")
        return VaultResponse(done=Done())

    def _describe(self) -> Description:
        return Description(
            node=to_message(self.identity.node.public),
            log_origin=self.identity.log.origin,
            log_vkeys=self.identity.log.vkeys,
            log_size=self.ratchet.size,
            release_keys=[to_message(key) for key in self.register.release_keys],
            credential_root=self.credential_root,
            anchorer=b"" if self.anchors is None else self.anchors.anchorer,
        )


def serve_front_desk(
    channel: socket.socket, desk: FrontDesk, intake_keys: IntakeKeys, config: VaultConfig
) -> None:
    """Answers until the front desk closes its end, and destroys every key when its time is over."""
    try:
        while True:
            dues = [intake_keys.seconds_to_next_destruction(), desk.acceptances.seconds_to_next_destruction()]
            pause = min([_LONGEST_SLEEP_SECONDS, *(due for due in dues if due is not None)])
            is_request = is_readable(channel, time.monotonic() + pause)
            intake_keys.destroy_due()
            desk.acceptances.destroy_due()
            if is_request:
                _serve_one(channel, desk, config)
    except ChannelClosedError:
        return


def _serve_one(channel: socket.socket, desk: FrontDesk, config: VaultConfig) -> None:
    try:
        untrusted_body = read_frame(channel, config.max_front_request_bytes)
    except OversizeFrameError as oversize:
        write_frame(channel, VaultResponse(error_code=oversize.code))
        skip(channel, oversize.size)
        return
    write_frame(channel, desk.answer(untrusted_body))
