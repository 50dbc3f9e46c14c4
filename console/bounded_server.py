"""HTTP for strangers: so many connections and no more, each for so long and no longer; nothing is logged."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

MAX_CONNECTIONS = 64
# No slow peer holds a thread for longer between two packets...
TIMEOUT_SECONDS = 10.0
# ...and none of them, however busy, for longer than this.
MAX_CONNECTION_SECONDS = 300.0


class BoundedServer(ThreadingHTTPServer):
    """Listens as soon as it is made; `serve_forever` answers.

    Args:
        address: host and port; port 0 takes a free one.
        handler: answers.

    Raises:
        OSError: the address cannot be bound.
    """

    daemon_threads = True
    # With a queue shorter than a crowd the kernel drops handshakes, and who came first no longer counts.
    request_queue_size = 2 * MAX_CONNECTIONS

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hangs up on whoever comes while every place is taken."""
        if not self._free.acquire(blocking=False):
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except BaseException:
            self._free.release()
            raise

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answers one connection and frees its place."""
        clock = threading.Timer(MAX_CONNECTION_SECONDS, _hang_up, (request,))
        clock.daemon = True
        clock.start()
        try:
            super().process_request_thread(request, client_address)
        finally:
            clock.cancel()
            self._free.release()

    def handle_error(self, request: socket.socket | Any, client_address: Any) -> None:
        """Stays silent: a client that hangs up is no event."""


class Silent:
    """For a handler: says nothing of who asks, and nothing of what it is."""

    timeout: float | None = TIMEOUT_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
        """Says nothing."""

    def version_string(self) -> str:
        """Does not tell versions."""
        return "bauta"


def _hang_up(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
