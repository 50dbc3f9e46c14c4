"""A whole job under a policy whose proof must last decades: three signatures, and none can be left away."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import media_factory
import pytest
from service_process import Service

from enclave.policy import Terms, parse_policy, shipped
from grpc_api.client import submission
from keyvault.age import HybridIdentity
from provenance import canonical
from provenance.keys import STATEMENT_SIGNATURES
from provenance.verifier import VerificationError, verify_result

LASTING = shipped()["street"].text + 'signatures = ["ed25519", "mldsa65", "slhdsa128s"]\n'


@pytest.fixture(scope="module")
def done(service: Service, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A result and its proof."""
    folder = tmp_path_factory.mktemp("lasting")
    clip = media_factory.face_clip(folder / "clip.mp4", seconds=1)
    identity = HybridIdentity.generate()
    terms = Terms(policy=parse_policy(LASTING), mode="fast", recipients=(str(identity.recipient),))
    output = folder / "result.mp4"
    with service.connect() as connection:
        submitted = submission.submit(
            connection,
            service.trust,
            source=clip,
            output=output,
            terms=terms,
            identity=identity,
            on_progress=lambda *_: None,
        )
    return output, submitted.proof


def test_its_proof_carries_three_signatures_and_says_so(service: Service, done: tuple[Path, bytes]) -> None:
    output, proof = done
    strict = dataclasses.replace(service.trust, required_signatures=STATEMENT_SIGNATURES)
    with output.open("rb") as result:
        verified = verify_result(result, proof, strict)
    assert verified.facts.signatures == STATEMENT_SIGNATURES
    assert verified.release.worker_key.slhdsa128s != service.trust.node.slhdsa128s


@pytest.mark.parametrize("where", ["statement", "evidence"])
def test_without_the_third_it_does_not_verify(service: Service, done: tuple[Path, bytes], where: str) -> None:
    output, proof = done
    content = json.loads(proof)
    envelope = content["statement"] if where == "statement" else content["evidence"][0]
    assert envelope["signatures"].pop()["keyid"].startswith("slhdsa128s:")
    with output.open("rb") as result, pytest.raises(VerificationError):
        verify_result(result, canonical.dumps(content) + b"\n", service.trust)
