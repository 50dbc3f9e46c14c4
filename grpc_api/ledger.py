"""Statements into the log, proofs out of it. The log sees hash records; statements stay with their owners."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from grpc_api.errors import unavailable
from provenance.checkpoint import CheckpointText
from provenance.dsse import Envelope
from provenance.entry import Entry
from provenance.errors import LogError
from provenance.log import TransparencyLog
from provenance.note import parse_note
from provenance.proof import ProofFile
from provenance.register import KIND as WORKER_RELEASE
from provenance.tlog_proof import TlogProof

_TRIES = 100
# What is read under one lock of the log.
_ENTRIES_AT_ONCE = 4096
_WITNESS_PAUSE_SECONDS = 1.0


class Ledger:
    """Records envelopes and hands out proof files."""

    def __init__(self, log: TransparencyLog) -> None:
        self._log = log

    def record(self, kind: str, envelope: Envelope, patience_seconds: float = 0.0) -> int:
        """Appends the hash record of an envelope.

        Args:
            kind: of the entry.
            envelope: what is recorded.
            patience_seconds: how long to go on trying while too few witnesses answer.

        Returns:
            Its index, once it is durable and published.

        Raises:
            LogError: it is not published: `quorum_not_met` for want of witnesses.
        """
        deadline = time.monotonic() + patience_seconds
        while True:
            try:
                return self._log.append(kind, envelope.digest)
            except LogError as error:
                if error.code != "quorum_not_met" or time.monotonic() + _WITNESS_PAUSE_SECONDS > deadline:
                    raise
            time.sleep(_WITNESS_PAUSE_SECONDS)

    def record_all(self, kind: str, envelopes: Sequence[Envelope]) -> list[int]:
        """Appends the hash records of envelopes of one kind under one checkpoint; their indices."""
        return self._log.append_all([(kind, envelope.digest) for envelope in envelopes])

    def prove(self, statement: Envelope, evidence: tuple[Envelope, ...], index: int) -> bytes:
        """The proof file of a recorded statement."""
        return ProofFile(statement=statement, evidence=evidence, log=self._log.proof_for(index)).to_bytes()

    def prove_together(self, *recorded: tuple[Envelope, int]) -> tuple[bytes, ...]:
        """The proof files of recorded statements that need no evidence, all under one checkpoint.

        Raises:
            ServiceError: `log_busy`, the log grew each time between two proofs.
        """
        for _ in range(_TRIES):
            places = [self._log.proof_for(index) for _, index in recorded]
            if len({TlogProof.parse(place).checkpoint for place in places}) == 1:
                return tuple(
                    ProofFile(statement=envelope, evidence=(), log=place).to_bytes()
                    for (envelope, _), place in zip(recorded, places, strict=True)
                )
        raise unavailable("log_busy", "The log grows too fast to prove two entries at once; try again.")

    def until_now(self, index: int) -> tuple[bytes, list[Entry]]:
        """Everything from an entry to the log's end.

        Returns:
            The proof that the entry is under the newest checkpoint, and every entry from it to there.
        """
        place = self._log.proof_for(index)
        return place, self._entries(index, _size(TlogProof.parse(place).checkpoint))

    def whole(self) -> tuple[bytes, list[Entry]]:
        """The newest checkpoint, and every entry under it."""
        note = self._log.latest_checkpoint()
        return note, self._entries(0, _size(note))

    def _entries(self, first: int, end: int) -> list[Entry]:
        entries: list[Entry] = []
        while first + len(entries) < end:
            at = first + len(entries)
            entries += self._log.entries(at, min(_ENTRIES_AT_ONCE, end - at))
        return entries

    def inclusion(self, index: int) -> bytes:
        """The proof that an entry is in the log, a c2sp.org/tlog-proof text."""
        return self._log.proof_for(index)

    def growth(self, old_size: int, new_size: int) -> list[bytes]:
        """The proof that a published tree begins with an older one (RFC 6962, 2.1.2).

        Raises:
            LogError: `not_published`.
        """
        return self._log.consistency_proof(old_size, new_size)

    def head(self) -> CheckpointText:
        """The newest published tree head."""
        return CheckpointText.parse(parse_note(self.checkpoint()).text.encode())

    def checkpoint(self) -> bytes:
        """The newest signed checkpoint."""
        return self._log.latest_checkpoint()


def _size(note: bytes) -> int:
    return CheckpointText.parse(parse_note(note).text.encode()).size


@dataclass(frozen=True)
class Announced:
    """What a client checks before it seals a byte; two proof files under one checkpoint.

    Attributes:
        intake: of the intake announcement.
        release: of the release of the worker that it names.
    """

    intake: bytes
    release: bytes


class IntakeBoard:
    """The current intake announcement with its proof; recorded once for each new intake key."""

    def __init__(self, announce: Callable[[], bytes], ledger: Ledger) -> None:
        self._announce = announce
        self._ledger = ledger
        self._lock = threading.Lock()
        self._release: Envelope | None = None
        self._digest = b""
        self._announced = Announced(b"", b"")

    def settle(self, release: Envelope) -> None:
        """Opens the board: the worker is there, and this is its release."""
        with self._lock:
            self._release = release

    def current(self) -> Announced:
        """The intake that the vault stands by now.

        Raises:
            ServiceError: `worker_not_ready`; `log_busy`.
        """
        with self._lock:
            if self._release is None:
                raise unavailable("worker_not_ready", "The worker is still coming up; try again.")
            envelope = Envelope.from_bytes(self._announce())
            if envelope.digest != self._digest:
                release = (self._release, self._ledger.record(WORKER_RELEASE, self._release))
                intake = (envelope, self._ledger.record("intake", envelope))
                self._announced = Announced(*self._ledger.prove_together(intake, release))
                self._digest = envelope.digest
            return self._announced
