"""The contract: it is its source's, and no sequence of calls moves an anchor back."""

from __future__ import annotations

import hashlib
import importlib.util

import pytest
from chain_world import ORIGIN, ChainWorld, head
from eth_keys import keys
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3

from grpc_api.anchors.contract import SOURCE_NAME, compiled
from grpc_api.anchors.contract.compiling import FOLDER, VYPER, artifact
from provenance.anchors.anchor_proof import Anchor
from provenance.anchors.event import ANCHOR_SELECTOR, ANCHORED_TOPIC, LATEST_SELECTOR, AnchorLine
from provenance.anchors.keccak import keccak256
from provenance.checkpoint import MAX_SIZE


@pytest.fixture(scope="module")
def world() -> ChainWorld:
    return ChainWorld()


def call(world: ChainWorld, data: bytes, sender: str, value: int = 0) -> bool:
    """Sends whatever it is; says whether it was taken."""
    sent = world.backend.send_transaction(
        {
            "from": bytes.fromhex(sender[2:]),
            "to": world.contract,
            "data": data,
            "gas": 200_000,
            "gas_price": 10**10,
            "value": value,
        }
    )
    world.mine()
    return bool(world.node.eth.get_transaction_receipt(sent)["status"])


def anchoring(origin: bytes, size: int, root: bytes) -> bytes:
    return ANCHOR_SELECTOR + origin + size.to_bytes(32, "big") + root


def latest(world: ChainWorld, sender: str, origin: bytes) -> tuple[int, bytes]:
    contract = world.node.eth.contract(address=Web3.to_checksum_address(world.contract), abi=compiled().abi)
    size, root = contract.functions.latest(sender, origin).call()
    return size, root


def test_the_artifact_is_what_the_compiler_makes_of_the_source() -> None:
    if importlib.util.find_spec("vyper") is None:
        pytest.skip(f"Vyper {VYPER} is not installed: only the source's digest is compared")
    assert (FOLDER / "anchors.json").read_text(encoding="utf-8") == artifact()


def test_the_artifact_names_the_source_and_the_compiler() -> None:
    assert compiled().source_sha256 == hashlib.sha256((FOLDER / SOURCE_NAME).read_bytes()).hexdigest()
    assert compiled().compiler.startswith(f"vyper {VYPER}+commit.")


def test_the_abi_says_what_the_verifier_reads() -> None:
    """Signatures written in `provenance.anchors.event`, against those that the compiler gave."""
    found = {}
    for entry in compiled().abi:
        signature = f"{entry['name']}({','.join(one['type'] for one in entry['inputs'])})"
        found[entry["name"]] = keccak256(signature.encode())
    assert found["Anchored"] == ANCHORED_TOPIC
    assert found["anchor"][:4] == ANCHOR_SELECTOR
    assert found["latest"][:4] == LATEST_SELECTOR
    event = next(entry for entry in compiled().abi if entry["name"] == "Anchored")
    assert [one["indexed"] for one in event["inputs"]] == [True, True, False, False]


def test_what_is_deployed_is_the_runtime_code(world: ChainWorld) -> None:
    assert bytes(world.node.eth.get_code(Web3.to_checksum_address(world.contract))) == compiled().runtime_code


A, B = hashlib.sha256(b"a").digest(), hashlib.sha256(b"b").digest()
FORWARD_ONLY = [
    ("size 0", 0, b"r", False),
    ("the first", 5, b"r", True),
    ("the same once more", 5, b"r", True),
    ("another root at one size", 5, b"s", False),
    ("smaller", 4, b"r", False),
    ("larger", 6, b"s", True),
    ("back to the one before", 5, b"r", False),
    ("larger than a checkpoint can say", MAX_SIZE + 1, b"t", False),
    ("larger than the contract's number, where a truncated one would be 7", 2**64 + 7, b"t", False),
    ("negative, as two's complement", 2**256 - 1, b"t", False),
    ("the largest", MAX_SIZE, b"t", True),
    ("one before the largest", MAX_SIZE - 1, b"t", False),
]


def test_one_line_by_the_table(world: ChainWorld) -> None:
    sender = world.node.eth.accounts[1]
    kept = (0, bytes(32))
    for name, size, letter, taken in FORWARD_ONLY:
        root = letter * 32
        assert call(world, anchoring(A, size, root), sender) is taken, name
        kept = (size, root) if taken else kept
        assert latest(world, sender, A) == kept, name


def test_nobody_writes_into_another_line(world: ChainWorld) -> None:
    mine, theirs = world.node.eth.accounts[2:4]
    assert call(world, anchoring(A, 5, b"m" * 32), mine)
    assert call(world, anchoring(A, MAX_SIZE, b"t" * 32), theirs)
    assert call(world, anchoring(B, 1, b"o" * 32), mine)
    assert latest(world, mine, A) == (5, b"m" * 32)
    assert call(world, anchoring(A, 6, b"n" * 32), mine)


REFUSED_CALLS = [
    ("money", anchoring(B, 5, b"r" * 32), 1),
    ("no arguments", ANCHOR_SELECTOR, 0),
    ("a word short", anchoring(B, 5, b"r" * 32)[:-32], 0),
    ("nothing at all", b"", 0),
    ("money and nothing else", b"", 1),
    ("a function that is not there", b"\xff" * 100, 0),
]


@pytest.mark.parametrize(("name", "data", "value"), REFUSED_CALLS, ids=[row[0] for row in REFUSED_CALLS])
def test_it_takes_nothing_else(world: ChainWorld, name: str, data: bytes, value: int) -> None:
    assert not call(world, data, world.node.eth.accounts[4], value), name
    assert world.node.eth.get_balance(Web3.to_checksum_address(world.contract)) == 0


CALLS = st.lists(
    st.tuples(
        st.sampled_from((5, 6)),
        st.sampled_from((A, B)),
        st.one_of(st.integers(0, 4), st.sampled_from((MAX_SIZE, MAX_SIZE + 1, 2**64, 2**256 - 1))),
        st.sampled_from((b"r" * 32, b"s" * 32)),
    ),
    min_size=1,
    max_size=10,
)


@given(calls=CALLS)
@settings(max_examples=15, deadline=None)
def test_no_sequence_of_calls_moves_an_anchor_back(
    world: ChainWorld, calls: list[tuple[int, bytes, int, bytes]]
) -> None:
    """Against a model of four lines, after every call: forward, or unchanged."""
    snapshot = world.tester.take_snapshot()
    accounts = world.node.eth.accounts
    model = {(who, origin): (0, bytes(32)) for who in (5, 6) for origin in (A, B)}
    try:
        for who, origin, size, root in calls:
            before = model[who, origin]
            forward = size > before[0] or (size, root) == before
            taken = call(world, anchoring(origin, size, root), accounts[who])
            assert taken == (forward and 0 < size <= MAX_SIZE)
            if taken:
                model[who, origin] = (size, root)
            for (party, log), expected in model.items():
                assert latest(world, accounts[party], log) == expected
    finally:
        world.tester.revert_to_snapshot(snapshot)


def test_a_line_of_another_key_proves_nothing_of_ours(world: ChainWorld) -> None:
    chain = world.chain()
    sent = chain.send(head(5))
    world.mine()
    proof = chain.settled(sent.transaction_hash)
    assert proof is not None
    assert proof.check(world.line) == Anchor(proof.check(world.line).block, head(5))
    other = keys.PrivateKey(b"\x07" * 32).public_key.to_canonical_address()
    for line in (AnchorLine(world.contract, other, ORIGIN), AnchorLine(other, world.line.anchorer, ORIGIN)):
        with pytest.raises(Exception, match="not of the line") as caught:
            proof.check(line)
        assert caught.value.code == "anchor_of_another"
