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
from pathlib import Path

import pytest
from chain_world import head
from eth_keys import keys
from hexbytes import HexBytes
from web3 import Web3

from grpc_api.anchors.asking import block_hash_at, line_state
from grpc_api.anchors.chain import AnchorChain, ChainLimits
from grpc_api.anchors.contract import compiled
from grpc_api.anchors.deploying import deploy
from grpc_api.anchors.keeping import open_anchors
from grpc_api.anchors.transport import open_node
from grpc_api.errors import ServiceError
from keyvault.chain_key import ChainKey
from keyvault.signing.log import LogSigner
from keyvault.vault.anchoring import AnchorOrders, load_anchor_desk
from keyvault.vault.process import open_store
from keyvault.vault.ratchet import CheckpointRatchet
from provenance.anchors.anchor_proof import verify_anchor
from provenance.anchors.event import AnchorLine
from provenance.anchors.header import BlockHeader
from provenance.anchors.keccak import keccak256
from provenance.anchors.place import AnchorPlace
from provenance.checkpoint import CheckpointText
from tests.unit.keyvault.vault.harness import checkpoint_text, growth

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
    node = open_node(f"http://127.0.0.1:{port}", 60)
    for _ in range(1200):
        try:
            assert node.eth.chain_id == 31337
            return node
        except ServiceError:
            time.sleep(0.1)
    raise AssertionError("anvil does not answer")


def give(node: Web3, address: bytes) -> None:
    """One of the chain's coins, once it is in a block."""
    sent = node.eth.send_transaction(
        {
            "from": node.eth.accounts[0],
            "to": Web3.to_checksum_address(address),
            "value": Web3.to_wei(1, "ether"),
        }
    )
    node.eth.wait_for_transaction_receipt(sent)


def test_an_anchor_on_a_real_node_verifies_offline(node: Web3) -> None:
    rich = node.eth.accounts[0]
    address = KEY.public_key.to_canonical_address()
    give(node, address)
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


def test_a_deployment_and_the_vault_s_signature_are_taken_by_a_real_node(node: Web3, tmp_path: Path) -> None:
    payer = ChainKey.generate()
    store = open_store(tmp_path / "vault", None)
    signer = LogSigner.generate("bauta.test/log")
    ratchet = CheckpointRatchet(store, signer)
    give(node, payer.address)
    limits = {"max_fee_wei": 10**11, "wait_seconds": 120.0}
    done = deploy(node, 31337, payer.address, payer.sign, **limits)
    desk = load_anchor_desk(store, AnchorOrders(31337, done.contract, 10**17), ratchet, signer.origin)
    assert desk is not None
    give(node, desk.anchorer)
    place = AnchorPlace(31337, done.contract, desk.anchorer)
    line = place.line(signer.origin)
    chain = AnchorChain(node, 31337, line, lambda raw: desk.sign(raw, []), ChainLimits(confirmations=0))
    kept = open_anchors(tmp_path / "anchors", place, signer.origin)
    size = 0
    for grown in (5, 9):
        ratchet.sign(checkpoint_text(signer.origin, grown), growth(size, grown) if size else [])
        size = grown
        sent = chain.send(CheckpointText.parse(checkpoint_text(signer.origin, grown)))
        node.eth.wait_for_transaction_receipt(HexBytes(sent.transaction_hash))
        proof = chain.settled(sent.transaction_hash)
        assert proof is not None
        kept.keep(grown, proof)
        block = BlockHeader.from_bytes(proof.header)
        assert block_hash_at(node, 31337, block.number) == block.block_hash
    assert kept.sizes == (5, 9)
    balance, latest = line_state(node, place, signer.origin)
    assert 0 < balance < 10**18
    assert latest == CheckpointText.parse(checkpoint_text(signer.origin, 9))
    store.close()
