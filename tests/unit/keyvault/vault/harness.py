"""A real vault process with the other three parties played by the test: front desk, worker host, child."""

from __future__ import annotations

import array
import hashlib
import io
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import TracebackType

from keyvault.age import HybridRecipient, SealWriter, open_chunks, read_header
from keyvault.client import VaultClient
from keyvault.release import OneJobKey
from keyvault.signing.hybrid import HybridSigner
from protos.bauta.internal.v1.release_pb2 import (
    ReleaseChallenge,
    ReleaseOffer,
    ReleaseRequest,
    ReleaseResponse,
)
from protos.bauta.internal.v1.worker_pb2 import (
    ModelDigest,
    PolicyDigest,
    WorkerHello,
    WorkerVersion,
)
from protos.framing import MessageT, read_message, write_message
from provenance.checkpoint import CheckpointText
from provenance.dsse import Envelope
from provenance.keys import HybridPublicKey
from provenance.log import TransparencyLog
from provenance.merkle import consistency_proof, leaf_hash, node_hash, root_hash
from provenance.statements.intake import IntakeFacts
from provenance.statements.vocabulary import MODELS

MEASUREMENT = hashlib.sha256(b"a worker").digest()
WALLS = ("landlock_fs", "net_namespace", "no_new_privs")
TERMS_SHA256 = hashlib.sha256(b"terms").digest()
POLICY_SHA256 = hashlib.sha256(b"policy").digest()
ANSWER_TIMEOUT_SECONDS = 120.0
END_TIMEOUT_SECONDS = 60.0


class RunningVault:
    """A vault process, its channels, and what it wrote to standard error.

    Args:
        folder: the vault's folder.
        passphrase: given through a pipe; None for the key file.
        extra: more command line.
        prefix: a command that runs it, e.g. with fewer rights.
        policy: of witnesses, as the supervisor hands it over.
    """

    def __init__(
        self,
        folder: Path,
        *extra: str,
        passphrase: bytes | None = None,
        prefix: Sequence[str] = (),
        policy: str = "",
    ) -> None:
        front, vault_front = socket.socketpair()
        self.worker, vault_worker = socket.socketpair()
        self.worker.settimeout(ANSWER_TIMEOUT_SECONDS)
        fds = [vault_front.fileno(), vault_worker.fileno()]
        self.command = [
            *prefix,
            *(sys.executable, "-m", "keyvault.vault", "--store", str(folder)),
            *("--front-fd", str(fds[0]), "--worker-fd", str(fds[1]), *extra),
        ]
        if passphrase is not None:
            passphrase_end, pipe = os.pipe()
            os.write(pipe, passphrase)
            os.close(pipe)
            self.command += ["--passphrase-fd", str(passphrase_end)]
            fds.append(passphrase_end)
        if policy:
            policy_end, pipe = os.pipe()
            os.write(pipe, policy.encode())
            os.close(pipe)
            self.command += ["--witness-policy-fd", str(policy_end)]
            fds.insert(0, policy_end)
        self.process = subprocess.Popen(self.command, pass_fds=fds, stderr=subprocess.PIPE)
        for end in (vault_front, vault_worker):
            end.close()
        if passphrase is not None:
            os.close(fds[-1])
        if policy:
            os.close(fds[0])
        self.front_fd = front.detach()
        self.client = VaultClient(self.front_fd, ANSWER_TIMEOUT_SECONDS)
        self._log_path = folder.parent / f"{folder.name}-log.sqlite"

    def hello(self, measurement: bytes = MEASUREMENT, walls: Sequence[str] = WALLS) -> None:
        """The worker host's first word, and the operator's own release of it."""
        write_message(self.worker.fileno(), hello_of(measurement, walls))
        self.client.release_worker()

    def register(self, job_id: bytes) -> socket.socket:
        """Registers a job and gives the child's end."""
        child, vault_end = socket.socketpair()
        child.settimeout(ANSWER_TIMEOUT_SECONDS)
        self.send_registration(job_id, [vault_end.fileno()])
        vault_end.close()
        return child

    def send_registration(self, job_id: bytes, fds: Sequence[int]) -> None:
        """Sends any bytes with any descriptors."""
        rights = array.array("i", fds).tobytes()
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, rights)] if fds else []
        self.worker.sendmsg([job_id], ancillary)

    def accept(self, worker: Worker, upload: bytes) -> None:
        """Has the vault accept an upload for a worker's job."""
        self.client.accept_upload(worker.job_id, header_of(upload), TERMS_SHA256)

    def release(self, worker: Worker, upload: bytes) -> Answered:
        """The whole honest way: registered, accepted, asked, recorded, released."""
        self.accept(worker, upload)
        with self.register(worker.job_id) as child:
            return self.ask(child, worker.request(header_of(upload)))

    def ask(self, child: socket.socket, request: ReleaseRequest) -> Answered:
        """A child's part and the front desk's: answers the challenge, records the evidence, takes the key."""
        offer = make_request(child, request)
        if offer.error_code:
            return Answered(offer.error_code)
        self.record(request.job_id, offer.evidence)
        response = read(child, ReleaseResponse)
        return Answered(response.error_code, offer.evidence, response.sealed_file_key)

    def record(self, job_id: bytes, evidence: bytes) -> None:
        """Puts a release into the log and shows the vault."""
        with self.log() as log:
            index = log.append("release", Envelope.from_bytes(evidence).digest)
            self.client.confirm_release(job_id, log.proof_for(index))

    def log(self) -> TransparencyLog:
        """The front desk's log of this vault."""
        return TransparencyLog(self._log_path, self.client.describe().log_origin, self.client.sign_checkpoint)

    def sign(self, size: int, seed: bytes = b"root") -> bytes:
        """The signed checkpoint of a made-up tree that has grown to this size."""
        text = checkpoint_text(self.client.describe().log_origin, size, seed)
        return self.client.sign_checkpoint(text, lambda old_size: growth(old_size, size, seed))

    def intake(self) -> IntakeFacts:
        """The current intake, its signature checked."""
        return read_intake(self.client.announce_intake(), self.client.describe().node)

    def kill(self) -> None:
        """SIGKILL, as a crash."""
        self.process.kill()
        self.process.wait(END_TIMEOUT_SECONDS)
        self._close()

    def stop(self) -> tuple[int, str]:
        """Closes the front channel; gives the exit code and standard error."""
        self._close()
        _, error = self.process.communicate(timeout=END_TIMEOUT_SECONDS)
        return self.process.returncode, error.decode()

    def __enter__(self) -> RunningVault:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(END_TIMEOUT_SECONDS)
        if self.process.stderr is not None:
            self.process.stderr.close()
        self._close()

    def _close(self) -> None:
        self.client.close()
        self.worker.close()


def hello_of(measurement: bytes = MEASUREMENT, walls: Sequence[str] = WALLS) -> WorkerHello:
    """What a worker host says of itself."""
    return WorkerHello(
        measurement=measurement,
        walls=walls,
        device="cpu",
        engine="onnxruntime",
        # Every word that a worker may use: the vault reads them all.
        models=[ModelDigest(name=name, sha256=bytes(32)) for name in MODELS],
        version=WorkerVersion(
            version="0.1.0",
            policies=[PolicyDigest(name="whistleblower", sha256=bytes(32))],
            lock_sha256=bytes(32),
        ),
    )


@dataclass
class Worker:
    """One job's child: its keys, and the request that it makes."""

    job_id: bytes = field(default_factory=lambda: secrets.token_bytes(16))
    key: OneJobKey = field(default_factory=OneJobKey.generate)
    signer: HybridSigner = field(default_factory=HybridSigner.generate)

    def request(self, age_header: bytes) -> ReleaseRequest:
        """An honest request."""
        return ReleaseRequest(
            job_id=self.job_id,
            age_header=age_header,
            worker_hpke_key=self.key.public_key,
            worker_ed25519_key=self.signer.public.ed25519,
            worker_mldsa65_key=self.signer.public.mldsa65,
            terms_sha256=TERMS_SHA256,
            policy_sha256=POLICY_SHA256,
            walls=WALLS,
        )


@dataclass(frozen=True)
class Answered:
    """What came of a request."""

    error_code: str
    evidence: bytes = b""
    sealed_file_key: bytes = b""


def make_request(child: socket.socket, request: ReleaseRequest) -> ReleaseOffer:
    """Answers the vault's challenge with a request and gives the offer."""
    request.nonce = read(child, ReleaseChallenge).nonce
    write_message(child.fileno(), request)
    return read(child, ReleaseOffer)


def read(child: socket.socket, kind: type[MessageT]) -> MessageT:
    """Gives the vault's next message."""
    child.setblocking(True)
    message = read_message(child.fileno(), kind, 1 << 20)
    assert message is not None, "the vault closed without an answer"
    return message


def seal_upload(recipient: str, plaintext: bytes) -> bytes:
    """Seals an upload as a client does."""
    sealed = io.BytesIO()
    with SealWriter(sealed, [HybridRecipient.parse(recipient)]) as writer:
        writer.write(plaintext)
    return sealed.getvalue()


def header_of(upload: bytes) -> bytes:
    """The upload's age header."""
    return read_header(io.BytesIO(upload)).raw


def open_upload(upload: bytes, file_key: bytes) -> bytes:
    """Opens an upload with its file key, as a worker does."""
    stream = io.BytesIO(upload)
    read_header(stream)
    return b"".join(open_chunks(stream, file_key))


def read_intake(envelope: bytes, node: HybridPublicKey) -> IntakeFacts:
    """Checks an announcement's signatures and gives its facts."""
    return IntakeFacts.from_statement(Envelope.from_bytes(envelope).verify(node))


def checkpoint_text(origin: str, size: int, seed: bytes = b"root") -> bytes:
    """A checkpoint of a made-up tree: real hashes over leaves that depend on the seed."""
    root = root_hash(size, lambda level, index: _node(seed, level, index))
    return CheckpointText(origin, size, root).to_bytes()


def growth(old_size: int, new_size: int, seed: bytes = b"root") -> list[bytes]:
    """The proof that one made-up tree is the beginning of another; none where it cannot be."""
    if old_size > new_size:
        return []
    return consistency_proof(old_size, new_size, lambda level, index: _node(seed, level, index))


@cache
def _node(seed: bytes, level: int, index: int) -> bytes:
    if level == 0:
        return leaf_hash(seed + index.to_bytes(8, "big"))
    return node_hash(_node(seed, level - 1, 2 * index), _node(seed, level - 1, 2 * index + 1))
