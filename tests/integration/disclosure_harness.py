"""A real warm parent and the vault's own code; the test plays front desk, custodians and log."""

from __future__ import annotations

import io
import os
import secrets
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, cast

from enclave.host import RunningDisclosure, WorkerHost
from keyvault.age import open_sealed
from keyvault.recovery.ring import RecoveryRing
from keyvault.signing.hybrid import HybridSigner
from keyvault.vault.announcements import WorkerPresence
from keyvault.vault.config import VaultConfig
from keyvault.vault.confirmations import Confirmations
from keyvault.vault.disclosures import DisclosureDesk
from keyvault.vault.errors import VaultRequestError
from keyvault.vault.workers import WorkerChannel
from protos.bauta.internal.v1.worker_pb2 import RunDisclosure
from provenance.dsse import Envelope, sign_envelope
from provenance.proof import ProofFile
from provenance.statements import DisclosureWorkerFacts
from provenance.trust import Trust
from tests.disclosure_world import JOB_ID, LATER, LIMITS, NODE, RELEASER, Asked, World
from tests.unit.keyvault.custody.custody_makers import person
from tests.unit.provenance.provenance_makers import worker_release_facts

CONFIG = VaultConfig(release_timeout_seconds=240)


class OneRing:
    """The rings of a vault that keeps one."""

    def __init__(self) -> None:
        self.ring: RecoveryRing | None = None
        self.asked = 0

    def get(self, job_id: bytes) -> RecoveryRing:
        """That of the world's job."""
        self.asked += 1
        if job_id != JOB_ID or self.ring is None:
            raise VaultRequestError("ring_unknown", "there is no such ring")
        return self.ring


class Door:
    """The worker host and the vault.

    Args:
        folder: for files.
        world: what is disclosed from.
    """

    def __init__(self, folder: Path, world: World) -> None:
        self.world = world
        self.rings = OneRing()
        self.rings.ring = world.written.ring
        self.is_released = True
        self._folder = folder
        front, front_end = socket.socketpair()
        vault, vault_end = socket.socketpair()
        fds = (front_end.fileno(), vault_end.fileno())
        self.process = subprocess.Popen(
            [sys.executable, "-m", "enclave.nursery", "--front-fd", str(fds[0]), "--vault-fd", str(fds[1])],
            pass_fds=fds,
        )
        front_end.close()
        vault_end.close()
        trust = world.trust
        self.confirmations = Confirmations(trust.log_origin, trust.log_keys, trust.witnesses)
        desk = DisclosureDesk(
            cast("HybridSigner", NODE),
            self.rings,
            self._require_released,
            self.confirmations.require_recorded,
            CONFIG,
            LATER.timestamp,
        )
        nobody = cast("Any", None)
        WorkerChannel(vault, WorkerPresence(), nobody, nobody, self.confirmations, CONFIG, desk).start()
        self.host = WorkerHost(front)
        self.hello = self.host.hello(240)
        released = worker_release_facts(measurement=self.hello.measurement.hex())
        self.release_proof = world.proof(sign_envelope(released.to_statement(), RELEASER), "worker-release")

    def _require_released(self, _measurement: bytes) -> None:
        if not self.is_released:
            raise VaultRequestError("worker_not_released", "nobody has released this version")

    def __enter__(self) -> Door:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.host.close()
        try:
            assert self.process.wait(120) == 0
        finally:
            self.process.kill()

    def start(
        self, request: Envelope, package: bytes | None = None, trust: Trust | None = None, **limits: int
    ) -> Started:
        """Starts a disclosure worker on a request."""
        folder = self._folder / secrets.token_hex(4)
        folder.mkdir()
        (folder / "package").write_bytes(self.world.package if package is None else package)
        values = {**vars(LIMITS), **limits}
        order = RunDisclosure(
            request=request.to_bytes(), trust=(trust or self.world.trust).to_bytes(), **values
        )
        fds = [
            os.open(folder / name, os.O_RDWR | os.O_CREAT, 0o600)
            for name in ("package", "disclosure", "scratch")
        ]
        try:
            return Started(self, self.host.disclose(order, *fds), folder)
        finally:
            for fd in fds:
                os.close(fd)


class Started:
    """A disclosure worker, and the files around it."""

    def __init__(self, door: Door, running: RunningDisclosure, folder: Path) -> None:
        self.door = door
        self.running = running
        self.folder = folder
        self.admitted: Envelope | None = None

    def __enter__(self) -> Started:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.running.stop()
        # Another one may come for the same request.
        self.running.wait_until_gone(120)
        self.running.close()

    def admit(self) -> DisclosureWorkerFacts:
        """Records its evidence, and tells the vault."""
        self.admitted = Envelope.from_bytes(self.running.admission())
        proof = self.door.world.log.prove(self.admitted, "disclosure-worker")
        self.door.confirmations.confirm(self.running.number, ProofFile.from_bytes(proof).log)
        self.running.wait_until_ready()
        return DisclosureWorkerFacts.from_statement(self.admitted.payload)

    def count(self) -> Envelope:
        """Has it count, on record."""
        counted = Envelope.from_bytes(self.running.count())
        self.door.world.log.prove(counted, "disclosure-count")
        return counted

    def disclose(self, asked: Asked) -> tuple[bytes, Envelope]:
        """All the way of an honest front desk: what the requester gets, opened, and the release."""
        self.count()
        disclosed = self.running.proceed(asked.materials())
        release = Envelope.from_bytes(disclosed.statement)
        proof = self.door.world.log.prove(release, "disclosure-release")
        header = self.running.hand_out(proof)
        sealed = header + (self.folder / "disclosure").read_bytes()
        assert len(sealed) == disclosed.sealed_bytes
        return opened(sealed), release


def opened(sealed: bytes, by: str = "desk") -> bytes:
    """What a recipient finds."""
    plaintext = io.BytesIO()
    open_sealed(io.BytesIO(sealed), plaintext, [person(by).identity])
    return plaintext.getvalue()
