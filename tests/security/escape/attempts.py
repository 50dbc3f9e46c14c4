"""Every attempt to get out, in one table: what is tried, what stops it, what the service says.

The tests run it; docs/wall.md and SECURITY.md show it (`markdown`). An attempt runs in a worker's place, in a
child that the real worker host has forked and walled in; `hostile_host` puts it there. The attempts stand
beside what they do:

    escape_files.py      the disk, /proc, inherited descriptors
    escape_network.py    sockets of every family, the vault's channel
    escape_processes.py  new processes, programs, other processes' memory and lives
    escape_kernel.py     rights, mounts, namespaces, subsystems
    escape_limits.py     space, memory, threads, time
    escape_replies.py    lies to the front desk
"""

from __future__ import annotations

import escape_files
import escape_kernel
import escape_limits
import escape_network
import escape_processes
import escape_replies
from attempt import DIED, INVALID, KILLED, TOO_LATE, Attempt

ALL: tuple[Attempt, ...] = (
    *escape_files.ATTEMPTS,
    *escape_network.ATTEMPTS,
    *escape_processes.ATTEMPTS,
    *escape_kernel.ATTEMPTS,
    *escape_limits.ATTEMPTS,
    *escape_replies.ATTEMPTS,
)
# What a job may do comes through, and is reported as having come through.
CONTROL = Attempt("compute", lambda: 6 * 7, "got_through", "nothing")
BY_NAME = {attempt.name: attempt for attempt in (*ALL, CONTROL)}

COLUMNS = "| attempt | stopped by | the service says |"

# Any other outcome is an error that the attempt got and the service never sees.
_SAYS = {
    KILLED: "`wall_violation`",
    TOO_LATE: "`worker_timeout`",
    INVALID: "`worker_reply_invalid`",
    DIED: "`worker_died`",
}


def markdown() -> str:
    """The table for people: docs/wall.md and SECURITY.md hold these very lines."""
    lines = [COLUMNS, "|---|---|---|"]
    for attempt in ALL:
        got = attempt.outcome.removeprefix("refused_").upper()
        says = _SAYS.get(attempt.outcome, f"nothing: the attempt gets {got}")
        lines.append(f"| {attempt.name} | {attempt.stopped_by} | {says} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    import sys

    sys.stdout.write(markdown())
