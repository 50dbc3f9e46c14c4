"""Which descriptors a child keeps: those handed over, at fixed numbers, and three that lead nowhere."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Sequence

from enclave.wall import kernel

FIRST_FREE = 3
_NO_UPPER_END = 0xFFFF_FFFF
# Far above any descriptor that is moved, so that no move overwrites one that is still to be moved.
_PARKING = 200


def keep_only(descriptors: Sequence[int], null_fd: int) -> None:
    """Moves the descriptors to 3, 4, 5 and so on, points 0, 1 and 2 at null_fd, and closes every other one.

    Native libraries write to standard output and error as they like: what they say about an upload goes
    nowhere.

    Raises:
        OSError: a descriptor is not open.
    """
    parked = [fcntl.fcntl(fd, fcntl.F_DUPFD, _PARKING) for fd in descriptors]
    for standard in range(FIRST_FREE):
        os.dup2(null_fd, standard)
    for target, fd in enumerate(parked, start=FIRST_FREE):
        os.dup2(fd, target)
    kernel.syscall(kernel.SYS_CLOSE_RANGE, FIRST_FREE + len(parked), _NO_UPPER_END, 0)
