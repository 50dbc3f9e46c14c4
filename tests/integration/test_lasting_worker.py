"""A policy's third signature behind the real wall: the child makes the key, signs with it, takes no less."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from media_factory import face_clip
from worker_harness import Answers, Nursery

from enclave.policy import Terms, parse_policy, shipped
from keyvault.age import HybridIdentity
from keyvault.signing.hybrid import HybridSigner
from protos.bauta.internal.v1.release_pb2 import ReleaseRequest
from provenance.certified import read_evidence, read_job
from provenance.dsse import Envelope, sign_envelope
from provenance.keys import STATEMENT_SIGNATURES
from provenance.statements import ReleaseFacts

LASTING = shipped()["street"].text + 'signatures = ["ed25519", "mldsa65", "slhdsa128s"]\n'


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """A warm parent, and a vault whose node has a third key."""
    with Nursery(tmp_path_factory.mktemp("nursery")) as running:
        running.vault.node = HybridSigner.generate(third=True)
        yield running


@pytest.fixture(scope="module")
def terms() -> Terms:
    recipient = str(HybridIdentity.generate().recipient)
    return Terms(policy=parse_policy(LASTING), mode="fast", recipients=(recipient,))


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_clip(tmp_path_factory.mktemp("clip") / "face.mp4", seconds=0.2).read_bytes()


def certify(node: HybridSigner, request: ReleaseRequest, answers: Answers, third_key: bytes | None) -> None:
    """Replaces the played vault's evidence by one about this third key."""
    assert answers.offer is not None
    played = ReleaseFacts.from_statement(Envelope.from_bytes(answers.offer.evidence).payload)
    facts = dataclasses.replace(played, worker_slhdsa128s=third_key)
    answers.offer.evidence = sign_envelope(facts.to_statement(), node, facts.signatures).to_bytes()


def test_three_signatures_are_made_behind_the_wall(nursery: Nursery, terms: Terms, clip: bytes) -> None:
    node = nursery.vault.node
    nursery.vault.twist = lambda request, answers: certify(
        node, request, answers, request.worker_slhdsa128s_key
    )
    results = [nursery.run(nursery.seal(clip, terms), terms.to_bytes()).result for _ in range(2)]
    workers = set()
    for result in results:
        release = read_evidence(Envelope.from_bytes(result.evidence), node.public, STATEMENT_SIGNATURES)
        facts = read_job(Envelope.from_bytes(result.statement), release, STATEMENT_SIGNATURES)
        assert facts.signatures == release.signatures == STATEMENT_SIGNATURES
        workers.add(release.worker_slhdsa128s)
    assert len(workers) == 2


@pytest.mark.parametrize("third_key", [None, bytes(32)], ids=["no third key", "another third key"])
def test_evidence_without_its_third_key_is_refused_by_the_child(
    nursery: Nursery, terms: Terms, clip: bytes, third_key: bytes | None
) -> None:
    node = nursery.vault.node
    nursery.vault.twist = lambda request, answers: certify(node, request, answers, third_key)
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    assert finished.failure_code == "release_refused"
