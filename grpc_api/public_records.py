"""What the service says of itself to everybody: which policies it ships, which intake keys are destroyed.

Each is a proof file in `desk/public`, to be handed out beside the trust file; nothing in it is about a
person. What cannot be recorded now is recorded at the next sweep or the next start.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path

from grpc_api.errors import ServiceError
from grpc_api.ledger import Ledger
from keyvault.client import VaultClient
from keyvault.errors import KeyvaultError
from protos.bauta.internal.v1.worker_pb2 import WorkerHello
from provenance.dsse import Envelope
from provenance.errors import ProvenanceError
from provenance.proof import MAX_PROOF_FILE_BYTES, ProofFile
from provenance.statements import KeyRotationFacts, PolicyFacts

log = logging.getLogger("bauta.grpc_api")

_DIGITS = 16


class PublicRecords:
    """Keeps them. One thread at a time; `policy` may be asked from any.

    Args:
        folder: where the proof files lie; made if absent.
        vault: signs.
        ledger: records.
    """

    def __init__(self, folder: Path, vault: VaultClient, ledger: Ledger) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._folder = folder
        self._vault = vault
        self._ledger = ledger
        self._worker: WorkerHello | None = None
        self._policies = dict(_policies_in(folder))

    def settle(self, worker: WorkerHello) -> None:
        """The worker is there: its policies go on record, once for each version."""
        self._worker = worker
        self.catch_up()

    def catch_up(self) -> None:
        """Records what is not on record yet; a vault or a log that does not answer is asked again later."""
        try:
            self._record_policies()
            self._record_rotations()
        except (KeyvaultError, ProvenanceError, ServiceError) as error:
            log.error("a public record could not be made: %s", error.code)
        except OSError as error:
            log.error("a public record could not be written: %s", type(error).__name__)

    def policy(self, policy_sha256: bytes) -> bytes | None:
        """The proof file of a policy's record, by the digest of its text; None if it is not on record."""
        return self._policies.get(policy_sha256.hex())

    def _record_policies(self) -> None:
        if self._worker is None:
            return
        measurement = self._worker.measurement.hex()
        wanted = [
            self._policy_file(item.name, item.sha256.hex(), measurement)
            for item in self._worker.version.policies
        ]
        if all(path.is_file() for path in wanted):
            return
        statements = [Envelope.from_bytes(raw) for raw in self._vault.sign_policies()]
        indices = self._ledger.record_all(PolicyFacts.kind(), statements)
        for statement, index in zip(statements, indices, strict=True):
            facts = PolicyFacts.from_statement(statement.payload)
            proof = self._ledger.prove(statement, (), index)
            _write(self._policy_file(facts.policy, facts.policy_sha256, facts.measurement), proof)
            self._policies[facts.policy_sha256] = proof

    def _record_rotations(self) -> None:
        while envelopes := self._vault.announce_rotations():
            statements = [Envelope.from_bytes(raw) for raw in envelopes]
            indices = self._ledger.record_all(KeyRotationFacts.kind(), statements)
            for statement, index in zip(statements, indices, strict=True):
                retired = KeyRotationFacts.from_statement(statement.payload).retired_sha256
                name = f"{KeyRotationFacts.kind()}-{retired[:_DIGITS]}.proof"
                _write(self._folder / name, self._ledger.prove(statement, (), index))
                # The vault forgets it only now: the file is there, and so is the entry.
                self._vault.confirm_rotation(bytes.fromhex(retired), self._ledger.inclusion(index))

    def _policy_file(self, name: str, policy_sha256: str, measurement: str) -> Path:
        digits = f"{policy_sha256[:_DIGITS]}-{measurement[:_DIGITS]}"
        return self._folder / f"{PolicyFacts.kind()}-{name}-{digits}.proof"


def _policies_in(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in sorted(folder.glob(f"{PolicyFacts.kind()}-*.proof")):
        try:
            with path.open("rb") as file:
                proof = file.read(MAX_PROOF_FILE_BYTES + 1)
            statement = ProofFile.from_bytes(proof).statement
            yield PolicyFacts.from_statement(statement.payload).policy_sha256, proof
        except ProvenanceError as error:
            log.warning("a public record is unreadable: %s", error.code)


def _write(path: Path, content: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
