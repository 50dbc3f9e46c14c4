"""Asks time-stamping authorities for tokens (RFC 3161, over HTTP: section 3.4). Whatever they do, it ends.

An authority sees the address of whoever asks, a SHA-256 that tells it nothing, a random number, and when. It
may be down, slow, huge, redirect or lie: then there is no token by it, and a code that says why. All of them
are asked at the same time, and one time limit holds for all of them together.
"""

from __future__ import annotations

import contextlib
import http.client
import logging
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from rfc3161_client import HashAlgorithm, TimeStampRequest, TimestampRequestBuilder

from provenance.dsse import Envelope
from provenance.errors import ProvenanceError, SignatureError
from provenance.proof import ProofFile
from provenance.timestamps import read_root, read_timestamps, with_timestamps
from provenance.tokens import MAX_RESPONSE_BYTES, token_of

log = logging.getLogger("bauta.grpc_api")

DEFAULT_SECONDS = 5.0
_HEADERS = {"Content-Type": "application/timestamp-query", "Accept": "application/timestamp-reply"}


@dataclass(frozen=True)
class Answer:
    """What came of asking one authority.

    Attributes:
        url: whom.
        token: DER, sound, over the envelope, and by somebody believed if anybody was named; None if there is
            none.
        code: why there is none; "" if there is one.
    """

    url: str
    token: bytes | None
    code: str = ""


@dataclass(frozen=True)
class TimeAuthorities:
    """Whom to ask.

    Attributes:
        urls: http or https.
        roots: DER certificates. A token that leads to none of them is not taken; if there are none, any sound
            token is.
        seconds: how long to wait, for all of them together.

    Raises:
        FormatError: `timestamp_root_malformed`.
    """

    urls: tuple[str, ...]
    roots: tuple[bytes, ...] = ()
    seconds: float = DEFAULT_SECONDS

    def __post_init__(self) -> None:
        for root in self.roots:
            read_root(root)

    def ask(self, envelope: Envelope) -> tuple[Answer, ...]:
        """Has an envelope stamped by each of them; one answer an address, in their order. Raises nothing.

        Takes at most `seconds`, however many there are and whatever they do.
        """
        signed = envelope.to_bytes()
        calls = [_Call(url, _request(signed), self.seconds) for url in self.urls]
        deadline = time.monotonic() + self.seconds
        for call in calls:
            call.begin()
        for call in calls:
            call.finish(deadline)
        answers = tuple(self._answer(call, envelope.digest) for call in calls)
        for answer in answers:
            if answer.code:
                log.warning("a time-stamping authority gave no timestamp: %s", answer.code)
        return answers

    def stamp(self, proof_file: bytes) -> bytes:
        """Adds to a proof file what comes of asking; the same file if nothing does.

        Raises:
            FormatError: it is no proof file.
        """
        if not self.urls:
            return proof_file
        proof = ProofFile.from_bytes(proof_file)
        tokens = [answer.token for answer in self.ask(proof.statement) if answer.token is not None]
        return with_timestamps(proof, tokens).to_bytes()

    def _answer(self, call: _Call, digest: bytes) -> Answer:
        untrusted = call.untrusted_answer
        if untrusted is None:
            return Answer(call.url, None, "timestamp_unavailable")
        try:
            token = token_of(untrusted)
            (stamp,) = read_timestamps([token], digest, self.roots)
            if stamp.token.nonce != call.request.nonce:
                raise SignatureError("a timestamp answers another request", "timestamp_replayed")
            if self.roots and stamp.root is None:
                raise SignatureError("a timestamp is by nobody who is believed", "timestamp_not_believed")
        except ProvenanceError as error:
            return Answer(call.url, None, error.code)
        return Answer(call.url, token)


class _Call(threading.Thread):
    """One request, which can be abandoned at any point of it.

    A time limit for each packet does not end a peer that drips; closing the connection from outside does.
    """

    def __init__(self, url: str, request: TimeStampRequest, seconds: float) -> None:
        super().__init__(name="timestamp", daemon=True)
        self.url = url
        self.request = request
        self.untrusted_answer: bytes | None = None
        self._seconds = seconds
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._abandoned = False

    def run(self) -> None:
        """Asks; no answer is told by there being none."""
        try:
            answer = self._exchange(urlsplit(self.url))
        except (OSError, http.client.HTTPException, ValueError):
            return  # ValueError: an address or a header that is none.
        with self._lock:
            if not self._abandoned:
                self.untrusted_answer = answer

    def begin(self) -> None:
        """Starts, if the machine has room for one more thread."""
        with contextlib.suppress(RuntimeError):
            self.start()

    def finish(self, deadline: float) -> None:
        """Waits for the end until then, on the monotonic clock; what comes later is not taken."""
        if self.ident is not None:
            self.join(max(0.0, deadline - time.monotonic()))
        with self._lock:
            self._abandoned = True
            if self._socket is not None:
                _cut(self._socket)

    def _exchange(self, url: SplitResult) -> bytes | None:
        secure = url.scheme == "https"
        if url.hostname is None:
            return None
        port = url.port or (443 if secure else 80)
        connected = socket.create_connection((url.hostname, port), self._seconds)
        with connected:
            channel = self._hold(connected)
            if secure:
                channel = self._hold(
                    ssl.create_default_context().wrap_socket(
                        connected, server_hostname=url.hostname, do_handshake_on_connect=False
                    )
                )
            with channel:
                if isinstance(channel, ssl.SSLSocket):
                    channel.do_handshake()
                return self._post(channel, url)

    def _post(self, channel: socket.socket, url: SplitResult) -> bytes | None:
        connection = http.client.HTTPConnection(url.hostname or "", url.port)
        connection.sock = channel
        target = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("POST", target, self.request.as_bytes(), _HEADERS)
        answer = connection.getresponse()
        # No redirect is followed: whom the operator named is asked, and nobody else.
        if answer.status != http.HTTPStatus.OK:
            return None
        return answer.read(MAX_RESPONSE_BYTES + 1)

    def _hold(self, connected: socket.socket) -> socket.socket:
        with self._lock:
            self._socket = connected
            if self._abandoned:
                _cut(connected)
        return connected


def _cut(connected: socket.socket) -> None:
    # Not the method of an SSLSocket, which takes its state away from the thread that still reads.
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connected, socket.SHUT_RDWR)


def _request(signed: bytes) -> TimeStampRequest:
    builder = TimestampRequestBuilder(data=signed, hash_algorithm=HashAlgorithm.SHA256)
    return builder.nonce(nonce=True).cert_request(cert_request=True).build()


def usable(urls: Sequence[str]) -> bool:
    """Says whether these are addresses that can be asked."""
    try:
        return all(_usable(urlsplit(url)) for url in urls)
    except ValueError:
        return False


def _usable(url: SplitResult) -> bool:
    return url.scheme in {"http", "https"} and bool(url.hostname) and url.username is None and url.port != 0
