"""Anchors over real JSON-RPC: `anvil` (npm `@foundry-rs/anvil`), where it is installed.

    npm install --ignore-scripts @foundry-rs/anvil

in any folder; its `node_modules/@foundry-rs/anvil-linux-amd64/bin` on PATH.
"""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from chain_world import head
from eth_keys import keys
from hexbytes import HexBytes
from web3 import Web3

from grpc_api.anchors.chain import AnchorChain, ChainLimits
from grpc_api.anchors.contract import compiled
from grpc_api.anchors.transport import open_node
from grpc_api.errors import ServiceError
from provenance.anchors.anchor_proof import verify_anchor
from provenance.anchors.event import AnchorLine
from provenance.anchors.header import BlockHeader
from provenance.anchors.keccak import keccak256

KEY = keys.PrivateKey(keccak256(b"anchorer"))


@pytest.fixture(scope="module")
def node() -> Iterator[Web3]:
    program = shutil.which("anvil")
    if program is None:
        pytest.skip("anvil is not installed (npm @foundry-rs/anvil): no real node is asked")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with subprocess.Popen([program, "--port", str(port), "--silent"]) as running:
        try:
            yield _answering(port)
        finally:
            running.terminate()


def _answering(port: int) -> Web3:
    node = open_node(f"http://127.0.0.1:{port}", 5)
    for _ in range(100):
        try:
            assert node.eth.chain_id == 31337
            return node
        except ServiceError:
            time.sleep(0.1)
    raise AssertionError("anvil does not answer")


def test_an_anchor_on_a_real_node_verifies_offline(node: Web3) -> None:
    rich = node.eth.accounts[0]
    address = KEY.public_key.to_canonical_address()
    node.eth.send_transaction(
        {"from": rich, "to": Web3.to_checksum_address(address), "value": Web3.to_wei(1, "ether")}
    )
    deployed = node.eth.wait_for_transaction_receipt(
        node.eth.send_transaction({"from": rich, "data": HexBytes(compiled().creation_code)})
    )
    line = AnchorLine(bytes(HexBytes(deployed["contractAddress"])), address, "bauta.test/log")
    chain = AnchorChain(
        node,
        31337,
        line,
        lambda raw: KEY.sign_msg_hash(keccak256(raw)).to_bytes(),
        ChainLimits(confirmations=0),
    )
    for checkpoint in (head(5), head(9)):
        sent = chain.send(checkpoint)
        node.eth.wait_for_transaction_receipt(HexBytes(sent.transaction_hash))
        proof = chain.settled(sent.transaction_hash)
        assert proof is not None
        block = BlockHeader.from_bytes(proof.header)
        assert verify_anchor(proof.to_bytes(), line, {block.block_hash}).checkpoint == checkpoint
        assert bytes(node.eth.get_block(block.number)["hash"]) == block.block_hash
        assert chain.latest() == checkpoint
        assert replace(chain, limits=ChainLimits()).settled(sent.transaction_hash) is None
