"""Anchors on a chain: their files, saved headers, tries, receipts, and what is given to be signed."""

from __future__ import annotations

from functools import cache

from grpc_api.anchors.keeping import is_anchor_path
from provenance import canonical
from provenance.anchors.anchor_proof import AnchorProof, verify_anchor
from provenance.anchors.checking import verify_anchored
from provenance.anchors.covered import CoveredAnchor
from provenance.anchors.header import BlockHeader
from provenance.anchors.place import AnchorPlace
from provenance.anchors.receipt import read_receipt
from provenance.anchors.rlp import decode, encode
from provenance.anchors.transaction import AnchorTransaction
from provenance.anchors.trie import proven_value
from provenance.errors import FormatError, ProvenanceError
from provenance.trust import Trust
from tests.fuzz.target import Target
from tests.unit.provenance.anchor_makers import HEAD, LINE, event, proof, receipt
from tests.unit.provenance.provenance_makers import TestLogKeys, TestSigner

STRANGER = "whoever made the anchor file that is verified"
TRANSACTION = AnchorTransaction(31337, 4, 10**9, 10**11, 120_000, LINE.contract, LINE.call_to_anchor(HEAD))


def read_file(untrusted: bytes) -> None:
    """In a block that is believed, nothing but the anchored tree head comes out."""
    believed = BlockHeader.from_bytes(proof().header).block_hash
    assert verify_anchor(untrusted, LINE, {believed}).checkpoint == HEAD
    assert AnchorProof.from_bytes(untrusted).to_bytes() == untrusted


@cache
def trust() -> Trust:
    """Believes the made anchors' line."""
    place = AnchorPlace(31337, LINE.contract, LINE.anchorer)
    vkeys = TestLogKeys(LINE.origin).vkeys
    return Trust(TestSigner("node").public, LINE.origin, vkeys, anchors=(place,))


def read_covered(untrusted: bytes) -> None:
    """Beside a proof whose tree is anchored itself."""
    believed = BlockHeader.from_bytes(proof().header).block_hash
    assert verify_anchored(untrusted, trust(), HEAD, lambda _: {believed}).anchor.checkpoint == HEAD


def read_place(untrusted: bytes) -> None:
    """One spelling but for the letters' case in addresses."""
    place = AnchorPlace.from_object(canonical.loads(untrusted))
    assert AnchorPlace.from_object(place.to_object()) == place


def read_path(untrusted: bytes) -> None:
    """No path leads out of the folder."""
    path = untrusted.decode("utf-8", "replace")
    if not is_anchor_path(path):
        raise FormatError("not the path of an anchor")
    assert path.count("/") == 1
    assert ".." not in path


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
        name="anchor_covered",
        sender=STRANGER,
        parsers=(
            "provenance.anchors.checking.verify_anchored",
            "provenance.anchors.covered.CoveredAnchor.from_bytes",
            "provenance.anchors.anchor_proof.AnchorProof.from_object",
        ),
        parse=read_covered,
        seeds=lambda: [CoveredAnchor(proof()).to_bytes(), proof().to_bytes()],
        errors=(ProvenanceError,),
        json=True,
    ),
    Target(
        name="anchor_place",
        sender="whoever wrote the trust file",
        parsers=(
            "provenance.anchors.place.AnchorPlace.from_object",
            "provenance.anchors.address.parse_address",
        ),
        parse=read_place,
        seeds=lambda: [canonical.dumps(AnchorPlace(1, LINE.contract, b"\xab" * 20).to_object())],
        errors=(ProvenanceError,),
        json=True,
    ),
    Target(
        name="anchor_path",
        sender="whoever asks the log's server",
        parsers=("grpc_api.anchors.keeping.is_anchor_path",),
        parse=read_path,
        seeds=lambda: [b"0123456789abcdef" * 2 + b"/" + last for last in (b"sizes", b"12")],
        errors=(ProvenanceError,),
        tokens=(b"../", b"/sizes", b"%2e", b".new"),
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
