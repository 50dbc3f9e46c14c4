"""An Ethereum chain inside the process (eth-tester, py-evm) with our contract on it."""

from __future__ import annotations

import warnings
from functools import cached_property

from eth_keys import keys
from hexbytes import HexBytes
from web3 import EthereumTesterProvider, Web3
from web3.types import TxReceipt

from grpc_api.anchors.chain import AnchorChain, ChainLimits
from grpc_api.anchors.contract import compiled
from provenance.anchors.event import AnchorLine
from provenance.anchors.keccak import keccak256
from provenance.checkpoint import CheckpointText

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Old names, imported by the chain's own packages.
    from eth_tester import EthereumTester, PyEVMBackend

ORIGIN = "bauta.test/log"


def head(size: int, tree: int = 0, origin: str = ORIGIN) -> CheckpointText:
    """A tree head; another root for each size and tree."""
    return CheckpointText(origin, size, keccak256(f"{size} {tree}".encode()))


class ChainWorld:
    """A chain of its own, with the contract on it and an anchorer who has money."""

    def __init__(self) -> None:
        self.backend = PyEVMBackend()
        self.tester = EthereumTester(self.backend)
        self.node = Web3(EthereumTesterProvider(self.tester))
        self.key = keys.PrivateKey(keccak256(b"anchorer"))
        self.rich = self.node.eth.accounts[0]
        self.give(self.key.public_key.to_canonical_address())
        sent = self.node.eth.send_transaction(
            {"from": self.rich, "data": HexBytes(compiled().creation_code), "gas": 3_000_000}
        )
        self.deployed: TxReceipt = self.node.eth.wait_for_transaction_receipt(sent)
        self.contract = bytes(HexBytes(self.deployed["contractAddress"]))

    @cached_property
    def line(self) -> AnchorLine:
        """Ours."""
        return AnchorLine(self.contract, self.key.public_key.to_canonical_address(), ORIGIN)

    def chain(self, confirmations: int = 1) -> AnchorChain:
        """What a service would have."""
        return AnchorChain(
            node=self.node,
            chain_id=self.node.eth.chain_id,
            line=self.line,
            sign=self.sign,
            limits=ChainLimits(confirmations=confirmations),
            header_source=self.header,
        )

    def sign(self, to_sign: bytes) -> bytes:
        """The key's side of the callback."""
        return self.key.sign_msg_hash(keccak256(to_sign)).to_bytes()

    def header(self, block_hash: bytes) -> bytes:
        """The header itself: eth-tester's JSON pads a field of it."""
        import rlp

        return bytes(rlp.encode(self.backend.chain.get_block_header_by_hash(block_hash)))

    def give(self, address: bytes, payer: int = 0) -> None:
        """Money to send transactions with."""
        self.node.eth.send_transaction(
            {
                "from": self.node.eth.accounts[payer],
                "to": Web3.to_checksum_address(address),
                "value": Web3.to_wei(10, "ether"),
            }
        )

    def mine(self, blocks: int = 1) -> None:
        """Time passes."""
        self.tester.mine_blocks(blocks)
