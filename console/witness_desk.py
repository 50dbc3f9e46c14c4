"""A witness at work: judge, remember durably, and only then sign; one submission of a log at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from console.witness_folder import WitnessFolder, origin_hash
from keyvault.signing.witness import WitnessSigner
from provenance.errors import FormatError
from provenance.witness.errors import MalformedError, RefusedError
from provenance.witness.known_logs import KnownLogs
from provenance.witness.memory import Grievance, SignedHead, grievance, judge, read_head
from provenance.witness.submission import Submission

Report = Callable[[Grievance, str], None]
"""Gets what a log was caught at, and the name of the file that keeps it."""


class WitnessDesk:
    """Answers submissions. Thread-safe.

    Args:
        folder: held by this process.
        logs: those that it was told of.
        signer: its keys.
        report: told of new evidence.
        clock: seconds since the epoch.

    Raises:
        ServiceError: `witness_memory_damaged`.
    """

    def __init__(
        self,
        folder: WitnessFolder,
        logs: KnownLogs,
        signer: WitnessSigner,
        report: Report = lambda _found, _name: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._folder = folder
        self._logs = logs
        self._signer = signer
        self._report = report
        self._clock = clock
        self._locks = {origin: threading.Lock() for origin in logs}
        self._known: dict[str, SignedHead | None] = {
            origin: folder.remembered(origin, logs) for origin in logs
        }
        self._hashes = {origin_hash(origin) for origin in logs}

    def add_checkpoint(self, untrusted_body: bytes) -> bytes:
        """Cosigns a tree head that continues the last one of its log.

        Args:
            untrusted_body: of an add-checkpoint request.

        Returns:
            Our signature lines.

        Raises:
            RefusedError: with the status that is due.
            LogError: what must be remembered cannot be written; nothing is signed.
        """
        try:
            submission = Submission.parse(untrusted_body)
        except FormatError:
            raise MalformedError("the submission is not in the published form") from None
        offered = read_head(submission.note, self._logs)
        origin = offered.text.origin
        with self._locks[origin]:
            known = self._known[origin]
            try:
                judge(submission, offered, known)
            except RefusedError:
                self._keep(grievance(submission, offered, known))
                raise
            self._folder.remember(offered)
            self._known[origin] = offered
            return self._sign(offered)

    def checkpoint(self, hashed_origin: str) -> bytes | None:
        """The last checkpoint that we cosigned of a log, for monitors; None if there is none.

        Args:
            hashed_origin: SHA-256 of the origin, lower-case hex.

        Raises:
            LogError: it cannot be read.
        """
        return self._folder.published(hashed_origin) if hashed_origin in self._hashes else None

    def _sign(self, head: SignedHead) -> bytes:
        lines = self._signer.cosign(head.text, max(1, int(self._clock())))
        self._folder.publish(head.text.origin, head.note(lines))
        self._folder.settle(head.text)
        return "".join(line.to_text() for line in lines).encode()

    def _keep(self, found: Grievance | None) -> None:
        if found is None:
            return
        kept = self._folder.keep_evidence(found, int(self._clock()))
        if kept is not None:
            self._report(found, kept.name)
