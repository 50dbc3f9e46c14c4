"""Sending anchors: when, for how much, and that no outage of a chain stops or breaks anything."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from chain_world import ChainWorld, head
from hypothesis import given
from hypothesis import strategies as st

from grpc_api.anchors import transport
from grpc_api.anchors.batching import AnchorPolicy, AnchorState
from grpc_api.anchors.chain import AnchorChain, Sent
from grpc_api.anchors.gathering import header_bytes
from grpc_api.anchors.sender import AnchorSender
from grpc_api.errors import ServiceError
from provenance.anchors.anchor_proof import AnchorProof, verify_anchor
from provenance.anchors.header import BlockHeader
from provenance.errors import FormatError

PATIENCE_SECONDS = 120
POLICY = AnchorPolicy(
    entries=10, wait_seconds=100, confirm_seconds=50, retry_seconds=5, longest_retry_seconds=40
)


@pytest.fixture(scope="module")
def world() -> ChainWorld:
    return ChainWorld()


class Kept:
    """Proofs as they come."""

    def __init__(self) -> None:
        self.proofs: list[tuple[int, AnchorProof]] = []

    def __call__(self, size: int, proof: AnchorProof) -> None:
        self.proofs.append((size, proof))


def test_nothing_is_due_before_enough_came_or_the_oldest_waited() -> None:
    state = AnchorState().offered(head(9), 0)
    assert state.due(POLICY, 99) is None
    assert state.due(POLICY, 100) == head(9)
    assert state.offered(head(10), 1).due(POLICY, 1) == head(10)
    later = state.offered(head(9, tree=1), 50).offered(head(3), 60)
    assert later == state


def test_entries_that_came_meanwhile_wait_for_the_next() -> None:
    state = AnchorState().offered(head(10), 0).sent(head(10), 0).offered(head(12), 1)
    assert state.due(POLICY, 1000) is None
    state = state.confirmed(10, 20)
    assert (state.anchored_size, state.newest, state.in_flight) == (10, head(12), None)
    assert state.due(POLICY, 119) is None
    assert state.due(POLICY, 120) == head(12)
    assert state.confirmed(12, 130) == AnchorState(anchored_size=12, waiting_since=130)
    assert state.confirmed(9, 130) is state


def test_pauses_double_as_far_as_the_limit_goes() -> None:
    state, now, pauses = AnchorState().offered(head(10), 0), 0.0, []
    for _ in range(40):
        state = state.failed(POLICY, now)
        pauses.append(state.not_before - now)
        assert state.due(POLICY, state.not_before - 0.1) is None
        now = state.not_before
        assert state.due(POLICY, now) == head(10)
    assert pauses[:5] == [5, 10, 20, 40, 40]
    assert set(pauses[3:]) == {40}


@pytest.mark.parametrize(
    "wrong", [{"entries": 0}, {"wait_seconds": 0}, {"retry_seconds": 41}, {"confirm_seconds": -1}]
)
def test_a_policy_without_limits_is_none(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="limit"):
        replace(POLICY, **wrong)


EVENTS = st.lists(
    st.tuples(st.sampled_from(("offer", "step", "fail", "confirm")), st.integers(0, 60)), max_size=40
)


@given(EVENTS)
def test_the_machine_never_sends_back_or_twice_at_once(events: list[tuple[str, int]]) -> None:
    state, now = AnchorState(), 0.0
    for kind, value in events:
        now += value
        before = state
        if kind == "offer":
            state = state.offered(head(value), now)
        elif kind == "fail":
            state = state.failed(POLICY, now)
        elif kind == "confirm" and state.in_flight is not None:
            state = state.confirmed(state.in_flight.size, now)
        elif kind == "step" and (due := state.due(POLICY, now)) is not None:
            assert before.in_flight is None
            assert due.size > before.anchored_size
            state = state.sent(due, now)
        assert state.anchored_size >= before.anchored_size
        assert state.newest is None or state.newest.size > state.anchored_size


def test_a_log_is_anchored_and_the_proof_verifies_offline(world: ChainWorld) -> None:
    kept = Kept()
    sender = AnchorSender(world.chain(confirmations=2), POLICY, kept)
    sender.offer(head(10), 0)
    sender.step(0)
    assert sender.state.in_flight == head(10)
    sender.step(1)
    assert not kept.proofs, "a young block can be replaced"
    world.mine(2)
    sender.step(2)
    ((size, proof),) = kept.proofs
    block = BlockHeader.from_bytes(proof.header).block_hash
    assert verify_anchor(proof.to_bytes(), world.line, {block}).checkpoint == head(10)
    assert (size, sender.state.anchored_size, sender.state.newest) == (10, 10, None)
    assert block == bytes(world.node.eth.get_block(BlockHeader.from_bytes(proof.header).number)["hash"])


def test_several_transactions_of_a_block_do_not_hide_ours(world: ChainWorld) -> None:
    world.tester.disable_auto_mine_transactions()
    world.give(b"\x55" * 20)
    sent = world.chain().send(head(50))
    world.give(b"\x56" * 20, payer=1)
    world.tester.enable_auto_mine_transactions()
    world.mine()
    proof = world.chain().settled(sent.transaction_hash)
    assert proof is not None
    assert world.node.eth.get_block_transaction_count(BlockHeader.from_bytes(proof.header).number) == 3
    assert proof.check(world.line).checkpoint == head(50)


def test_a_header_is_made_of_a_nodes_json(world: ChainWorld) -> None:
    block = world.node.eth.get_block("latest")
    header = header_bytes({**block, "extraData": b""})  # eth-tester pads it, and no node does.
    assert header == world.header(bytes(block["hash"]))
    with pytest.raises(FormatError) as caught:
        header_bytes({**block, "stateRoot": None})
    assert caught.value.code == "anchor_header_unknown"


def test_a_node_that_lies_about_a_header_gives_no_proof(world: ChainWorld) -> None:
    sent = world.chain().send(head(55))
    world.mine()
    chain = replace(world.chain(), header_source=None)
    with pytest.raises(FormatError) as caught:
        chain.settled(sent.transaction_hash)
    assert caught.value.code == "anchor_header_unknown"


REFUSED: list[tuple[str, Callable[[AnchorChain], AnchorChain], int, str]] = [
    ("another chain", lambda chain: replace(chain, chain_id=1), 1000, "anchor_wrong_chain"),
    (
        "no contract there",
        lambda chain: replace(chain, line=replace(chain.line, contract=b"\7" * 20)),
        1000,
        "anchor_contract_unknown",
    ),
    ("a smaller tree", lambda chain: chain, 59, "anchor_goes_back"),
    (
        "too dear",
        lambda chain: replace(chain, limits=replace(chain.limits, max_fee_wei=1)),
        1000,
        "anchor_fee_too_high",
    ),
]


@pytest.mark.parametrize(("name", "change", "size", "code"), REFUSED, ids=[row[0] for row in REFUSED])
def test_nothing_is_sent_that_would_be_lost(
    world: ChainWorld, name: str, change: Callable[[AnchorChain], AnchorChain], size: int, code: str
) -> None:
    chain = world.chain()
    if chain.latest() != head(60):
        chain.send(head(60))
        world.mine()
    before = world.node.eth.block_number
    with pytest.raises(ServiceError) as caught:
        change(chain).send(head(size))
    assert caught.value.code == code, name
    assert world.node.eth.block_number == before


class BrokenChain(AnchorChain):
    """Every kind of outage."""

    def send(self, checkpoint: object, bumps: int = 0) -> Sent:
        raise RuntimeError("secret words of a stranger")


class SilentChain(AnchorChain):
    """Takes everything, and nothing comes of it."""

    def send(self, checkpoint: object, bumps: int = 0) -> Sent:
        BUMPS.append(bumps)
        return Sent(70, 0, bytes(32))

    def settled(self, transaction_hash: bytes) -> AnchorProof | None:
        return None


class FailingChain(SilentChain):
    """Mines it, and it fails."""

    def settled(self, transaction_hash: bytes) -> AnchorProof | None:
        raise FormatError("it failed", "anchor_transaction_failed")


BUMPS: list[int] = []


def _like(world: ChainWorld, kind: type[AnchorChain]) -> AnchorChain:
    chain = world.chain()
    return kind(chain.node, chain.chain_id, chain.line, chain.sign)


def test_an_outage_is_a_line_in_the_log_and_a_pause(
    world: ChainWorld, caplog: pytest.LogCaptureFixture
) -> None:
    sender = AnchorSender(_like(world, BrokenChain), POLICY, Kept())
    sender.offer(head(70), 0)
    for now in range(100):
        sender.step(now)
    assert sender.state.failures == 5
    assert "anchor_chain_unavailable" in caplog.text
    assert "secret" not in caplog.text
    sender.offer(head(71), 100)
    assert sender.state.newest == head(71)


def test_what_is_not_confirmed_is_sent_again_for_more(world: ChainWorld) -> None:
    BUMPS.clear()
    sender = AnchorSender(_like(world, SilentChain), POLICY, Kept())
    sender.offer(head(70), 0)
    for now in range(0, 200, 5):
        sender.step(now)
    assert BUMPS == [0, 1, 2, 3]


def test_what_failed_is_not_asked_for_again(world: ChainWorld) -> None:
    BUMPS.clear()
    sender = AnchorSender(_like(world, FailingChain), POLICY, Kept())
    sender.offer(head(70), 0)
    for now in range(0, 30, 5):
        sender.step(now)
    assert BUMPS
    assert set(BUMPS) == {0}


class Node(BaseHTTPRequestHandler):
    """Answers as the class says."""

    answer = b""
    status = 200

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(self.status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(self.answer)

    def log_message(self, *_args: object) -> None:
        """Silent."""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Node)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_node_is_asked_over_http(address: str) -> None:
    Node.answer, Node.status = b'{"jsonrpc":"2.0","id":0,"result":"0x7a69"}', 200
    assert transport.open_node(address, PATIENCE_SECONDS).eth.chain_id == 31337


BAD_NODES = [
    ("no JSON", b"<html>", 200),
    ("no object", b"[]", 200),
    ("not UTF-8", b"\xff\xfe", 200),
    ("a redirect", b'{"result":"0x1"}', 302),
    ("out of order", b'{"result":"0x1"}', 500),
    ("without an end", b'"' + b" " * 5000, 200),
    ("deeper than a parser goes", b"[" * 4000, 200),
]


@pytest.mark.parametrize(("name", "answer", "status"), BAD_NODES, ids=[row[0] for row in BAD_NODES])
def test_a_bad_node_is_an_unavailable_chain(
    address: str, name: str, answer: bytes, status: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Node.answer, Node.status = answer, status
    monkeypatch.setattr(transport, "MAX_ANSWER_BYTES", 4096)
    with pytest.raises(ServiceError) as caught:
        assert transport.open_node(address, PATIENCE_SECONDS).eth.chain_id, name
    assert caught.value.code == "anchor_chain_unavailable"


def test_nobody_there_is_an_unavailable_chain() -> None:
    for url in ("http://127.0.0.1:9/", "http:///nowhere", "https://127.0.0.1:9/x?y"):
        with pytest.raises(ServiceError) as caught:
            assert transport.open_node(url, PATIENCE_SECONDS).eth.chain_id
        assert caught.value.code == "anchor_chain_unavailable"
