"""A real vault, a real worker host, and the test in the front desk's place, as a thief of it would be."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import TracebackType

from service_process import terms_for

from enclave.host import RunningJob, WorkerHost
from enclave.policy import Terms, upload_preamble
from keyvault.age import HybridIdentity, SealWriter, parse_recipient, read_header
from keyvault.client import VaultClient
from protos.bauta.internal.v1.worker_pb2 import RunJob, WorkerReport
from provenance.dsse import Envelope
from provenance.log import TransparencyLog
from provenance.proof import ProofFile
from provenance.statements import IntakeFacts
from provenance.trust import Trust

SALT = bytes(range(32))


@dataclass
class Job:
    """What the front desk holds of one job."""

    job_id: bytes
    upload: bytes
    terms: bytes
    reports: list[WorkerReport] = field(default_factory=list)
    result: bytes = b""

    @property
    def header(self) -> bytes:
        """The upload's age header."""
        return read_header(BytesIO(self.upload)).raw

    @property
    def evidence(self) -> bytes:
        """The evidence that passed through."""
        [report] = [report for report in self.reports if report.WhichOneof("report") == "evidence"]
        return report.evidence.evidence

    @property
    def outcome(self) -> str:
        """ "done", or the code of the failure."""
        last = self.reports[-1]
        return last.failure.code if last.WhichOneof("report") == "failure" else "done"


class TakenOver:
    """The three other parties, and the front desk's ends of their channels.

    Args:
        folder: for the vault and for descriptors.
        vault_options: more of the vault's command line.
    """

    def __init__(self, folder: Path, *vault_options: str) -> None:
        self._folder = folder
        self._stack = ExitStack()
        vault_front, front_vault = socket.socketpair()
        host_front, front_host = socket.socketpair()
        vault_host, host_vault = socket.socketpair()
        self._vault_command = [
            *(
                "keyvault.vault",
                "--store",
                folder / "vault",
                "--front-fd",
                vault_front,
                "--worker-fd",
                vault_host,
            ),
            *vault_options,
        ]
        self._start(*self._vault_command)
        self._start("enclave.nursery", "--front-fd", host_front, "--vault-fd", host_vault)
        for end in (vault_front, host_front, vault_host, host_vault):
            end.close()
        self.vault = VaultClient(front_vault.detach(), 120)
        self._stack.callback(self.vault.close)
        self.host = WorkerHost(front_host)
        self._stack.callback(self.host.close)
        self.host.hello(240)
        self.vault.release_worker()
        description = self.vault.describe()
        self.log = self._stack.enter_context(
            TransparencyLog(folder / "log.sqlite", description.log_origin, self.vault.sign_checkpoint)
        )
        self.trust = Trust(
            node=description.node, log_origin=description.log_origin, log_vkeys=description.log_vkeys
        )

    def seal(self, media: bytes, terms: Terms) -> bytes:
        """An upload as the victim's client makes it."""
        intake = IntakeFacts.from_statement(Envelope.from_bytes(self.vault.announce_intake()).payload)
        sealed = BytesIO()
        with SealWriter(sealed, [parse_recipient(intake.recipient)]) as writer:
            writer.write(upload_preamble(terms, SALT) + media)
        return sealed.getvalue()

    def accept(self, job: Job, terms: bytes | None = None) -> None:
        """Tells the vault of an upload."""
        digest = hashlib.sha256(job.terms if terms is None else terms).digest()
        self.vault.accept_upload(job.job_id, job.header, digest)

    def run(self, job: Job, on_evidence: Callable[[bytes], None] | None = None) -> Job:
        """Orders a job as it stands in `job`; by default an honest desk records the evidence."""
        running, result_path = self._start_job(job)
        try:
            for report in running.reports():
                job.reports.append(report)
                if report.WhichOneof("report") == "evidence":
                    (on_evidence or (lambda evidence: self.record(job.job_id, evidence)))(
                        report.evidence.evidence
                    )
        finally:
            running.close()
        job.result = result_path.read_bytes()
        return job

    def record(self, job_id: bytes, evidence: bytes) -> None:
        """What an honest desk does with evidence."""
        index = self.log.append("release", Envelope.from_bytes(evidence).digest)
        self.vault.confirm_release(job_id, self.log.proof_for(index))

    def prove(self, statement: bytes, evidence: bytes) -> bytes:
        """A proof file, recorded and all, for whatever the front desk likes."""
        envelope = Envelope.from_bytes(statement)
        index = self.log.append("job", envelope.digest)
        return ProofFile(envelope, (Envelope.from_bytes(evidence),), self.log.proof_for(index)).to_bytes()

    def __enter__(self) -> TakenOver:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def _start(self, module: str, *words: object) -> None:
        fds = [word.fileno() for word in words if isinstance(word, socket.socket)]
        text = [str(word.fileno() if isinstance(word, socket.socket) else word) for word in words]
        process = subprocess.Popen([sys.executable, "-m", module, *text], pass_fds=fds)
        self._stack.callback(process.wait, 60)
        self._stack.callback(process.terminate)

    def _start_job(self, job: Job) -> tuple[RunningJob, Path]:
        folder = self._folder / secrets.token_hex(4)
        folder.mkdir()
        (folder / "upload").write_bytes(job.upload)
        order = RunJob(
            job_id=job.job_id,
            terms=job.terms,
            max_memory_bytes=4 << 30,
            max_result_bytes=256 << 20,
            max_wall_seconds=60,
            max_frame_pixels=1920 * 1080,
            max_frames=10_000,
            max_review_bytes=64 << 20,
            max_recovery_bytes=64 << 20,
            max_untouched_bytes=64 << 20,
        )
        names = ("upload", "result", "scratch", "review", "package", "sheet", "untouched", "scores")
        fds = [os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600) for name in names]
        try:
            return self.host.start(order, *fds), folder / "result"
        finally:
            for fd in fds:
                os.close(fd)


def new_job(upload: bytes, terms: Terms) -> Job:
    """A job with a fresh number."""
    return Job(secrets.token_bytes(16), upload, terms.to_bytes())


def victim_terms(policy: str = "whistleblower") -> tuple[Terms, HybridIdentity]:
    """The victim's own terms, and what opens the victim's result."""
    identity = HybridIdentity.generate()
    return terms_for(identity, policy), identity
