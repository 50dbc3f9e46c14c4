"""A whole service that anchors its log: real processes, a node over HTTP, a chain by public rules."""

from __future__ import annotations

import contextlib
import io
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import media_factory
import pytest
from chain_node import ChainNode
from chain_world import ChainWorld
from service_process import Service

from console import output
from console.main import app
from grpc_api.client.connection import service_errors
from grpc_api.errors import ServiceError
from protos.bauta.v1 import proofs_pb2
from provenance.anchors.address import format_address
from provenance.anchors.covered import CoveredAnchor
from provenance.anchors.header import BlockHeader
from provenance.anchors.place import AnchorPlace
from provenance.checkpoint import CheckpointText
from provenance.note import parse_note
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof

PATIENCE_SECONDS = 120


@pytest.fixture(autouse=True, scope="module")
def _as_json() -> Iterator[None]:
    before = output.MODE.as_json
    yield
    output.MODE.as_json = before


@pytest.fixture(scope="module")
def node() -> Iterator[ChainNode]:
    made = ChainNode(ChainWorld())
    yield made
    made.close()


@pytest.fixture(scope="module")
def service(node: ChainNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("service")
    lines = [
        "[anchors]",
        f'rpc = "{node.url}"',
        f"chain_id = {node.chain_id}",
        f'contract = "{format_address(node.world.contract)}"',
        *("entries = 1", "wait_seconds = 1", "confirmations = 0", ""),
    ]
    (data / "anchored.toml").write_text("\n".join(lines))
    with Service(data, "--config", str(data / "anchored.toml")) as running:
        yield running


@pytest.fixture(scope="module")
def result(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A job's result and its proof, made while the chain's port is dead."""
    folder = tmp_path_factory.mktemp("result")
    clip = media_factory.face_clip(folder / "clip.mp4", seconds=1)
    output = folder / "out.mp4"
    (folder / "out.mp4.proof").write_bytes(service.submit(clip, output).proof)
    return output


@pytest.fixture(scope="module")
def anchor(service: Service, node: ChainNode, result: Path) -> Path:
    """The anchor that covers the proof, once the chain is there and the vault's address has money."""
    proof = result.with_name("out.mp4.proof")
    code, told = bauta("anchors", "get", proof, "--data", service.data)
    assert (code, told["code"]) == (1, "anchor_not_there")
    node.give(service.trust.anchors[0].anchorer)
    node.begin()
    until(lambda: bauta("anchors", "get", proof, "--data", service.data)[0] == 0)
    return proof.with_name(proof.name + ".anchor")


def bauta(*words: object) -> tuple[int, dict[str, Any]]:
    """Runs a command in this process; its exit code, and what it said."""
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        try:
            code = app([*map(str, words), "--json"], standalone_mode=False)
        except ServiceError as error:
            return 1, {"code": error.code}
    return code or 0, json.loads(said.getvalue())


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not holds():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.5)


def believed_header(anchor: Path) -> bytes:
    return CoveredAnchor.from_bytes(anchor.read_bytes()).anchor.header


def test_a_dead_chain_stops_no_job(service: Service, node: ChainNode, result: Path) -> None:
    code, told = bauta("verify", result, "--data", service.data)
    assert (code, told["verified"]) == (0, True)
    assert not node.asked
    until(lambda: "a tree head was not anchored: anchor_chain_unavailable" in service.log.read_text())
    assert node.url not in service.log.read_text(), "an address of a node can hold a secret"
    assert service.health() == "SERVING"


def test_the_vault_s_address_stands_in_the_trust_file(service: Service, node: ChainNode) -> None:
    (place,) = service.trust.anchors
    assert place == AnchorPlace(node.chain_id, node.world.contract, place.anchorer)
    code, told = bauta("anchors", "key", "--data", service.data)
    assert (code, told["places"]) == (0, [place.to_object()])


def test_an_anchor_verifies_offline_from_a_saved_header_and_from_a_named_block(
    service: Service, result: Path, anchor: Path, tmp_path: Path
) -> None:
    header = tmp_path / "header.rlp"
    header.write_bytes(believed_header(anchor))
    block = BlockHeader.from_bytes(header.read_bytes())
    for believed in (("--header", header), ("--block", f"0x{block.block_hash.hex()}")):
        code, told = bauta("verify", result, "--data", service.data, "--anchor", anchor, *believed)
        assert (code, told["verified"]) == (0, True)
        assert told["anchor"]["block"] == block.number
        assert {step["step"]: step["status"] for step in told["steps"]}["anchor_block_believed"] == "ok"
    proven = TlogProof.parse(ProofFile.from_bytes(result.with_name("out.mp4.proof").read_bytes()).log)
    size = CheckpointText.parse(parse_note(proven.checkpoint).text.encode()).size
    assert told["anchor"]["size"] >= size


def test_an_anchor_verifies_online_and_a_block_that_nobody_named_does_not(
    service: Service, node: ChainNode, result: Path, anchor: Path
) -> None:
    words = ("verify", result, "--data", service.data, "--anchor", anchor)
    code, told = bauta(*words, "--rpc", node.url)
    assert (code, told["verified"]) == (0, True)
    code, told = bauta(*words, "--block", "0x" + "11" * 32)
    assert (code, told["failed_step"], told["code"]) == (
        1,
        "anchor_block_believed",
        "anchor_block_not_believed",
    )


@pytest.mark.parametrize("size", [0, 1 << 40])
def test_a_tree_that_was_never_published_has_no_anchor(service: Service, anchor: Path, size: int) -> None:
    with service.connect() as connection, pytest.raises(ServiceError) as refused, service_errors():
        connection.proofs.GetAnchor(proofs_pb2.GetAnchorRequest(size=size), timeout=60)
    assert refused.value.code == "not_published"


def test_what_is_anchored_is_shown_and_what_the_address_has_is_asked(
    service: Service, node: ChainNode, anchor: Path
) -> None:
    code, told = bauta("anchors", "show", "--data", service.data)
    assert code == 0
    kept = CoveredAnchor.from_bytes(anchor.read_bytes()).anchor
    assert "0x" + BlockHeader.from_bytes(kept.header).block_hash.hex() in {
        one["block_hash"] for one in told["anchors"]
    }
    code, told = bauta("anchors", "key", "--data", service.data, "--rpc", node.url)
    assert code == 0
    assert told["places"][0]["balance_wei"] > 0
    assert told["places"][0]["anchored_size"] >= 1
