"""Who may read: a question signed by keys that a custody policy names, answered once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from grpc_api.errors import ServiceError, exhausted, precondition
from grpc_api.identity import LOCAL
from keyvault.custody.access import LIFETIME, Access

OPERATOR = "operator"
"""Whoever owns the service, on its own socket: sees every request, as the database shows them anyway."""

# Each is a hundred bytes; one identity asks 600 times a minute at most.
_MAX_REMEMBERED = 100_000


class Askers:
    """Checks questions and remembers their nonces. Safe for threads.

    Args:
        service: the log's origin, which a question names.
        clock: seconds since 1970.
    """

    def __init__(self, service: str, clock: Callable[[], float] = time.time) -> None:
        self._service = service
        self._clock = clock
        self._lock = threading.Lock()
        self._answered: dict[str, float] = {}

    def require(self, untrusted_access: bytes, call: str, about: str) -> str:
        """Checks one question.

        Returns:
            The hex digest of the asker's keys; what it lets them see is for the caller.

        Raises:
            CustodianError: access_invalid or access_expired.
            ServiceError: `access_replayed`, `too_many_questions`.
        """
        now = self._clock()
        asked = Access.from_bytes(untrusted_access)
        asked.require(self._service, call, about, datetime.fromtimestamp(now, UTC))
        with self._lock:
            self._forget(now)
            if asked.nonce in self._answered:
                raise precondition("access_replayed", "This question was answered before; ask a new one.")
            if len(self._answered) >= _MAX_REMEMBERED:
                raise exhausted("too_many_questions", "Too many questions in these minutes; try again.")
            # From both sides of now: a question may be dated ahead by as much.
            self._answered[asked.nonce] = now + 2 * LIFETIME.total_seconds()
        return asked.asker

    def _forget(self, now: float) -> None:
        """Drops what nobody could ask again, oldest first."""
        while self._answered:
            oldest = next(iter(self._answered))
            if self._answered[oldest] > now:
                return
            del self._answered[oldest]

    def require_or_operator(self, caller: str, untrusted_access: bytes, call: str, about: str) -> str:
        """As `require`; without a question, `OPERATOR` for who calls on the service's own socket.

        Raises:
            CustodianError: as for `require`.
            ServiceError: as for `require`.
        """
        if not untrusted_access and caller == LOCAL:
            return OPERATOR
        return self.require(untrusted_access, call, about)


def keys_without_part() -> ServiceError:
    """The refusal of keys that the custody policy does not name for this."""
    return precondition("keys_without_part", "The custody policy gives these keys no part in this.")
