"""JSON-RPC over HTTP as a provider for web3: no redirect, no proxy, no cookie, no answer without an end."""

from __future__ import annotations

import http.client
import time
from typing import Any
from urllib.parse import urlsplit

from grpc_api.anchors.web import JSONBaseProvider, RPCEndpoint, RPCResponse, Web3
from grpc_api.errors import unavailable

MAX_ANSWER_BYTES = 32 << 20
"""The receipts of a full block of the main network are some megabytes of JSON."""

_PIECE_BYTES = 64 << 10


class CappedProvider(JSONBaseProvider):
    """Asks one node.

    Args:
        url: http or https.
        seconds: for one answer, all of it.
    """

    def __init__(self, url: str, seconds: float = 30.0) -> None:
        super().__init__()
        self._url = urlsplit(url)
        self._seconds = seconds

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        """Asks.

        Raises:
            ServiceError: `anchor_chain_unavailable`, whatever went wrong on the way.
        """
        question = self.encode_rpc_request(method, params)
        try:
            answer: RPCResponse = self.decode_rpc_response(self._post(question))
        except (OSError, http.client.HTTPException, ValueError, RecursionError) as error:
            raise unavailable("anchor_chain_unavailable", "The chain's node gave no answer.") from error
        if not isinstance(answer, dict):
            raise unavailable("anchor_chain_unavailable", "The chain's node gave an answer of no known form.")
        return answer

    def _post(self, question: bytes) -> bytes:
        deadline = time.monotonic() + self._seconds
        kind = http.client.HTTPSConnection if self._url.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._url.hostname or "", self._url.port, timeout=self._seconds)
        try:
            target = (self._url.path or "/") + (f"?{self._url.query}" if self._url.query else "")
            connection.request("POST", target, question, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise OSError("another status than 200")
            return _read(answer, deadline)
        finally:
            connection.close()


def _read(answer: http.client.HTTPResponse, deadline: float) -> bytes:
    pieces, length = [], 0
    # A limit for each packet does not end a node that drips.
    while piece := answer.read1(_PIECE_BYTES):
        pieces.append(piece)
        length += len(piece)
        if length > MAX_ANSWER_BYTES or time.monotonic() > deadline:
            raise OSError("an answer without an end")
    return b"".join(pieces)


def open_node(url: str, seconds: float = 30.0) -> Web3:
    """Gives web3 over one node; asks nothing yet."""
    return Web3(CappedProvider(url, seconds))
