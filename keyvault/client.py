"""The front desk's side of its channel to the vault. No private key on this side, and none in reach of it."""

from __future__ import annotations

import socket
import struct
import threading
from dataclasses import dataclass

from keyvault.errors import KeyvaultError
from protos.bauta.internal.v1.vault_pb2 import (
    AnnounceIntake,
    Describe,
    SignCheckpoint,
    SignFailure,
    VaultRequest,
    VaultResponse,
)
from protos.framing import FramingError, read_message, write_message
from provenance.errors import ProvenanceError
from provenance.keys import HybridPublicKey

MAX_RESPONSE_BYTES = 1 << 20
# Longer than the vault itself waits for a worker host.
DEFAULT_TIMEOUT_SECONDS = 60.0


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
    """

    node: HybridPublicKey
    log_origin: str
    log_vkeys: tuple[str, ...]


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
            node = HybridPublicKey(ed25519=description.node_ed25519_key, mldsa65=description.node_mldsa65_key)
        except ProvenanceError:
            raise VaultUnavailableError("the vault described itself with something that is no key") from None
        return VaultDescription(
            node=node, log_origin=description.log_origin, log_vkeys=tuple(description.log_vkeys)
        )

    def announce_intake(self) -> bytes:
        """Gives the current intake statement in its DSSE envelope (JSON); the same bytes while it is current.

        Waits for the worker host's hello, up to the vault's own limit.

        Raises:
            VaultRefusedError: worker_not_ready, intake_keys_exhausted or vault_store_unwritable.
            VaultUnavailableError: no answer.
        """
        return self._ask(VaultRequest(announce_intake=AnnounceIntake()), "intake").intake

    def sign_checkpoint(self, text: bytes) -> bytes:
        """Gives the signed note of a checkpoint.

        Args:
            text: origin, size and root, three lines.

        Raises:
            VaultRefusedError: checkpoint_malformed, checkpoint_wrong_origin, checkpoint_shrinks,
                checkpoint_forks or vault_store_unwritable.
            VaultUnavailableError: no answer.
        """
        request = VaultRequest(sign_checkpoint=SignCheckpoint(text=text))
        return self._ask(request, "checkpoint").checkpoint

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
        if response.error_code:
            raise VaultRefusedError(response.error_code)
        if response.WhichOneof("answer") != answer:
            raise VaultUnavailableError("the vault answered something else")
        return response
