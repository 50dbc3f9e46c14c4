"""Statements into the log, proofs out of it. The log sees hash records; statements stay with their owners."""

from __future__ import annotations

import threading
from collections.abc import Callable

from provenance.dsse import Envelope
from provenance.log import TransparencyLog
from provenance.proof import ProofFile


class Ledger:
    """Records envelopes and hands out proof files."""

    def __init__(self, log: TransparencyLog) -> None:
        self._log = log

    def record(self, kind: str, envelope: Envelope) -> int:
        """Appends the hash record of an envelope; its index, once it is durable and published."""
        return self._log.append(kind, envelope.digest)

    def prove(self, statement: Envelope, evidence: tuple[Envelope, ...], index: int) -> bytes:
        """The proof file of a recorded statement."""
        return ProofFile(statement=statement, evidence=evidence, log=self._log.proof_for(index)).to_bytes()

    def inclusion(self, index: int) -> bytes:
        """The proof that an entry is in the log, a c2sp.org/tlog-proof text."""
        return self._log.proof_for(index)

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint."""
        return self._log.latest_checkpoint()


class IntakeBoard:
    """The current intake announcement with its proof; recorded once for each new intake key."""

    def __init__(self, announce: Callable[[], bytes], ledger: Ledger) -> None:
        self._announce = announce
        self._ledger = ledger
        self._lock = threading.Lock()
        self._digest = b""
        self._proof = b""

    def current(self) -> bytes:
        """The proof file of the intake that the vault stands by now."""
        with self._lock:
            envelope = Envelope.from_bytes(self._announce())
            if envelope.digest != self._digest:
                index = self._ledger.record("intake", envelope)
                self._proof = self._ledger.prove(envelope, (), index)
                self._digest = envelope.digest
            return self._proof
