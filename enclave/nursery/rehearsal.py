"""One child that goes through the whole start of a job and then only says which walls stand.

The list that the vault, the front desk and `bauta doctor` get is therefore what a job will have, not what a
kernel version suggests.
"""

from __future__ import annotations

import os
from collections.abc import Set

from enclave.nursery.warden import ChildPlan, start_child
from enclave.wall import ChildLimits, names
from enclave.wall.descriptors import FIRST_FREE
from protos.framing import write_all

_SECONDS = 10.0
_MAX_ANSWER_BYTES = 4096
_LIMITS = ChildLimits(memory_bytes=256 << 20, file_bytes=1 << 20, cpu_seconds=10)


def rehearse(outer_wall: frozenset[str], null_fd: int, inherited_bytes: int) -> frozenset[str]:
    """Gives the walls that stand around a child; none when the child did not live to say."""
    answer_fd, child_end = os.pipe()
    try:
        warden = start_child(
            ChildPlan(
                descriptors=(child_end,),
                null_fd=null_fd,
                standing=outer_wall,
                limits=_LIMITS,
                wall_seconds=_SECONDS,
                inherited_bytes=inherited_bytes,
            ),
            _say_what_stands,
        )
        os.close(child_end)
        answer = _read_all(answer_fd)
        os.waitpid(warden, 0)
    finally:
        os.close(answer_fd)
    return frozenset(names.in_order(answer.decode("ascii", "replace").split()))


def _say_what_stands(standing: Set[str]) -> None:
    write_all(FIRST_FREE, " ".join(names.in_order(standing)).encode())


def _read_all(fd: int) -> bytes:
    answer = b""
    while (part := os.read(fd, _MAX_ANSWER_BYTES)) and len(answer) < _MAX_ANSWER_BYTES:
        answer += part
    return answer
