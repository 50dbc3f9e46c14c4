"""Statements into the log, always in this order: durable here, recorded there, and only then in force.

A crash or a lack of witnesses between two of these leaves a statement that nobody was told about. It may be
in the log all the same, and a worker who reads the log would ask for it: so it is never dropped, but recorded
and put into force at the next chance, by the very same path.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from grpc_api.disclosures.book import Book, Written
from grpc_api.errors import unavailable
from grpc_api.ledger import Ledger
from provenance.dsse import Envelope
from provenance.errors import LogError

log = logging.getLogger("bauta.grpc_api")

# How long a caller waits while too few witnesses answer.
PATIENCE_SECONDS = 20.0


class Recorder:
    """Records one statement at a time, so that effects come in the order of the log. Safe for threads."""

    def __init__(self, book: Book, ledger: Ledger) -> None:
        self._book = book
        self._ledger = ledger
        self._one_at_a_time = threading.RLock()
        self._puts_in_force: Callable[[Written, int], object] = lambda *_: None

    @property
    def one_at_a_time(self) -> threading.RLock:
        """To be held from the checks of a statement to its effect: nobody decides twice at once."""
        return self._one_at_a_time

    def on_record(self, put_in_force: Callable[[Written, int], object]) -> None:
        """Says what a recorded statement does; to do it twice must do no harm."""
        self._puts_in_force = put_in_force

    def record(self, statement: Written) -> int:
        """Records a statement and puts it in force.

        Returns:
            Its place in the log.

        Raises:
            ServiceError: with the log's code; the statement is kept and goes on record as soon as it can.
        """
        with self._one_at_a_time:
            self._book.write(statement)
            index = self._placed(statement, PATIENCE_SECONDS)
            self._puts_in_force(statement, index)
            return index

    def settle(self) -> None:
        """Takes up what an earlier call, or an earlier service, left behind."""
        with self._one_at_a_time:
            for statement in self._book.unplaced():
                try:
                    index = self._placed(statement, 0.0)
                except Exception as error:
                    log.error("a statement of custody waits for the log: %s", type(error).__name__)
                    return
                self._puts_in_force(statement, index)

    def proof(self, envelope: Envelope, index: int, *evidence: Envelope) -> bytes:
        """The proof file of a recorded statement, under the newest checkpoint."""
        return self._ledger.prove(envelope, evidence, index)

    def inclusion(self, index: int) -> bytes:
        """The proof that an entry is in the log, a c2sp.org/tlog-proof text."""
        return self._ledger.inclusion(index)

    def _placed(self, statement: Written, patience_seconds: float) -> int:
        try:
            index = self._ledger.record(statement.kind, statement.envelope, patience_seconds)
        except LogError as error:
            raise unavailable(
                error.code,
                "The statement is kept but not in the log yet, and without effect until it is; "
                "the service goes on trying.",
            ) from error
        self._book.place(statement.envelope, index)
        return index
