"""A time-stamping authority behind HTTP, for tests: an honest one, and every way not to be."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from provenance.der import INTEGER, OCTET_STRING, parse_der
from tests.time_authority import TimeAuthority, integer, sequence, time_authority

PATIENCE_SECONDS = 120.0
"""How long the slow ways go on: far longer than any client of the tests waits."""


@dataclass(frozen=True)
class Asked:
    """A request (RFC 3161, section 2.4.1).

    Attributes:
        digest: to be stamped.
        nonce: to be repeated.
        body: the whole of it.
    """

    digest: bytes
    nonce: int
    body: bytes


def read_request(body: bytes) -> Asked:
    """Reads a request as our client makes them."""
    _version, imprint, nonce, wants_certificate = parse_der(body).members()
    assert wants_certificate.encoded == b"\x01\x01\xff"
    return Asked(imprint.members()[1].of(OCTET_STRING), int.from_bytes(nonce.of(INTEGER), "big"), body)


class Talk(BaseHTTPRequestHandler):
    """One connection."""

    server: TimeServer

    def do_POST(self) -> None:
        """Answers as the server was told to."""
        assert self.headers["Content-Type"] == "application/timestamp-query"
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(read_request(body))
        self.server.way(self, self.server.asked[-1])

    def answer(self, content: bytes, status: int = 200, kind: str = "application/timestamp-reply") -> None:
        """Sends an answer."""
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base class has it.
        """Says nothing."""


Way = Callable[[Talk, Asked], None]


class TimeServer(ThreadingHTTPServer):
    """Serves one way of answering."""

    daemon_threads = True

    def __init__(self, way: Way) -> None:
        super().__init__(("127.0.0.1", 0), Talk)
        self.way = way
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}/tsr"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that leave are the point of some tests."""


@contextlib.contextmanager
def serving(way: Way, context: ssl.SSLContext | None = None) -> Iterator[TimeServer]:
    """A server, for a while; over TLS if there is a context."""
    with TimeServer(way) as server:
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


def granted(token: bytes) -> bytes:
    """An answer that grants."""
    return sequence(sequence(integer(0)), token)


@dataclass
class Honest:
    """Stamps what it is asked to, now."""

    authority: TimeAuthority = field(default_factory=time_authority)

    def __call__(self, talk: Talk, asked: Asked) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        talk.answer(granted(self.authority.stamp(asked.digest, nonce=asked.nonce, at=now, unsorted=True)))


def other_data(talk: Talk, asked: Asked) -> None:
    """Stamps something else."""
    talk.answer(granted(time_authority().stamp(bytes(32), nonce=asked.nonce)))


def other_nonce(talk: Talk, asked: Asked) -> None:
    """Answers with a token of before."""
    talk.answer(granted(time_authority().stamp(asked.digest, nonce=asked.nonce ^ 1)))


def no_nonce(talk: Talk, asked: Asked) -> None:
    """Leaves the nonce out."""
    talk.answer(granted(time_authority().stamp(asked.digest)))


def forged(talk: Talk, asked: Asked) -> None:
    """Does not sign."""
    talk.answer(granted(time_authority().stamp(asked.digest, nonce=asked.nonce, flip_signature=True)))


def stranger(talk: Talk, asked: Asked) -> None:
    """Somebody else answers."""
    talk.answer(granted(time_authority("other").stamp(asked.digest, nonce=asked.nonce)))


def refusing(talk: Talk, _asked: Asked) -> None:
    """Refuses in the protocol's own words."""
    talk.answer(sequence(sequence(integer(2), sequence(b"\x0c\x04busy"))))


def failing(talk: Talk, _asked: Asked) -> None:
    """Is broken."""
    talk.answer(b"oh no", 500, "text/plain")


def page(talk: Talk, _asked: Asked) -> None:
    """Is a web page."""
    talk.answer(b"<html>Welcome</html>", 200, "text/html")


def empty(talk: Talk, _asked: Asked) -> None:
    """Says nothing, politely."""
    talk.answer(b"")


def leaving(talk: Talk, _asked: Asked) -> None:
    """Hangs up."""
    talk.connection.shutdown(socket.SHUT_RDWR)


def huge(talk: Talk, _asked: Asked) -> None:
    """Sends ten megabytes."""
    talk.answer(b"\x30" * (10 << 20))


def cut_short(talk: Talk, asked: Asked) -> None:
    """Promises more than it sends."""
    talk.send_response(200)
    talk.send_header("Content-Length", "5000")
    talk.end_headers()
    talk.wfile.write(granted(time_authority().stamp(asked.digest, nonce=asked.nonce))[:-1])


def silent(_talk: Talk, _asked: Asked) -> None:
    """Never answers."""
    time.sleep(PATIENCE_SECONDS)


def dripping_body(talk: Talk, _asked: Asked) -> None:
    """A byte now and then, each in time."""
    talk.send_response(200)
    talk.send_header("Content-Length", "10000")
    talk.end_headers()
    _drip(talk, b"\x30")


def dripping_headers(talk: Talk, _asked: Asked) -> None:
    """A header that never ends."""
    talk.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    _drip(talk, b"a")


def always_continue(talk: Talk, _asked: Asked) -> None:
    """ "Go on", for ever, as fast as it can."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        talk.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        time.sleep(0.001)


def many_headers(talk: Talk, _asked: Asked) -> None:
    """More headers than anybody reads."""
    talk.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 5000 + b"\r\n")


def redirecting_to(url: str) -> Way:
    """Sends one elsewhere."""

    def redirect(talk: Talk, _asked: Asked) -> None:
        talk.send_response(307)
        talk.send_header("Location", url)
        talk.send_header("Content-Length", "0")
        talk.end_headers()

    return redirect


def _drip(talk: Talk, piece: bytes) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        talk.wfile.write(piece)
        time.sleep(0.05)
