"""The worker host's channel, and one thread for each job whose child may ask for a file key.

The host says hello once, then hands over one socket for each job. The front desk holds no end of any of
this. A child is hostile until shown otherwise: it has one question, a deadline, and a cap on its size.
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
from keyvault.vault.config import VaultConfig
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.frames import (
    ChannelClosedError,
    is_readable,
    parse,
    read_frame,
    take_socket,
    write_frame,
)
from keyvault.vault.intake import MEASUREMENT_BYTES
from keyvault.vault.releases import ReleaseDesk
from protos.bauta.internal.v1.release_pb2 import ReleaseRequest, ReleaseResponse
from protos.bauta.internal.v1.worker_pb2 import WorkerHello

JOB_ID_BYTES = 16
_FD_BYTES = array.array("i").itemsize
_MAX_WALLS = 64
_WALL_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

_logger = logging.getLogger("keyvault")


class WorkerChannel:
    """Serves one worker host until it is gone.

    Args:
        channel: the vault's end.
        presence: told who is there.
        desk: decides.
        config: limits.
    """

    def __init__(
        self, channel: socket.socket, presence: WorkerPresence, desk: ReleaseDesk, config: VaultConfig
    ) -> None:
        self._channel = channel
        self._presence = presence
        self._desk = desk
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
        if (
            len(untrusted.measurement) != MEASUREMENT_BYTES
            or len(walls) > _MAX_WALLS
            or not all(_WALL_NAME.fullmatch(wall) for wall in walls)
        ):
            raise VaultRequestError("hello_malformed", "the worker host's hello is out of its form")
        return WorkerFacts(measurement=untrusted.measurement, walls=frozenset(walls))

    def _start_release(self, job_id: bytes, job_channel: socket.socket, worker: WorkerFacts) -> None:
        if not self._free_places.acquire(blocking=False):
            with job_channel:
                _send(job_channel, ReleaseResponse(error_code="vault_busy"), time.monotonic())
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
        try:
            with job_channel:
                if not is_readable(job_channel, deadline):
                    _send(job_channel, ReleaseResponse(error_code="release_too_slow"), time.monotonic())
                    return
                _send(job_channel, self._answer(job_id, job_channel, worker, deadline), deadline)
        finally:
            self._free_places.release()

    def _answer(
        self, job_id: bytes, job_channel: socket.socket, worker: WorkerFacts, deadline: float
    ) -> ReleaseResponse:
        try:
            untrusted_body = read_frame(job_channel, self._config.max_release_request_bytes, deadline)
            untrusted = parse(ReleaseRequest, untrusted_body, "release_request_malformed")
            return self._desk.release(job_id, worker, untrusted)
        except VaultRequestError as refusal:
            return ReleaseResponse(error_code=refusal.code)
        except ChannelClosedError:
            return ReleaseResponse(error_code="release_too_slow")
        except Exception as defect:
            # As for the front desk: the vault lives on, and nothing of a request gets into a log.
            _logger.error("release failed: %s", type(defect).__name__)
            return ReleaseResponse(error_code="vault_internal_error")


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


def _send(channel: socket.socket, response: ReleaseResponse, deadline: float) -> None:
    try:
        write_frame(channel, response, deadline)
    except ChannelClosedError:
        _logger.info("a job's child was gone before its answer")


def _close_all(fds: list[int]) -> None:
    for fd in fds:
        os.close(fd)
