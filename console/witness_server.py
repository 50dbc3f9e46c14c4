"""A witness over HTTP, to the letter of c2sp.org/tlog-witness: add-checkpoint, and checkpoints for monitors.

Plain HTTP with keep-alive: all that passes is public and signed. Nothing is logged of who asks.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from console.bounded_server import BoundedServer, Silent
from console.witness_desk import WitnessDesk
from provenance.errors import LogError
from provenance.witness.errors import ConflictError, RefusedError
from provenance.witness.submission import ADD_CHECKPOINT, MAX_SUBMISSION_BYTES, SIZE_CONTENT_TYPE

_TEXT = "text/plain; charset=utf-8"
_MONITORED = re.compile(r"/([0-9a-f]{64})/checkpoint")
_LENGTH = re.compile(r"[0-9]{1,12}")


class WitnessServer(BoundedServer):
    """Listens as soon as it is made; `serve_forever` answers.

    Args:
        address: host and port; port 0 takes a free one.
        desk: decides and signs.

    Raises:
        OSError: the address cannot be bound.
    """

    def __init__(self, address: tuple[str, int], desk: WitnessDesk) -> None:
        self.desk = desk
        super().__init__(address, _Handler)


class _Handler(Silent, BaseHTTPRequestHandler):
    server: WitnessServer
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != f"/{ADD_CHECKPOINT}":
            self._say(HTTPStatus.NOT_FOUND, "path_unknown")
            return
        try:
            self._answer(HTTPStatus.OK, self.server.desk.add_checkpoint(body))
        except ConflictError as conflict:
            self._answer(HTTPStatus.CONFLICT, f"{conflict.known_size}\n".encode(), SIZE_CONTENT_TYPE)
        except RefusedError as refused:
            self._say(HTTPStatus(refused.status), f"{refused.code}: {refused}")
        except LogError as error:
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, error.code)

    def do_GET(self) -> None:
        self._monitor(with_content=True)

    def do_HEAD(self) -> None:
        self._monitor(with_content=False)

    def _monitor(self, *, with_content: bool) -> None:
        if self.path == f"/{ADD_CHECKPOINT}":
            self._say(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", with_content=with_content)
            return
        asked = _MONITORED.fullmatch(self.path)
        try:
            note = self.server.desk.checkpoint(asked[1]) if asked else None
        except LogError as error:
            self._say(HTTPStatus.INTERNAL_SERVER_ERROR, error.code, with_content=with_content)
            return
        if note is None:
            self._say(HTTPStatus.NOT_FOUND, "path_unknown", with_content=with_content)
        else:
            self._answer(HTTPStatus.OK, note, with_content=with_content)

    def _body(self) -> bytes | None:
        """The request's body; None where it was answered already and the connection ends."""
        untrusted_length = self.headers.get("Content-Length", "")
        if self.headers.get("Transfer-Encoding") or not _LENGTH.fullmatch(untrusted_length):
            self._refuse(HTTPStatus.LENGTH_REQUIRED, "length_required")
            return None
        if int(untrusted_length) > MAX_SUBMISSION_BYTES:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
            return None
        body = self.rfile.read(int(untrusted_length))
        if len(body) != int(untrusted_length):
            self.close_connection = True
            return None
        return body

    def _refuse(self, status: HTTPStatus, code: str) -> None:
        """Answers and hangs up: what follows on this connection is no request."""
        self.close_connection = True
        self._say(status, code)

    def _say(self, status: HTTPStatus, text: str, *, with_content: bool = True) -> None:
        self._answer(status, f"{text}\n".encode(), with_content=with_content)

    def _answer(
        self, status: HTTPStatus, content: bytes, kind: str = _TEXT, *, with_content: bool = True
    ) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if with_content:
            self.wfile.write(content)
