"""One question to the vault and its answer, over this job's own channel."""

from __future__ import annotations

import contextlib
import os

from google.protobuf.message import Message

from enclave.errors import WorkerError
from protos.framing import FramingError, MessageT, read_message, write_message

_MAX_RESPONSE_BYTES = 256 << 10


def write(vault_fd: int, request: Message) -> None:
    """Asks."""
    # A vault that has refused before it was asked has closed its end; its answer is still there to read.
    with contextlib.suppress(OSError):
        write_message(vault_fd, request)


def read(vault_fd: int, kind: type[MessageT]) -> MessageT:
    """Waits for the answer.

    Raises:
        WorkerError: `vault_unavailable`, there is none.
    """
    try:
        message = read_message(vault_fd, kind, _MAX_RESPONSE_BYTES)
    except (OSError, FramingError):
        message = None
    if message is None:
        raise WorkerError("the vault gave no answer", "vault_unavailable")
    return message


def close(vault_fd: int) -> None:
    """Ends the conversation: nothing more is to be asked for."""
    with contextlib.suppress(OSError):
        os.close(vault_fd)
