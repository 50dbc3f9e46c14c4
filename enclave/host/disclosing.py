"""A disclosure worker seen from outside the wall: what it is shown, and what it says.

It waits for custodians, for days perhaps; so nothing here has a thread of its own. What it says is checked
for form and believed in nothing: that the vault certified it and its signatures hold is for the caller.
"""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Callable
from dataclasses import dataclass

from enclave.errors import HostError
from enclave.host.disclosure_reports import (
    MAX_DISCLOSURE_REPORT_BYTES,
    check_disclosure_report,
    invalid_reply,
)
from enclave.host.materials import Materials
from protos.bauta.internal.v1.disclosure_pb2 import (
    CountDecisions,
    DisclosureOrder,
    DisclosureReport,
    HandOut,
)
from protos.framing import FramingError, read_message, write_message

# For the last word of a worker that ended before it was spoken to.
_GRACE_SECONDS = 5.0


class DisclosureRefusedError(HostError):
    """What was shown does not suffice. The worker still waits: count again, and show more.

    Attributes:
        code: one of `enclave.disclosing.REFUSALS`.
        custodian: who is to blame, the hex digest of their keys; None where nobody is.
    """

    def __init__(self, code: str, custodian: str | None) -> None:
        super().__init__("the disclosure worker does not go on with what it was shown", code)
        self.custodian = custodian


@dataclass(frozen=True)
class Disclosed:
    """A sealed disclosure that is complete but for its header.

    Attributes:
        statement: the release, an envelope; nobody has checked its signatures.
        sealed_bytes: size of the whole, header included.
        sealed_sha256: likewise, 32 bytes.
        blamed: custodians who approved and gave no true share, by hex digest: the code of what was wrong.
    """

    statement: bytes
    sealed_bytes: int
    sealed_sha256: bytes
    blamed: dict[str, str]


class RunningDisclosure:
    """One disclosure worker. For one thread at a time; `stop` and `is_there` from any.

    Args:
        number: by which the vault knows it: `confirm_release` takes it. 16 bytes.
        orders_fd: write end of its orders; owned by this object.
        reports_fd: read end of its reports; owned by this object.
        max_wall_seconds: how long it may live.
        stop: asks the warm parent to end it.
    """

    def __init__(
        self,
        number: bytes,
        orders_fd: int,
        reports_fd: int,
        max_wall_seconds: float,
        stop: Callable[[], None],
    ) -> None:
        self.number = number
        self._fds: tuple[int, int] | None = (orders_fd, reports_fd)
        self._ends_at = time.monotonic() + max_wall_seconds
        self._stop = stop

    def admission(self, timeout_seconds: float = 60.0) -> bytes:
        """Waits for the evidence that the vault signed: an envelope, to be recorded as `disclosure-worker`.

        Then the vault is to be told of the record (`confirm_release`), and `wait_until_ready` called.

        Raises:
            HostError: the worker ended, with its code; or said something that is not in the protocol.
        """
        return self._next("admitted", timeout_seconds).admitted

    def wait_until_ready(self, timeout_seconds: float = 60.0) -> None:
        """Waits until the worker knows that its evidence is recorded: from now on custodians may approve.

        Raises:
            HostError: as for `admission`.
        """
        self._next("waiting", timeout_seconds)

    def count(self, timeout_seconds: float = 60.0) -> bytes:
        """Has the worker sign that it begins to count: an envelope, to be recorded as `disclosure-count`.

        Raises:
            HostError: as for `admission`.
        """
        self._order(DisclosureOrder(count=CountDecisions()))
        return self._next("counted", timeout_seconds).counted

    def proceed(self, materials: Materials, timeout_seconds: float = 3600.0) -> Disclosed:
        """Shows the worker everything, and waits until the disclosure is sealed, all but its header.

        Args:
            materials: with the log up to a checkpoint that holds the last count.
            timeout_seconds: how long restoring may take.

        Raises:
            DisclosureRefusedError: something does not hold; the worker waits on.
            HostError: as for `admission`.
        """
        self._order(DisclosureOrder(proceed=materials.to_message()))
        released = self._next("released", timeout_seconds).released
        return Disclosed(
            released.statement,
            released.sealed_bytes,
            released.sealed_sha256,
            {refusal.custodian.hex(): refusal.code for refusal in released.blamed},
        )

    def hand_out(self, release_proof: bytes, timeout_seconds: float = 60.0) -> bytes:
        """Shows the worker that its release is recorded, and gets the header for what it sealed.

        Args:
            release_proof: a proof file of the release, without evidence, under a witnessed checkpoint.
            timeout_seconds: how long that may take.

        Raises:
            DisclosureRefusedError: that proof is none; the worker waits on.
            HostError: as for `admission`.
        """
        self._order(DisclosureOrder(hand_out=HandOut(release_proof=release_proof)))
        return self._next("header", timeout_seconds).header

    def is_there(self) -> bool:
        """Whether the worker still lives."""
        return self._fds is not None and not self._has_hung_up(0.0)

    def wait_until_gone(self, timeout_seconds: float = 5.0) -> None:
        """Waits, but not for ever, until the worker has ended: another one may then have its number."""
        if self._fds is not None:
            self._has_hung_up(timeout_seconds)

    def stop(self) -> None:
        """Ends the worker; one that has ended is left alone."""
        with contextlib.suppress(HostError):
            self._stop()

    def close(self) -> None:
        """Closes both channels: a worker that still waits ends."""
        if self._fds is not None:
            for fd in self._fds:
                os.close(fd)
            self._fds = None

    def _has_hung_up(self, timeout_seconds: float) -> bool:
        poller = select.poll()
        poller.register(self._fds[1] if self._fds is not None else -1, 0)
        return any(event & select.POLLHUP for _, event in poller.poll(timeout_seconds * 1000))

    def _order(self, order: DisclosureOrder) -> None:
        if self._fds is None:
            raise _lost()
        try:
            write_message(self._fds[0], order)
        except OSError:
            raise self._last_word() from None

    def _last_word(self) -> HostError:
        """What a worker said that ended before it was spoken to."""
        try:
            self._next("", _GRACE_SECONDS)
        except HostError as ended:
            return ended
        return _lost()

    def _next(self, expected: str, timeout_seconds: float) -> DisclosureReport:
        if self._fds is None:
            raise _lost()
        poller = select.poll()
        poller.register(self._fds[1], select.POLLIN)
        wait = max(0.0, min(timeout_seconds, self._ends_at - time.monotonic()))
        if not poller.poll(wait * 1000):
            raise HostError("the disclosure worker did not answer in time", "worker_timeout")
        try:
            untrusted = read_message(self._fds[1], DisclosureReport, MAX_DISCLOSURE_REPORT_BYTES)
        except (FramingError, OSError):
            raise invalid_reply() from None
        if untrusted is None:
            raise _lost()
        report = check_disclosure_report(untrusted)
        kind = report.WhichOneof("report")
        if kind == "refused" and expected in {"released", "header"}:
            custodian = report.refused.custodian.hex() or None
            raise DisclosureRefusedError(report.refused.code, custodian)
        if kind == "failure":
            raise HostError("the disclosure worker has ended", report.failure.code)
        if kind != expected:
            raise invalid_reply()
        return report


def _lost() -> HostError:
    return HostError("the disclosure worker is gone", "worker_died")
