"""A node's JSON-RPC over HTTP, as far as anchors ask, over the chain inside the process."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from hexbytes import HexBytes
from web3 import Web3
from web3.exceptions import Web3Exception

from tests.chain_world import ChainWorld


class ChainNode:
    """A node at an address of its own; until `begin` its port is taken and dead: all are refused.

    Attributes:
        chain_id: of its chain.
        asked: methods, in order.
        lock: whoever touches the chain itself while the node may answer holds it: py-evm knows no threads.
    """

    def __init__(self, world: ChainWorld) -> None:
        self.world = world
        self.asked: list[str] = []
        self.lock = threading.RLock()
        self.chain_id = int(world.node.eth.chain_id)
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self), bind_and_activate=False)
        self._server.daemon_threads = False
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Bound, not listening: the kernel refuses connections, and nobody else gets the port.
        self._server.server_bind()
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def begin(self) -> None:
        """Answers from now on."""
        self._server.server_activate()
        self._thread.start()

    def give(self, address: bytes) -> None:
        """Money to send transactions with."""
        with self.lock:
            self.world.give(address)

    def close(self) -> None:
        """Ends it, and every thread of it: later tests fork."""
        if self._thread.ident is not None:
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()

    def answer(self, method: str, given: list[Any]) -> Any:
        """The result of one call, as JSON has it."""
        eth = self.world.node.eth
        calls: dict[str, Callable[[], Any]] = {
            "eth_chainId": lambda: eth.chain_id,
            "eth_blockNumber": lambda: eth.block_number,
            "eth_getBalance": lambda: eth.get_balance(Web3.to_checksum_address(given[0])),
            "eth_getCode": lambda: eth.get_code(Web3.to_checksum_address(given[0])),
            "eth_getTransactionCount": lambda: eth.get_transaction_count(Web3.to_checksum_address(given[0])),
            "eth_getBlockByNumber": lambda: self._block(given[0]),
            "eth_getBlockByHash": lambda: self._block(HexBytes(given[0])),
            "eth_call": lambda: eth.call(
                {
                    "from": self.world.rich,
                    "to": Web3.to_checksum_address(given[0]["to"]),
                    "data": given[0]["data"],
                }
            ),
            "eth_sendRawTransaction": lambda: eth.send_raw_transaction(HexBytes(given[0])),
            "eth_getTransactionReceipt": lambda: eth.get_transaction_receipt(HexBytes(given[0])),
        }
        with self.lock:
            self.asked.append(method)
            return _json(calls[method]())

    def _block(self, which: Any) -> Mapping[str, Any]:
        if isinstance(which, str) and which.startswith("0x"):
            which = int(which, 16)
        block = dict(self.world.node.eth.get_block(which))
        # eth-tester pads it, and no node does.
        return {**block, "extraData": b""}


def _handler(node: ChainNode) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        # `close` waits for this: not without end for who connects and says nothing.
        timeout = 60.0

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer: dict[str, Any] = {"jsonrpc": "2.0", "id": question["id"]}
            try:
                answer["result"] = node.answer(question["method"], question["params"])
            except KeyError:
                answer["error"] = {"code": -32601, "message": "no such method"}
            except Web3Exception as error:
                if "NotFound" in type(error).__name__:
                    answer["result"] = None
                else:
                    answer["error"] = {"code": -32000, "message": "refused"}
            except Exception:
                answer["error"] = {"code": -32000, "message": "refused"}
            content = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return "0x" + bytes(value).hex()
    if isinstance(value, Mapping):
        return {name: _json(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json(item) for item in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return hex(value)
    return value
