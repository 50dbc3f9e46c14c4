"""Reading from a socket whose other end may be silent, slow, or hostile: caps before bytes, one deadline.

The frame is that of `protos.framing`. What differs: a deadline over the whole frame, and a body that is no
message does not cost the channel, because the reader still knows where the next frame starts.
"""

from __future__ import annotations

import os
import select
import socket
import time
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from keyvault.vault.errors import VaultRequestError
from protos.framing import LENGTH_BYTES

MessageT = TypeVar("MessageT", bound=Message)
_DISCARD_BYTES = 64 << 10


class ChannelClosedError(Exception):
    """The other side is gone, or fell silent past the deadline."""


def read_frame(channel: socket.socket, max_bytes: int, deadline: float | None = None) -> bytes:
    """Reads the body of one frame.

    Args:
        channel: a blocking stream socket.
        max_bytes: the largest body taken. A larger one is refused before anything is allocated for it.
        deadline: on the monotonic clock; None to wait for ever.

    Raises:
        ChannelClosedError: the other side closed, or the deadline passed.
        OversizeFrameError: it is larger than that; `skip` passes over its body.
    """
    size = int.from_bytes(read_exactly(channel, LENGTH_BYTES, deadline), "big")
    if size > max_bytes:
        raise OversizeFrameError(size)
    return read_exactly(channel, size, deadline)


class OversizeFrameError(VaultRequestError):
    """A frame announces more bytes than are taken.

    Attributes:
        size: what it announced, bytes; all of them are still unread.
    """

    def __init__(self, size: int) -> None:
        super().__init__("request_too_large", "the request is too large")
        self.size = size


def skip(channel: socket.socket, size: int) -> None:
    """Reads size bytes and keeps none.

    Raises:
        ChannelClosedError: the other side closed.
    """
    while size:
        size -= len(read_exactly(channel, min(size, _DISCARD_BYTES), None))


def read_exactly(channel: socket.socket, size: int, deadline: float | None) -> bytes:
    """Reads size bytes.

    Raises:
        ChannelClosedError: the other side closed before that, or the deadline passed.
    """
    parts = bytearray()
    while len(parts) < size:
        if not is_readable(channel, deadline):
            raise ChannelClosedError
        try:
            part = channel.recv(size - len(parts))
        except OSError:
            raise ChannelClosedError from None
        if not part:
            raise ChannelClosedError
        parts += part
    return bytes(parts)


def write_frame(channel: socket.socket, message: Message, deadline: float | None = None) -> None:
    """Writes one frame.

    Raises:
        ChannelClosedError: the other side is gone, or does not read before the deadline.
    """
    body = message.SerializeToString(deterministic=True)
    view = memoryview(len(body).to_bytes(LENGTH_BYTES, "big") + body)
    while view:
        if not _wait(channel, select.POLLOUT, deadline):
            raise ChannelClosedError
        try:
            view = view[channel.send(view, socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL) :]
        except BlockingIOError:
            continue
        except OSError:
            raise ChannelClosedError from None


def parse(kind: type[MessageT], body: bytes, code: str) -> MessageT:
    """Parses a message.

    Raises:
        VaultRequestError: with this code, the bytes are no such message.
    """
    message = kind()
    try:
        message.ParseFromString(body)
    except DecodeError:
        raise VaultRequestError(code, "the bytes are no such message") from None
    return message


def is_readable(channel: socket.socket, deadline: float | None) -> bool:
    """Waits until there are bytes to read or the other side has closed; False once the deadline passed."""
    return _wait(channel, select.POLLIN, deadline)


def take_socket(fd: int) -> socket.socket:
    """Takes over a descriptor that must be one end of a Unix stream socket pair, and makes it blocking.

    Raises:
        OSError: it is something else; it is closed.
    """
    try:
        channel = socket.socket(fileno=fd)
    except OSError:
        os.close(fd)
        raise
    if channel.family != socket.AF_UNIX or channel.type != socket.SOCK_STREAM:
        channel.close()
        raise OSError("the descriptor is no Unix stream socket")
    channel.setblocking(True)
    return channel


def _wait(channel: socket.socket, event: int, deadline: float | None) -> bool:
    poller = select.poll()
    poller.register(channel, event)
    left_ms = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
    return bool(poller.poll(left_ms))
