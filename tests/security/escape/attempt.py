"""One attempt to get out, and the words for how it ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import raw_calls

# What a job fails with, in the words of the front desk.
KILLED = "wall_violation"
TOO_LATE = "worker_timeout"
INVALID = "worker_reply_invalid"
DIED = "worker_died"
# What an attempt says itself when all that it got is an error: the job is alive, and no further.
EPERM, EBADF, EFBIG, EINVAL = "refused_eperm", "refused_ebadf", "refused_efbig", "refused_einval"
ENOSYS, ENOTTY, NO_MEMORY = "refused_enosys", "refused_enotty", "refused_enomem"
NO_THREAD, NOWHERE = "refused_thread", "refused_nowhere"

FILTER = "seccomp: not on the list"


@dataclass(frozen=True)
class Attempt:
    """One row.

    Attributes:
        name: what is tried, as a phrase.
        payload: tries it; what it raises becomes the worker's last report, and so does its coming back.
        outcome: the code that the front desk's side sees.
        stopped_by: the mechanism that stops it first.
        only_x86: the way does not exist on arm64.
    """

    name: str
    payload: Callable[[], object]
    outcome: str
    stopped_by: str
    only_x86: bool = False


def rows(outcome: str, stopped_by: str, payloads: dict[str, Callable[[], object]]) -> list[Attempt]:
    """Attempts that end alike, by name."""
    return [Attempt(name, payload, outcome, stopped_by) for name, payload in payloads.items()]


def by_number(calls: dict[str, str]) -> list[Attempt]:
    """Attempts that the filter stops by the number of one call alone, whatever its arguments: zeros do."""

    def payload(call: str) -> Callable[[], object]:
        return lambda: raw_calls.call(call, *([0] * 6))

    return [
        Attempt(name, payload(call), KILLED, FILTER, only_x86=raw_calls.NUMBERS[call][1] is None)
        for name, call in calls.items()
    ]
