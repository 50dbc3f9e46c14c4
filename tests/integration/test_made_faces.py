"""Swap, generator and warp behind the real wall: everything they need was loaded before it went up."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import onnx
import pytest
from media_factory import face_picture
from onnx import TensorProto, helper
from worker_harness import Nursery, opened

from anonymizer import load_models
from enclave.policy import Terms, parse_policy, shipped
from keyvault.age import HybridIdentity
from provenance.dsse import Envelope
from provenance.statements import JobFacts, ReleaseFacts

SIDE = 32
PROGRAM = """
import sys
from enclave.nursery.environment import prepare_environment
prepare_environment()
import pathlib, anonymizer.models as models
models.load_models.__defaults__ = (None, pathlib.Path({folder!r}))
from enclave.nursery.__main__ import main
sys.exit(main())
"""


def network() -> bytes:
    """An even face, whose lightness is that of the seed's first number."""
    graph = helper.make_graph(
        [
            helper.make_node("Sigmoid", ["seed"], ["soft"]),
            helper.make_node("Reshape", ["soft", "one"], ["value"]),
            helper.make_node("Expand", ["value", "shape"], ["face"]),
        ],
        "even",
        [helper.make_tensor_value_info("seed", TensorProto.FLOAT, [1, 1])],
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [
            helper.make_tensor("one", TensorProto.INT64, [4], [1, 1, 1, 1]),
            helper.make_tensor("shape", TensorProto.INT64, [4], [1, 3, SIDE, SIDE]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    if load_models("cpu").landmarks is None:
        pytest.skip("no mediapipe 0.10.21 or no OpenVINO for this Python")
    folder = tmp_path_factory.mktemp("added")
    _add(
        folder,
        "custom-generator",
        ".onnx",
        network(),
        f"""
kind = "generator"
file = "mine.onnx"
input = {{seed = 1, landmarks = "none", pose = false}}
output = {{side = {SIDE}, alpha = false, lowest = 0, highest = 1}}
""",
    )
    portrait = _png(np.ascontiguousarray(face_picture()[:, :, ::-1]))
    _add(
        folder,
        "custom-source-face",
        ".picture",
        portrait,
        """
kind = "source-face"
file = "mine.png"
consent = "public domain"
""",
    )
    program = ("-c", PROGRAM.format(folder=str(folder)))
    with Nursery(tmp_path_factory.mktemp("nursery"), program) as running:
        yield running


def _add(folder: Path, name: str, ending: str, content: bytes, keys: str) -> None:
    (folder / f"{name}{ending}").write_bytes(content)
    (folder / f"{name}.toml").write_text(
        f'schema = "bauta.model/v1"\nsha256 = "{hashlib.sha256(content).hexdigest()}"\n'
        f'licence = "MIT"\nsource = "a test"\n{keys}'
    )


def _png(picture: np.ndarray) -> bytes:
    done, content = cv2.imencode(".png", picture)
    assert done
    return bytes(content)


@pytest.mark.parametrize("effect", ["swap", "generator", "warp"])
def test_a_face_gets_another_one_and_the_statement_names_what_made_it(nursery: Nursery, effect: str) -> None:
    text = shipped()["classroom"].text.replace('effect = "solid"', f'effect = "{effect}"', 1)
    policy = parse_policy(text.replace('faces = "letters"', 'faces = "none"'))
    assert policy.faces.effect == effect
    me = HybridIdentity.generate()
    terms = Terms(policy=policy, mode="balanced", recipients=(str(me.recipient),))
    original = np.ascontiguousarray(face_picture()[:, :, ::-1])
    finished = nursery.run(nursery.seal(_png(original), terms), terms.to_bytes())
    worker = ReleaseFacts.from_statement(
        Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    )
    facts = JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).verify(worker.worker_key))
    assert facts.models["custom-generator"] == hashlib.sha256(network()).hexdigest()
    assert "custom-source-face" in facts.models
    made = cv2.imdecode(np.frombuffer(opened(finished.sealed, me), np.uint8), cv2.IMREAD_COLOR)
    face = made[70:180, 180:270]
    assert not (face == original[70:180, 180:270]).all(axis=2).all()
    # No flat patch: had the face not been read, it would be grey.
    assert face.std() > 8
    assert (made[400:] == original[400:]).all()
