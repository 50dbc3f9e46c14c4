"""Length-prefixed protobuf messages over a descriptor: the only language spoken across a wall.

A frame is a 4-byte big-endian length and that many bytes of one message. The reader names the largest
frame it takes before it allocates anything (STYLE, habit 4).
"""

from __future__ import annotations

import os
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

MessageT = TypeVar("MessageT", bound=Message)

LENGTH_BYTES = 4


class FramingError(Exception):
    """The other side sent something that is not a frame of the expected kind."""

    code = "framing_error"


def write_message(fd: int, message: Message) -> None:
    """Writes one frame.

    Raises:
        OSError: the other side is gone.
    """
    body = message.SerializeToString(deterministic=True)
    write_all(fd, len(body).to_bytes(LENGTH_BYTES, "big") + body)


def read_message(fd: int, kind: type[MessageT], max_bytes: int) -> MessageT | None:
    """Reads one frame; None when the other side closed between two frames.

    Raises:
        FramingError: the frame is cut short, larger than max_bytes, or no message of this kind.
    """
    head = _read_up_to(fd, LENGTH_BYTES)
    if not head:
        return None
    size = int.from_bytes(head, "big")
    if len(head) < LENGTH_BYTES or size > max_bytes:
        raise FramingError("frame is cut short or too large")
    body = _read_up_to(fd, size)
    if len(body) < size:
        raise FramingError("frame is cut short")
    message = kind()
    try:
        message.ParseFromString(body)
    except DecodeError:
        raise FramingError("frame holds no such message") from None
    return message


def write_all(fd: int, data: bytes | memoryview) -> None:
    """Writes every byte, however short the kernel's writes are."""
    view = memoryview(data)
    while view:
        view = view[os.write(fd, view) :]


def _read_up_to(fd: int, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = os.read(fd, size - len(parts))
        if not part:
            break
        parts += part
    return bytes(parts)
