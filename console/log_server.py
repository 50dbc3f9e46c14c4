"""The log's static files and anchors over HTTP, read only: the paths of c2sp.org/tlog-tiles, and a few more.

It opens no database and holds no key, so it may run beside the service or on another machine over a copy.
It speaks plain HTTP: what it gives is public and signed. Nothing is logged, least of all who asked for what.
"""

from __future__ import annotations

from http import HTTPStatus
from http.server import BaseHTTPRequestHandler

from console.bounded_server import MAX_CONNECTIONS, BoundedServer, Silent
from grpc_api.anchors.keeping import SIZES, is_anchor_path
from provenance.errors import FormatError, LogError
from provenance.tiles.files import StaticFiles
from provenance.tiles.layout import CHECKPOINT, Tile

__all__ = ["MAX_CONNECTIONS", "LogServer"]

_TEXT = ("text/plain; charset=utf-8", "no-cache")
_ANCHORS = "anchors/"
_ANCHOR = ("application/json", "no-cache")
_TILE = ("application/octet-stream", "public, max-age=31536000, immutable")


class LogServer(BoundedServer):
    """Listens as soon as it is made; `serve_forever` answers.

    Args:
        address: host and port; port 0 takes a free one.
        files: the log's.
        anchors: its anchors, under `anchors/`; none where nothing is anchored.

    Raises:
        OSError: the address cannot be bound.
    """

    def __init__(
        self, address: tuple[str, int], files: StaticFiles, anchors: StaticFiles | None = None
    ) -> None:
        self.files = files
        self.anchors = anchors
        super().__init__(address, _Handler)


class _Handler(Silent, BaseHTTPRequestHandler):
    server: LogServer

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def _answer(self, *, with_content: bool) -> None:
        path = self.path.removeprefix("/")
        try:
            (kind, caching), content = self._find(path)
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

    def _find(self, path: str) -> tuple[tuple[str, str], bytes | None]:
        """How a path is answered; what is no path of ours is read nowhere."""
        if path == CHECKPOINT:
            return _TEXT, self.server.files.read(path)
        anchors, name = self.server.anchors, path.removeprefix(_ANCHORS)
        if name == path:
            try:
                return _TILE, self.server.files.read(Tile.parse(path).path)
            except FormatError:
                return _TILE, None
        if anchors is None or not is_anchor_path(name):
            return _ANCHOR, None
        return _TEXT if name.endswith(SIZES) else _ANCHOR, anchors.read(name)
