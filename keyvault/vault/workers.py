"""The worker host's channel, and one thread for each job whose child may ask for a file key.

The host says hello once, then hands over one socket for each job. The front desk holds no end of any of
this. A child is hostile until shown otherwise: it may ask for its key once, and then for what `follow_ups`
gives, with a deadline and a cap on the size of each.
"""

from __future__ import annotations

import array
import logging
import os
import re
import socket
import threading
import time

from keyvault.vault.announcements import WorkerFacts, WorkerPresence
from keyvault.vault.answering import answered
from keyvault.vault.config import VaultConfig
from keyvault.vault.confirmations import Awaited, Confirmations
from keyvault.vault.disclosures import Admission, DisclosureDesk
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.follow_ups import LAST_WORD_SECONDS, FollowUps
from keyvault.vault.frames import (
    ChannelClosedError,
    parse,
    read_frame,
    take_socket,
    write_frame,
)
from keyvault.vault.intake import MEASUREMENT_BYTES
from keyvault.vault.releases import Offer, ReleaseDesk
from protos.bauta.internal.v1.release_pb2 import (
    ReleaseChallenge,
    ReleaseOffer,
    ReleaseRequest,
    ReleaseResponse,
)
from protos.bauta.internal.v1.worker_pb2 import WorkerHello
from provenance.statements import DisclosureWorkerFacts, ReleaseFacts

JOB_ID_BYTES = 16
NONCE_BYTES = 32
_FD_BYTES = array.array("i").itemsize
_MAX_WALLS = 64
_MAX_DIGESTS = 64
_WORD = re.compile(r"[a-z][a-z0-9_-]{0,63}")

_logger = logging.getLogger("keyvault")


class WorkerChannel:
    """Serves one worker host until it is gone.

    Args:
        channel: the vault's end.
        presence: told who is there.
        desk: decides on file keys.
        follow_ups: answers a child that has its file key.
        confirmations: where a release waits for the log.
        config: limits.
        disclosures: decides on disclosure workers.
    """

    def __init__(
        self,
        channel: socket.socket,
        presence: WorkerPresence,
        desk: ReleaseDesk,
        follow_ups: FollowUps,
        confirmations: Confirmations,
        config: VaultConfig,
        disclosures: DisclosureDesk,
    ) -> None:
        self._channel = channel
        self._presence = presence
        self._desk = desk
        self._follow_ups = follow_ups
        self._disclosures = disclosures
        self._confirmations = confirmations
        self._config = config
        self._free_places = threading.BoundedSemaphore(config.max_open_releases)

    def start(self) -> None:
        """Serves in a thread of its own."""
        threading.Thread(target=self.serve, name="worker-host", daemon=True).start()

    def serve(self) -> None:
        """Serves until the host closes its end or says something that it must not."""
        try:
            worker = self._read_hello()
            self._presence.arrive(worker)
            while True:
                job_id, job_channel = receive_registration(self._channel)
                self._start_release(job_id, job_channel, worker)
        except ChannelClosedError:
            _logger.info("the worker host is gone")
        except (VaultRequestError, OSError):
            _logger.error("the worker host said something that is not in the protocol; its channel is closed")
        finally:
            self._presence.leave()
            self._channel.close()

    def _read_hello(self) -> WorkerFacts:
        untrusted = parse(
            WorkerHello, read_frame(self._channel, self._config.max_hello_bytes), "hello_malformed"
        )
        walls = list(untrusted.walls)
        version = untrusted.version
        names = [item.name for item in untrusted.models] + [item.name for item in version.policies]
        if (
            len(untrusted.measurement) != MEASUREMENT_BYTES
            or len(walls) > _MAX_WALLS
            or len(names) > _MAX_DIGESTS
            or not all(_WORD.fullmatch(word) for word in [*walls, *names])
        ):
            raise VaultRequestError("hello_malformed", "the worker host's hello is out of its form")
        return WorkerFacts(
            measurement=untrusted.measurement,
            walls=frozenset(walls),
            version=version.version,
            models={model.name: model.sha256.hex() for model in untrusted.models},
            policies={policy.name: policy.sha256.hex() for policy in version.policies},
            lock_sha256=version.lock_sha256.hex(),
        )

    def _start_release(self, job_id: bytes, job_channel: socket.socket, worker: WorkerFacts) -> None:
        if not self._free_places.acquire(blocking=False):
            with job_channel:
                _send_refusal(job_channel, "vault_busy")
            return
        try:
            threading.Thread(
                target=self._serve_release, args=(job_id, job_channel, worker), name="release", daemon=True
            ).start()
        except RuntimeError:
            self._free_places.release()
            job_channel.close()

    def _serve_release(self, job_id: bytes, job_channel: socket.socket, worker: WorkerFacts) -> None:
        deadline = time.monotonic() + self._config.release_timeout_seconds
        with job_channel:
            try:
                released = self._converse(job_id, job_channel, worker, deadline)
            except ChannelClosedError:
                _logger.info("a job's child was gone before its answer")
                released = None
            finally:
                self._free_places.release()
            if isinstance(released, Admission):
                self._disclosures.serve(released, job_channel)
            elif released is not None:
                self._follow_ups.serve(released, job_channel)

    def _converse(
        self, job_id: bytes, job_channel: socket.socket, worker: WorkerFacts, deadline: float
    ) -> Offer | Admission | None:
        """Challenge, request, offer; and the key once the offer's evidence is in the log.

        Returns:
            What was released; None if nothing was.
        """
        nonce = os.urandom(NONCE_BYTES)
        write_frame(job_channel, ReleaseChallenge(nonce=nonce), deadline)
        # What was offered, and its place among those that wait for the log.
        offered: list[tuple[Offer | Admission, Awaited]] = []

        def make_offer() -> ReleaseOffer:
            untrusted = self._read_request(job_channel, deadline)
            offer: Offer | Admission
            if untrusted.HasField("disclosure"):
                offer = self._disclosures.admit(job_id, worker, nonce, untrusted)
                kind = DisclosureWorkerFacts.kind()
            else:
                offer = self._desk.offer(job_id, worker, nonce, untrusted)
                kind = ReleaseFacts.kind()
            offered.append((offer, self._confirmations.expect(job_id, offer.evidence.digest, kind)))
            return ReleaseOffer(evidence=offer.evidence.to_bytes())

        def make_response() -> ReleaseResponse:
            [(offer, awaited)] = offered
            self._confirmations.wait(job_id, awaited, deadline)
            if isinstance(offer, Admission):
                return ReleaseResponse()  # Nothing to give yet: only that its evidence is on record.
            sealed_file_key = self._desk.seal(offer)
            return ReleaseResponse(
                sealed_file_key=sealed_file_key, claim_signer=self._follow_ups.claim_signer
            )

        write_frame(job_channel, answered(make_offer, ReleaseOffer), deadline + LAST_WORD_SECONDS)
        if not offered:
            return None
        response = answered(make_response, ReleaseResponse)
        write_frame(job_channel, response, deadline + LAST_WORD_SECONDS)
        return None if response.error_code else offered[0][0]

    def _read_request(self, job_channel: socket.socket, deadline: float) -> ReleaseRequest:
        try:
            untrusted_body = read_frame(job_channel, self._config.max_release_request_bytes, deadline)
        except ChannelClosedError:
            raise VaultRequestError("release_too_slow", "the child did not ask in time") from None
        return parse(ReleaseRequest, untrusted_body, "release_request_malformed")


def receive_registration(channel: socket.socket) -> tuple[bytes, socket.socket]:
    """Receives a 16-byte job id and the one descriptor that comes with it.

    Raises:
        ChannelClosedError: the host is gone.
        OSError: there is not exactly one descriptor, or it is no Unix stream socket.
    """
    job_id = b""
    fds: list[int] = []
    while len(job_id) < JOB_ID_BYTES:
        try:
            part, ancillary, flags, _ = channel.recvmsg(
                JOB_ID_BYTES - len(job_id), socket.CMSG_SPACE(2 * _FD_BYTES), socket.MSG_CMSG_CLOEXEC
            )
        except OSError:
            _close_all(fds)
            raise ChannelClosedError from None
        for level, kind, payload in ancillary:
            if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
                received = array.array("i")
                received.frombytes(payload[: len(payload) - len(payload) % _FD_BYTES])
                fds.extend(received)
        if not part or flags & socket.MSG_CTRUNC or len(fds) > 1:
            _close_all(fds)
            if part:
                raise OSError("too many descriptors came with a job")
            raise ChannelClosedError
        job_id += part
    if not fds:
        raise OSError("no descriptor came with a job")
    return job_id, take_socket(fds[0])


def _send_refusal(channel: socket.socket, code: str) -> None:
    """Answers a child before it has asked: an empty challenge, and an offer that is none."""
    try:
        for message in (ReleaseChallenge(), ReleaseOffer(error_code=code)):
            write_frame(channel, message, time.monotonic())
    except ChannelClosedError:
        _logger.info("a job's child was gone before its answer")


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
