"""Anchors on a chain: their files, saved headers, tries, receipts, and what is given to be signed."""

from __future__ import annotations

from provenance.anchors.anchor_proof import AnchorProof, verify_anchor
from provenance.anchors.header import BlockHeader
from provenance.anchors.receipt import read_receipt
from provenance.anchors.rlp import decode, encode
from provenance.anchors.transaction import AnchorTransaction
from provenance.anchors.trie import proven_value
from provenance.errors import ProvenanceError
from tests.fuzz.target import Target
from tests.unit.provenance.anchor_makers import HEAD, LINE, event, proof, receipt

STRANGER = "whoever made the anchor file that is verified"
TRANSACTION = AnchorTransaction(31337, 4, 10**9, 10**11, 120_000, LINE.contract, LINE.call_to_anchor(HEAD))


def read_file(untrusted: bytes) -> None:
    """In a block that is believed, nothing but the anchored tree head comes out."""
    believed = BlockHeader.from_bytes(proof().header).block_hash
    assert verify_anchor(untrusted, LINE, {believed}).checkpoint == HEAD
    assert AnchorProof.from_bytes(untrusted).to_bytes() == untrusted


def read_rlp(untrusted: bytes) -> None:
    """One spelling."""
    assert encode(decode(untrusted)) == untrusted


def walk(untrusted: bytes) -> None:
    """A node under its own hash, at the key of its first receipt."""
    from provenance.anchors.keccak import keccak256

    proven_value(keccak256(untrusted), b"\x80", [untrusted])


def read_transaction(untrusted: bytes) -> None:
    """What is signed is what was read."""
    transaction = AnchorTransaction.from_bytes(untrusted)
    assert transaction.to_sign() == untrusted
    transaction.anchors(LINE)


TARGETS = (
    Target(
        name="anchor_file",
        sender=STRANGER,
        parsers=(
            "provenance.anchors.anchor_proof.verify_anchor",
            "provenance.anchors.anchor_proof.AnchorProof.from_bytes",
        ),
        parse=read_file,
        seeds=lambda: [proof().to_bytes()],
        errors=(ProvenanceError,),
        json=True,
    ),
    Target(
        name="anchor_rlp",
        sender=STRANGER,
        parsers=(
            "provenance.anchors.rlp.decode",
            "provenance.anchors.rlp._item",
            "provenance.anchors.rlp._content",
        ),
        parse=read_rlp,
        seeds=lambda: [proof().header, encode([[], [[b""]], b"x" * 60])],
        errors=(ProvenanceError,),
        tokens=(b"\xb8", b"\xf9", b"\xbf", b"\xff"),
    ),
    Target(
        name="anchor_header",
        sender="whoever gave the reader a block's header",
        parsers=("provenance.anchors.header.BlockHeader.from_bytes",),
        parse=BlockHeader.from_bytes,
        seeds=lambda: [proof().header],
        errors=(ProvenanceError,),
    ),
    Target(
        name="anchor_receipt",
        sender=STRANGER,
        parsers=("provenance.anchors.receipt.read_receipt",),
        parse=read_receipt,
        seeds=lambda: [receipt([event()]), receipt([], kind=0)],
        errors=(ProvenanceError,),
    ),
    Target(
        name="anchor_node",
        sender=STRANGER,
        parsers=("provenance.anchors.trie.proven_value",),
        parse=walk,
        seeds=lambda: list(proof(0, 1).nodes),
        errors=(ProvenanceError,),
    ),
    Target(
        name="anchor_transaction",
        sender="the front desk, to whoever keeps the anchorer's key",
        parsers=(
            "provenance.anchors.transaction.AnchorTransaction.from_bytes",
            "provenance.anchors.event.AnchorLine.read_words",
        ),
        parse=read_transaction,
        seeds=lambda: [TRANSACTION.to_sign()],
        errors=(ProvenanceError,),
    ),
)
