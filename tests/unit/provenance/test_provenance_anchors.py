"""Anchors offline: other people's encoders agree with ours, and whatever is tampered with is refused."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest
import rlp as reference_rlp
from eth_account import Account
from eth_hash.auto import keccak as reference_keccak
from eth_keys import keys
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from provenance import canonical
from provenance.anchors.anchor_proof import (
    MAX_ANCHOR_FILE_BYTES,
    Anchor,
    AnchorProof,
    require_anchored,
    verify_anchor,
)
from provenance.anchors.event import AnchorLine
from provenance.anchors.header import BlockHeader
from provenance.anchors.keccak import keccak256
from provenance.anchors.rlp import MAX_DEPTH, decode, encode, number
from provenance.anchors.transaction import AnchorTransaction, signed_hash
from provenance.anchors.trie import proven_value
from provenance.anchors.trie_building import trie_proof
from provenance.checkpoint import CheckpointText
from provenance.encoding import base64_text
from provenance.errors import FormatError, ProvenanceError
from provenance.merkle import leaf_hash, node_hash
from tests.unit.provenance.anchor_makers import HEAD, LINE, event, header, proof, receipt

ITEMS = st.recursive(st.binary(max_size=80), lambda inner: st.lists(inner, max_size=5), max_leaves=12)


def believed(one: AnchorProof) -> set[bytes]:
    return {BlockHeader.from_bytes(one.header).block_hash}


def test_keccak_is_the_chains_own() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"abc") == reference_keccak(b"abc") != hashlib.sha3_256(b"abc").digest()


@given(ITEMS)
def test_rlp_as_the_reference_writes_it(item: list[object] | bytes) -> None:
    encoded = reference_rlp.encode(item)
    assert encode(item) == encoded  # type: ignore[arg-type]  # recursive, which hypothesis does not say
    if _depth(item) <= MAX_DEPTH:
        assert encode(decode(encoded)) == encoded
    else:
        with pytest.raises(FormatError, match="nested"):
            decode(encoded)


BAD_RLP = [
    ("nothing", ""),
    ("a byte as a string", "8105"),
    ("a long form for a short string", "b801ff"),
    ("a length with a leading zero", "b90038" + "00" * 56),
    ("a string that ends too early", "83ffff"),
    ("a list that ends too early", "c3ffff"),
    ("a member longer than its list", "c283ffff"),
    ("two items", "8080"),
    ("a length of four bytes", "bb01000000" + "00" * 9),
    ("a length that is cut off", "b9"),
    ("a list in a list whose length lies", "c4c3ff"),
]


@pytest.mark.parametrize(("name", "encoded"), BAD_RLP, ids=[row[0] for row in BAD_RLP])
def test_rlp_has_one_spelling(name: str, encoded: str) -> None:
    with pytest.raises(FormatError):
        decode(bytes.fromhex(encoded))


def test_rlp_is_not_read_deeper_than_it_says() -> None:
    nested: list[object] = []
    for _ in range(MAX_DEPTH - 1):
        nested = [nested]
    decode(reference_rlp.encode(nested))
    with pytest.raises(FormatError, match="nested"):
        decode(reference_rlp.encode([[nested]]))


@given(
    count=st.integers(1, 300), sizes=st.lists(st.integers(1, 90), min_size=1, max_size=5), at=st.integers(0)
)
@settings(max_examples=30, deadline=None)
def test_tries_have_the_references_root_and_proofs(count: int, sizes: list[int], at: int) -> None:
    values = {encode(number(n)): bytes([n % 255 + 1]) * sizes[n % len(sizes)] for n in range(count)}
    reference = HexaryTrie({})
    for name, value in values.items():
        reference[name] = value
    key = encode(number(at % count))
    root, nodes = trie_proof(values, key)
    assert root == reference.root_hash
    assert proven_value(root, key, nodes) == values[key]
    listed = [reference_rlp.encode(node) for node in reference.get_proof(key)]
    ours = [listed[0], *(node for node in listed[1:] if len(node) >= 32)]
    assert list(nodes) == ours


def test_no_other_key_has_the_value() -> None:
    values = {encode(number(n)): b"value %d" % n * 5 for n in range(200)}
    for n in (0, 1, 127, 128, 199):
        root, nodes = trie_proof(values, encode(number(n)))
        for other in (0, 1, 2, 127, 128, 199, 200, 65535):
            if other != n:
                with pytest.raises(ProvenanceError):
                    proven_value(root, encode(number(other)), nodes)


def test_an_anchor_verifies() -> None:
    for index, others in ((3, 200), (0, 1), (127, 300), (128, 300), (255, 257)):
        one = proof(index, others)
        anchor = verify_anchor(one.to_bytes(), LINE, believed(one))
        assert anchor.checkpoint == HEAD
        assert (anchor.block.number, anchor.block.mined_at) == (7, 1_700_000_000)


def test_headers_of_every_fork_are_read() -> None:
    for fields in range(15, 22):
        assert BlockHeader.from_bytes(header(b"\x05" * 32, fields)).receipts_root == b"\x05" * 32
    for fields in (14, 33):
        with pytest.raises(FormatError):
            BlockHeader.from_bytes(header(b"\x05" * 32, fields))


def test_every_flipped_bit_is_found() -> None:
    one = proof()
    blocks = believed(one)
    for name in ("header", "nodes"):
        parts = [one.header] if name == "header" else list(one.nodes)
        for which, part in enumerate(parts):
            for place in range(len(part)):
                changed = part[:place] + bytes([part[place] ^ 1]) + part[place + 1 :]
                if name == "header":
                    tampered = replace(one, header=changed)
                else:
                    tampered = replace(one, nodes=(*parts[:which], changed, *parts[which + 1 :]))
                with pytest.raises(ProvenanceError):
                    verify_anchor(_file(tampered), LINE, blocks)


OTHER = CheckpointText(LINE.origin, 6, HEAD.root)
TAMPERED: list[tuple[str, Callable[[AnchorProof], AnchorProof], str]] = [
    ("another transaction", lambda one: replace(one, transaction=4), "anchor_proof_broken"),
    ("another event of the receipt", lambda one: replace(one, event=0), "anchor_of_another"),
    ("an event that is not there", lambda one: replace(one, event=2), "anchor_of_another"),
    ("a node left out", lambda one: replace(one, nodes=one.nodes[:-1]), "anchor_proof_broken"),
    ("a node too many", lambda one: replace(one, nodes=(*one.nodes, one.nodes[-1])), "anchor_proof_broken"),
    ("nodes upside down", lambda one: replace(one, nodes=one.nodes[::-1]), "anchor_proof_broken"),
    ("a header of one's own", lambda one: proof(0, 1), "anchor_block_not_believed"),
    ("a receipt of a failed one", lambda _: proof(3, 9, receipt([event()], 0)), "anchor_transaction_failed"),
    ("another log", lambda _: proof(3, 9, receipt([event(_line(origin="x.test/y"))])), "anchor_of_another"),
    (
        "another sender",
        lambda _: proof(3, 9, receipt([event(_line(anchorer=b"\7" * 20))])),
        "anchor_of_another",
    ),
    (
        "another contract",
        lambda _: proof(3, 9, receipt([event(_line(contract=b"\7" * 20))])),
        "anchor_of_another",
    ),
    ("a receipt that is none", lambda _: proof(3, 9, encode([b"\x01"] * 40)), "anchor_malformed"),
    ("a topic too many", lambda _: proof(3, 9, receipt([_with_topic(event())])), "anchor_of_another"),
    ("words cut off", lambda _: proof(3, 9, receipt([[*event()[:2], b"\0" * 63]])), "anchor_malformed"),
]


@pytest.mark.parametrize(("name", "tamper", "code"), TAMPERED, ids=[row[0] for row in TAMPERED])
def test_each_tampering_has_its_code(
    name: str, tamper: Callable[[AnchorProof], AnchorProof], code: str
) -> None:
    tampered = tamper(proof())
    blocks = believed(proof()) if code == "anchor_block_not_believed" else believed(tampered)
    with pytest.raises(ProvenanceError) as caught:
        verify_anchor(_file(tampered), LINE, blocks)
    assert caught.value.code == code, name


def test_a_file_has_one_form_and_an_end() -> None:
    good = proof().to_bytes()
    for bad in (
        good[:-1],
        good + b"\n",
        good.replace(b'"event":1', b'"event":true'),
        good.replace(b"v1", b"v2"),
    ):
        with pytest.raises(FormatError):
            AnchorProof.from_bytes(bad)
    with pytest.raises(FormatError) as caught:
        AnchorProof.from_bytes(b" " * (MAX_ANCHOR_FILE_BYTES + 1) + b"\n")
    assert caught.value.code == "too_large"
    assert len(good) < 4096


def test_a_checkpoint_within_an_anchored_tree_is_anchored() -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(3)]
    pair = node_hash(leaves[0], leaves[1])
    old = CheckpointText(LINE.origin, 2, pair)
    new = CheckpointText(LINE.origin, 3, node_hash(pair, leaves[2]))
    block = BlockHeader.from_bytes(proof().header)
    require_anchored(Anchor(block, new), new)
    require_anchored(Anchor(block, new), old, [leaves[2]])
    for anchored, checkpoint, consistency in (
        (new, old, []),
        (new, replace(old, root=leaves[0]), [leaves[2]]),
        (new, replace(new, root=pair), []),
        (old, new, [leaves[2]]),
        (new, replace(old, origin="x.test/y"), [leaves[2]]),
        (new, CheckpointText(LINE.origin, 0, hashlib.sha256(b"").digest()), []),
    ):
        with pytest.raises(ProvenanceError):
            require_anchored(Anchor(block, anchored), checkpoint, consistency)


def test_a_transaction_is_what_other_programs_sign() -> None:
    key = keys.PrivateKey(b"\x07" * 32)
    ours = AnchorTransaction(31337, 4, 10**9, 10**11, 120_000, LINE.contract, LINE.call_to_anchor(HEAD))
    signed = ours.signed(key.sign_msg_hash(keccak256(ours.to_sign())).to_bytes())
    theirs = Account.sign_transaction(
        {
            "type": 2,
            "chainId": 31337,
            "nonce": 4,
            "maxPriorityFeePerGas": 10**9,
            "maxFeePerGas": 10**11,
            "gas": 120_000,
            "to": LINE.contract,
            "value": 0,
            "data": LINE.call_to_anchor(HEAD),
        },
        key.to_bytes(),
    )
    assert signed == bytes(theirs.raw_transaction)
    assert signed_hash(signed) == bytes(theirs.hash)


def test_a_signer_sees_what_it_signs() -> None:
    ours = AnchorTransaction(31337, 4, 10**9, 10**11, 120_000, LINE.contract, LINE.call_to_anchor(HEAD))
    read = AnchorTransaction.from_bytes(ours.to_sign())
    assert read == ours
    assert read.anchors(LINE) == HEAD
    assert read.most_wei == 120_000 * 10**11
    fields = list(decode(ours.to_sign()[1:]))
    for place, value in ((6, b"\x01"), (8, [[LINE.contract, []]]), (5, b""), (0, b"\0\1")):
        paying = b"\x02" + reference_rlp.encode([*fields[:place], value, *fields[place + 1 :]])
        with pytest.raises(FormatError):
            AnchorTransaction.from_bytes(paying)
    for other in (
        replace(ours, contract=b"\7" * 20),
        replace(ours, call=b"\0" * 100),
        replace(ours, call=b""),
    ):
        with pytest.raises(FormatError):
            other.anchors(LINE)


def _depth(item: object) -> int:
    return 1 + max(map(_depth, item), default=0) if isinstance(item, list) else 0


def _line(**changed: object) -> AnchorLine:
    return replace(LINE, **changed)  # type: ignore[arg-type]  # of the field's type


def _with_topic(one: list[object]) -> list[object]:
    return [one[0], [*one[1], b"\0" * 32], one[2]]  # type: ignore[misc]  # topics are a list


def _file(one: AnchorProof) -> bytes:
    """What a forger writes: no check before it."""
    content = canonical.loads(proof().to_bytes()[:-1])
    content |= {"header": base64_text(one.header), "transaction": one.transaction, "event": one.event}
    content["nodes"] = [base64_text(node) for node in one.nodes]
    return canonical.dumps(content) + b"\n"
