"""The log's static files over HTTP: exactly the paths of c2sp.org/tlog-tiles, read only, and nothing else.

It opens no database and holds no key, so it may run beside the service or on another machine over a copy.
It speaks plain HTTP: what it gives is public and signed. Nothing is logged, least of all who asked for what.
"""

from __future__ import annotations

import socket
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from provenance.errors import FormatError, LogError
from provenance.tiles.files import StaticFiles
from provenance.tiles.layout import CHECKPOINT, Tile

MAX_CONNECTIONS = 64
# Of one connection, which gets one answer: no slow reader holds a thread for longer between two packets.
TIMEOUT_SECONDS = 10.0
_TEXT = ("text/plain; charset=utf-8", "no-cache")
_TILE = ("application/octet-stream", "public, max-age=31536000, immutable")


class LogServer(ThreadingHTTPServer):
    """Listens as soon as it is made; `serve_forever` answers.

    Args:
        address: host and port; port 0 takes a free one.
        files: the log's.

    Raises:
        OSError: the address cannot be bound.
    """

    daemon_threads = True
    # With a queue shorter than a crowd the kernel drops handshakes, and who came first no longer counts.
    request_queue_size = 2 * MAX_CONNECTIONS

    def __init__(self, address: tuple[str, int], files: StaticFiles) -> None:
        self.files = files
        self._free = threading.BoundedSemaphore(MAX_CONNECTIONS)
        super().__init__(address, _Handler)

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
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._free.release()

    def handle_error(self, request: socket.socket | Any, client_address: Any) -> None:
        """Stays silent: a client that hangs up is no event."""


class _Handler(BaseHTTPRequestHandler):
    server: LogServer
    timeout = TIMEOUT_SECONDS

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the standard library's
        """Says nothing."""

    def version_string(self) -> str:
        """Does not tell versions."""
        return "bauta"

    def _answer(self, *, with_content: bool) -> None:
        path = self.path.removeprefix("/")
        try:
            kind, caching = _TEXT if path == CHECKPOINT else _TILE
            if path != CHECKPOINT:
                path = Tile.parse(path).path
            content = self.server.files.read(path)
        except FormatError:
            content = None
        except LogError:
            self.send_error(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        if content is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", kind)
        self.send_header("Cache-Control", caching)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        if with_content:
            self.wfile.write(content)
