"""A whole service that anchors its log: real processes, a node over HTTP, a chain by the public one's rules."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import media_factory
import pytest
from chain_node import ChainNode
from chain_world import ChainWorld
from service_process import Service, bauta_program, clean_environment

from provenance.anchors.address import format_address
from provenance.anchors.covered import CoveredAnchor
from provenance.anchors.header import BlockHeader
from provenance.anchors.place import AnchorPlace
from provenance.checkpoint import CheckpointText
from provenance.note import parse_note
from provenance.proof import ProofFile
from provenance.tlog_proof import TlogProof

PATIENCE_SECONDS = 120


@pytest.fixture(scope="module")
def node() -> Iterator[ChainNode]:
    made = ChainNode(ChainWorld())
    yield made
    if made.asked:
        made.close()


@pytest.fixture(scope="module")
def service(node: ChainNode, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    data = tmp_path_factory.mktemp("service")
    (data / "anchored.toml").write_text(
        f'[anchors]\nrpc = "{node.url}"\nchain_id = {node.world.node.eth.chain_id}\n'
        f'contract = "{format_address(node.world.contract)}"\nentries = 1\nwait_seconds = 1\nconfirmations = 0\n'
    )
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
    assert (code, told["error"]["code"]) == (1, "anchor_not_there")
    node.world.give(service.trust.anchors[0].anchorer)
    node.begin()
    until(lambda: bauta("anchors", "get", proof, "--data", service.data)[0] == 0)
    return proof.with_name(proof.name + ".anchor")


def bauta(*words: object) -> tuple[int, dict[str, Any]]:
    """Runs a command; its exit code and what it said."""
    done = subprocess.run(
        [bauta_program(), *map(str, words), "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        env=clean_environment(),
    )
    return done.returncode, json.loads(done.stdout)


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
    assert place == AnchorPlace(node.world.node.eth.chain_id, node.world.contract, place.anchorer)
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


def test_a_restart_keeps_the_anchors_and_goes_on(service: Service, node: ChainNode, anchor: Path) -> None:
    code, told = bauta("anchors", "show", "--data", service.data)
    assert code == 0
    before = [one["size"] for one in told["anchors"]]
    assert before
    assert service.stop() == 0
    service.start()
    until(lambda: _largest(service) > before[-1])
    code, told = bauta("anchors", "key", "--data", service.data, "--rpc", node.url)
    assert code == 0
    assert told["places"][0]["anchored_size"] >= _largest(service)
    assert told["places"][0]["balance_wei"] > 0


def _largest(service: Service) -> int:
    (place,) = service.trust.anchors
    sizes = service.data / "desk" / "anchors" / place.folder(service.trust.log_origin) / "sizes"
    return int(sizes.read_text().splitlines()[-1])
