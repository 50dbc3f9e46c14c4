"""A real warm parent with real walled children; the test plays the front desk and the vault.

The vault played here holds a real intake identity and signs real evidence, so that a child cannot tell the
difference; a test can make it refuse, lie or fall silent.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import TracebackType

from enclave.host import RunningJob, WorkerHost
from enclave.policy import Instructions, Terms, upload_preamble
from keyvault.age import HybridIdentity, SealWriter, open_sealed, parse_header, unwrap_file_key
from keyvault.derived import Binding, KeyName, seal_derived_key
from keyvault.release import seal_file_key
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.claim_key import new_claim_key, read_claim_key
from protos.bauta.internal.v1.release_pb2 import (
    ClaimRequest,
    ClaimResponse,
    ClaimSigner,
    DeriveRequest,
    DeriveResponse,
    ReleaseChallenge,
    ReleaseOffer,
    ReleaseRequest,
    ReleaseResponse,
    RingRequest,
    RingResponse,
)
from protos.bauta.internal.v1.worker_pb2 import RunJob, WorkerHello, WorkerReport, WorkerResult
from protos.framing import read_message, write_message
from provenance.credentials.claim import Claim
from provenance.dsse import Envelope, sign_envelope
from provenance.statements import ReleaseFacts
from provenance.statements.fields import format_instant

SALT = bytes(range(32))
GIBIBYTE = 1 << 30
LOG_ORIGIN = "bauta.log/played"


@dataclass
class Answers:
    """What a vault says after its challenge; None closes the channel instead."""

    offer: ReleaseOffer | None
    response: ReleaseResponse | None


# Changes the honest answers to a request.
Twist = Callable[[ReleaseRequest, Answers], None]


def honest(_request: ReleaseRequest, _answers: Answers) -> None:
    """The vault as it should be."""


class PlayedVault:
    """Answers the warm parent's channel from a thread of the test."""

    def __init__(self, channel: socket.socket) -> None:
        self.intake = HybridIdentity.generate()
        self.node = HybridSigner.generate()
        self.requests: list[ReleaseRequest] = []
        self.claims: list[ClaimRequest] = []
        self.derivations: list[DeriveRequest] = []
        self.rings: list[bytes] = []
        with new_claim_key(datetime.now(UTC)) as stored:
            self.claim_key = read_claim_key(stored)
        self.twist: Twist = honest
        self.derivation_twist: Callable[[DeriveResponse], None] = lambda _response: None
        self.ring_twist: Callable[[RingResponse], None] = lambda _response: None
        self.claim_twist: Callable[[ClaimResponse], None] = lambda _response: None
        self._channel = channel
        hello = read_message(channel.fileno(), WorkerHello, 1 << 16)
        assert hello is not None
        self.hello = hello
        threading.Thread(target=self._serve, daemon=True).start()

    def leave(self) -> None:
        """Closes the vault's end of the channel."""
        self._channel.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                job_id, fds, _flags, _address = socket.recv_fds(self._channel, 16, 1)
            except OSError:
                return
            if not job_id:
                return
            # A channel stays open as long as its job, for one claim at its end.
            threading.Thread(target=self._answer_all, args=(job_id, fds[0]), daemon=True).start()

    def _answer_all(self, job_id: bytes, fd: int) -> None:
        # A child may leave without reading what it is told.
        with socket.socket(fileno=fd), contextlib.suppress(OSError):
            self._answer(job_id, fd)

    def _answer(self, job_id: bytes, fd: int) -> None:
        challenge = ReleaseChallenge(nonce=secrets.token_bytes(32))
        write_message(fd, challenge)
        request = read_message(fd, ReleaseRequest, 1 << 20)
        if request is None:
            return
        assert request.nonce == challenge.nonce
        self.requests.append(request)
        answers = self._release(job_id, request)
        self.twist(request, answers)
        if answers.offer is not None:
            write_message(fd, answers.offer)
            if answers.response is not None and not answers.offer.error_code:
                write_message(fd, answers.response)
                self._derive(request, fd)
                self._take_ring(fd)
                self._sign_claim(answers.offer.evidence, fd)

    def _derive(self, request: ReleaseRequest, fd: int) -> None:
        asked = read_message(fd, DeriveRequest, 1 << 10)
        if asked is None:
            return
        self.derivations.append(asked)
        file_key = unwrap_file_key(parse_header(request.age_header), [self.intake])
        binding = Binding(request.job_id, request.age_header, file_key)
        response = DeriveResponse(
            sealed_keys=[
                seal_derived_key(
                    memoryview(played_key(key.purpose, key.context)),
                    request.worker_hpke_key,
                    binding,
                    KeyName(key.purpose, key.context),
                )
                for key in asked.keys
            ]
        )
        self.derivation_twist(response)
        write_message(fd, response)

    def _take_ring(self, fd: int) -> None:
        if not self.derivations or not self.derivations[-1].hands_over_ring:
            return
        request = read_message(fd, RingRequest, 1 << 20)
        if request is None:
            return
        self.rings.append(request.ring)
        response = RingResponse()
        self.ring_twist(response)
        write_message(fd, response)

    def _sign_claim(self, evidence: bytes, fd: int) -> None:
        request = read_message(fd, ClaimRequest, 1 << 10)
        if request is None:
            return
        self.claims.append(request)
        claim = Claim(
            Envelope.from_bytes(evidence).digest,
            LOG_ORIGIN,
            request.actions_sha256,
            request.binding_label,
            request.binding_sha256,
        )
        response = ClaimResponse(signature=self.claim_key.sign(claim))
        self.claim_twist(response)
        write_message(fd, response)

    def _release(self, job_id: bytes, request: ReleaseRequest) -> Answers:
        file_key = unwrap_file_key(parse_header(request.age_header), [self.intake])
        facts = ReleaseFacts(
            job_id=job_id.hex(),
            tier="process",
            walls=tuple(request.walls),
            measurement=self.hello.measurement.hex(),
            policy_sha256=request.policy_sha256.hex(),
            terms_sha256=request.terms_sha256.hex(),
            upload_header_sha256=hashlib.sha256(request.age_header).hexdigest(),
            worker_ed25519=request.worker_ed25519_key,
            worker_mldsa65=request.worker_mldsa65_key,
            released_at=format_instant(datetime.now(UTC)),
        )
        sealed = seal_file_key(file_key, request.worker_hpke_key, job_id, request.age_header)
        return Answers(
            ReleaseOffer(evidence=sign_envelope(facts.to_statement(), self.node).to_bytes()),
            ReleaseResponse(
                sealed_file_key=sealed,
                claim_signer=ClaimSigner(chain=self.claim_key.chain, log_origin=LOG_ORIGIN),
            ),
        )


def played_key(purpose: str, context: bytes) -> bytes:
    """What the played vault derives: the same each time, as a real one does."""
    return hashlib.sha256(b"played" + purpose.encode() + context).digest()


@dataclass
class Finished:
    """What one job left."""

    reports: list[WorkerReport]
    sealed: bytes
    scratch: bytes
    package: bytes = b""
    sheet: bytes = b""
    untouched: bytes = b""
    scores: bytes = b""

    @property
    def result(self) -> WorkerResult:
        """The last report, which must be a result."""
        assert self.reports[-1].WhichOneof("report") == "result", self.reports[-1]
        return self.reports[-1].result

    @property
    def failure_code(self) -> str:
        """The code of the last report, which must be a failure."""
        assert self.reports[-1].WhichOneof("report") == "failure", self.reports[-1].WhichOneof("report")
        return self.reports[-1].failure.code


class Nursery:
    """The process, the channels, and a folder for descriptors.

    Args:
        folder: for uploads, results and scratch files.
        program: what Python runs; by default the real command.
    """

    def __init__(self, folder: Path, program: Sequence[str] = ("-m", "enclave.nursery")) -> None:
        self._folder = folder
        front, front_end = socket.socketpair()
        vault, vault_end = socket.socketpair()
        fds = (front_end.fileno(), vault_end.fileno())
        self.process = subprocess.Popen(
            [sys.executable, *program, "--front-fd", str(fds[0]), "--vault-fd", str(fds[1])],
            pass_fds=fds,
        )
        front_end.close()
        vault_end.close()
        self._vault_channel = vault
        self.vault = PlayedVault(vault)
        self.host = WorkerHost(front)

    def __enter__(self) -> Nursery:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.host.close()
        try:
            assert self.process.wait(120) == 0
        finally:
            self.process.kill()
            self._vault_channel.close()

    def seal(self, media: bytes, terms: Terms, instructions: Instructions | None = None) -> bytes:
        """An upload as a client makes it."""
        sealed = BytesIO()
        with SealWriter(sealed, [self.vault.intake.recipient]) as writer:
            writer.write(upload_preamble(terms, SALT, instructions) + media)
        return sealed.getvalue()

    def start(
        self,
        upload: bytes,
        terms: bytes,
        replaced: dict[str, Path] | None = None,
        job_id: bytes | None = None,
        **limits: int,
    ) -> tuple[RunningJob, Path]:
        """Starts a job with limits for tests; a keyword replaces one, and `replaced` a file by another."""
        folder = self._folder / secrets.token_hex(4)
        folder.mkdir()
        (folder / "upload").write_bytes(upload)
        order = RunJob(
            job_id=job_id or secrets.token_bytes(16),
            terms=terms,
            **{
                "max_memory_bytes": 4 * GIBIBYTE,
                "max_result_bytes": 256 << 20,
                "max_wall_seconds": 280,
                "max_frame_pixels": 1920 * 1080,
                "max_frames": 10_000,
                "max_review_bytes": 64 << 20,
                "max_recovery_bytes": 256 << 20,
                "max_untouched_bytes": 256 << 20,
                **limits,
            },
        )
        names = ("upload", "result", "scratch", "review", "package", "sheet", "untouched", "scores")
        paths = {name: folder / name for name in names} | (replaced or {})
        fds = [os.open(path, os.O_RDWR | os.O_CREAT, 0o600) for path in paths.values()]
        try:
            return self.host.start(order, *fds), folder
        finally:
            for fd in fds:
                os.close(fd)

    def run(self, upload: bytes, terms: bytes, **limits: int) -> Finished:
        """Runs a job to its last report."""
        running, folder = self.start(upload, terms, **limits)
        try:
            reports = list(running.reports())
        finally:
            running.close()
        files = ("result", "scratch", "package", "sheet", "untouched", "scores")
        return Finished(reports, *((folder / name).read_bytes() for name in files))


def opened(sealed: bytes, identity: HybridIdentity) -> bytes:
    """What a recipient finds in a sealed result."""
    plaintext = BytesIO()
    open_sealed(BytesIO(sealed), plaintext, [identity])
    return plaintext.getvalue()
