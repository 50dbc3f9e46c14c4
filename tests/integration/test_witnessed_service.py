"""A whole service whose policy takes two of three witnesses, real processes all of them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import media_factory
import pytest
from service_process import Service
from witness_process import WitnessProcess

from grpc_api.errors import ServiceError
from provenance.note import parse_note
from provenance.proof import ProofFile
from provenance.tiles.layout import CHECKPOINT
from provenance.tlog_proof import TlogProof
from provenance.verifier import VerificationError, verify_result
from tests.unit.provenance.witness_makers import TestWitness


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return media_factory.face_clip(tmp_path_factory.mktemp("media") / "clip.mp4", seconds=1)


@pytest.fixture(scope="module")
def witnesses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[WitnessProcess]]:
    folder = tmp_path_factory.mktemp("witnesses")
    made = [WitnessProcess(folder / f"w{n}", folder / "trust.json", f"witness.test/w{n}") for n in (1, 2, 3)]
    yield made
    for witness in made:
        witness.stop()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, witnesses: list[WitnessProcess]) -> Iterator[Service]:
    """Founded without witnesses; they get its trust file, it gets their keys."""
    data = tmp_path_factory.mktemp("service")
    with Service(data) as founding:
        (witnesses[0].data.parent / "trust.json").write_bytes(founding.trust.to_bytes())
    lines = []
    for number, witness in enumerate(witnesses, 1):
        witness.start()
        ed25519, mldsa44 = witness.vkeys
        lines += [f"witness w{number} {ed25519} {witness.address}"]
        lines += [
            f"witness w{number}-pq {mldsa44} {witness.address}",
            f"group W{number} all w{number} w{number}-pq",
        ]
    lines += ["group newsrooms 2 W1 W2 W3", "quorum newsrooms", ""]
    (data / "witnesses.policy").write_text("\n".join(lines))
    (data / "witnessed.toml").write_text('[witnesses]\npolicy = "witnesses.policy"\n')
    with Service(data, "--config", str(data / "witnessed.toml")) as running:
        yield running


def signers(note: bytes) -> set[str]:
    return {line.name for line in parse_note(note).lines if line.name.startswith("witness.test/")}


def submitted(service: Service, clip: Path, output: Path) -> tuple[bytes, bytes]:
    """A job from end to end; the client has verified it under the service's trust file."""
    proof = service.submit(clip, output).proof
    result = output.read_bytes()
    verify_result(io.BytesIO(result), proof, service.trust)
    return result, proof


def checkpoint_of(proof: bytes) -> bytes:
    return TlogProof.parse(ProofFile.from_bytes(proof).log).checkpoint


def test_a_job_s_proof_carries_the_witnesses_and_verifies(
    service: Service, witnesses: list[WitnessProcess], clip: Path, tmp_path: Path
) -> None:
    assert service.trust.witnesses is not None
    result, proof = submitted(service, clip, tmp_path / "result.mp4")
    verified = verify_result(io.BytesIO(result), proof, service.trust)
    assert {step.step: step.status for step in verified.steps}["checkpoint_witnessed"] == "ok"
    assert len(signers(checkpoint_of(proof))) >= 2
    assert len(signers((service.data / "desk" / "log" / CHECKPOINT).read_bytes())) >= 2
    policy = f"witness s {TestWitness('stranger.test').vkeys[0]}\nquorum s\n"
    with pytest.raises(VerificationError) as refused:
        verify_result(io.BytesIO(result), proof, replace(service.trust, witness_policy=policy))
    assert (refused.value.step, refused.value.code) == ("checkpoint_witnessed", "quorum_not_met")


def test_one_witness_down_is_no_failure(
    service: Service, witnesses: list[WitnessProcess], clip: Path, tmp_path: Path
) -> None:
    witnesses[0].stop(kill=True)
    try:
        _, proof = submitted(service, clip, tmp_path / "result.mp4")
        assert signers(checkpoint_of(proof)) == {"witness.test/w2", "witness.test/w3"}
    finally:
        witnesses[0].start()


def test_with_one_of_three_alive_nothing_is_published_and_a_later_start_takes_it_up_again(
    service: Service, witnesses: list[WitnessProcess], clip: Path, tmp_path: Path
) -> None:
    before = (service.data / "desk" / "log" / CHECKPOINT).read_bytes()
    for witness in witnesses[1:]:
        witness.stop()
    try:
        with pytest.raises(ServiceError) as refused:
            service.submit(clip, tmp_path / "result.mp4")
        assert refused.value.code == "quorum_not_met"
        assert (service.data / "desk" / "log" / CHECKPOINT).read_bytes() == before
        assert not (tmp_path / "result.mp4").exists()
        service.kill()
        with pytest.raises(AssertionError, match="quorum_not_met"):
            service.start()
        assert service.ended() == 1
    finally:
        for witness in witnesses[1:]:
            witness.start()
    service.start()
    _, proof = submitted(service, clip, tmp_path / "again.mp4")
    assert len(signers(checkpoint_of(proof))) >= 2
