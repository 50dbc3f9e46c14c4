"""What a node says, for people: which block it has at a number, who has how much, what is anchored."""

from __future__ import annotations

from eth_typing import BlockNumber
from hexbytes import HexBytes

from grpc_api.anchors.chain import AnchorChain
from grpc_api.anchors.web import BlockNotFound, Web3, Web3Exception
from grpc_api.errors import precondition, unavailable
from provenance.anchors.keccak import HASH_BYTES
from provenance.anchors.place import AnchorPlace
from provenance.checkpoint import CheckpointText
from provenance.errors import ProvenanceError


def block_hash_at(node: Web3, chain_id: int, number: int) -> bytes | None:
    """Gives the hash of the block that a node has at a number; None where it has none.

    Args:
        node: its word is all that this is.
        chain_id: which chain it must be of.
        number: of the block.

    Raises:
        ServiceError: `anchor_wrong_chain`, `anchor_chain_unavailable`.
    """
    try:
        _require_chain(node, chain_id)
        answer = bytes(HexBytes(node.eth.get_block(BlockNumber(number))["hash"]))
    except BlockNotFound:
        return None
    except (Web3Exception, KeyError, TypeError, ValueError):
        raise _silent() from None
    return answer if len(answer) == HASH_BYTES else None


def line_state(node: Web3, place: AnchorPlace, origin: str) -> tuple[int, CheckpointText | None]:
    """Gives what the anchorer has, in wei, and the line's last anchor; None before the first.

    Raises:
        ServiceError: `anchor_wrong_chain`, `anchor_chain_unavailable`.
    """

    def refuse(_to_sign: bytes) -> bytes:
        raise AssertionError("nothing is sent here")

    try:
        _require_chain(node, place.chain_id)
        balance = node.eth.get_balance(Web3.to_checksum_address(place.anchorer))
        return int(balance), AnchorChain(node, place.chain_id, place.line(origin), refuse).latest()
    except (Web3Exception, ProvenanceError, KeyError, TypeError, ValueError):
        raise _silent() from None


def _require_chain(node: Web3, chain_id: int) -> None:
    if node.eth.chain_id != chain_id:
        raise precondition(
            "anchor_wrong_chain", "The node is of another chain than the one that is believed."
        )


def _silent() -> Exception:
    return unavailable("anchor_chain_unavailable", "The chain's node gave an answer of no known form.")
