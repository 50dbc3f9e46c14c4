"""An added detector behind the real wall: it covers, its digest is proven, its failure ends the job.

And what it misses is found by those who attack the result; a worker that covers badly, too, is held back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import cv2
import numpy as np
import onnx
import pytest
from media_factory import face_clip
from onnx import TensorProto, helper
from people_factory import installed_models
from worker_harness import Nursery, opened

from anonymizer.models import FULL_RANGE
from enclave.policy import Policy, Terms, parse_policy, shipped
from keyvault.age import HybridIdentity
from provenance.dsse import Envelope
from provenance.statements import JobFacts, ReleaseFacts

SIDE = 64
PROGRAM = """
import sys
from enclave.nursery.environment import prepare_environment
prepare_environment()
import pathlib, anonymizer.models as models
models.load_models.__defaults__ = (None, pathlib.Path({folder!r}))
# Somebody was at this worker: covers of three times a face and more come out at a tenth of their size.
import anonymizer.review.deciding as deciding
honest = deciding.region_of
deciding.region_of = lambda face, scale, *rest: honest(face, scale if scale < 3 else scale / 10, *rest)
from enclave.nursery.__main__ import main
sys.exit(main())
"""
POLICY = (
    shipped()["classroom"]
    .text.replace("passes = 1", 'passes = 1\ndetectors = ["centerface", "custom-face"]')
    .replace('effect = "blur"', 'effect = "solid"')
)


def network() -> bytes:
    """Sees one face in the middle; of a picture that is wholly white it knows no number to say."""
    graph = helper.make_graph(
        [
            helper.make_node("ReduceMean", ["x", "axes"], ["mean"], keepdims=1),
            helper.make_node("Sub", ["nearly_white", "mean"], ["room"]),
            helper.make_node("Sqrt", ["room"], ["root"]),
            helper.make_node("Mul", ["root", "zero"], ["nothing"]),
            helper.make_node("Add", ["nothing", "sure"], ["score4"]),
            helper.make_node("Reshape", ["score4", "shape"], ["score"]),
            helper.make_node("Concat", ["box", "score"], ["y"], axis=1),
        ],
        "one_face",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5, 1])],
        [
            helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
            helper.make_tensor("nearly_white", TensorProto.FLOAT, [], [250.0]),
            helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
            helper.make_tensor("sure", TensorProto.FLOAT, [], [0.9]),
            helper.make_tensor("shape", TensorProto.INT64, [3], [1, 1, 1]),
            helper.make_tensor("box", TensorProto.FLOAT, [1, 4, 1], [32, 32, 20, 20]),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    folder = tmp_path_factory.mktemp("added")
    model = network()
    (folder / "custom-face.onnx").write_bytes(model)
    (folder / "custom-face.toml").write_text(
        'schema = "bauta.model/v1"\nkind = "face"\nfile = "mine.onnx"\n'
        f'sha256 = "{hashlib.sha256(model).hexdigest()}"\n'
        'decoder = "yolov8"\nlicence = "MIT"\nsource = "a test"\n'
        f'input = {{width = {SIDE}, height = {SIDE}, colours = "rgb", '
        "mean = [0, 0, 0], deviation = [1, 1, 1]}\n"
    )
    program = ("-c", PROGRAM.format(folder=str(folder)))
    with Nursery(tmp_path_factory.mktemp("nursery"), program) as running:
        yield running


def a_picture(value: int) -> bytes:
    """An even picture, in which no detector of ours sees anything; the one above tells white apart."""
    done, content = cv2.imencode(".png", np.full((SIDE, SIDE, 3), value, np.uint8))
    assert done
    return bytes(content)


def test_it_covers_and_its_digest_stands_in_the_statement(nursery: Nursery) -> None:
    me = HybridIdentity.generate()
    terms = Terms(policy=parse_policy(POLICY), mode="balanced", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(a_picture(60), terms), terms.to_bytes())
    worker = ReleaseFacts.from_statement(
        Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    )
    statement = Envelope.from_bytes(finished.result.statement).verify(worker.worker_key)
    facts = JobFacts.from_statement(statement)
    assert facts.models["custom-face"] == hashlib.sha256(network()).hexdigest()
    assert facts.measurement == nursery.host.hello().measurement.hex()
    assert (facts.frames, facts.frames_with_faces, facts.tracks) == (1, 1, 1)
    media = opened(finished.sealed, me)
    picture = cv2.imdecode(np.frombuffer(media, np.uint8), cv2.IMREAD_COLOR)
    assert (picture[24:40, 24:40] == 128).all()
    assert (picture[:8] == 60).all()


def test_its_failure_on_one_picture_ends_that_job_without_a_result(nursery: Nursery) -> None:
    me = HybridIdentity.generate()
    terms = Terms(policy=parse_policy(POLICY), mode="balanced", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(a_picture(255), terms), terms.to_bytes())
    assert finished.failure_code == "detector_failed"
    assert finished.sealed == b""


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return face_clip(tmp_path_factory.mktemp("clip") / "face.mp4", seconds=0.25, audio=False).read_bytes()


def changed(policy: str, *changes: tuple[str, str]) -> Policy:
    """A shipped policy, changed in as many places."""
    text = shipped()[policy].text
    for before, after in changes:
        assert text.count(before) == 1, before
        text = text.replace(before, after)
    return parse_policy(text)


def test_what_it_misses_attackers_find_and_everything_is_covered_again(nursery: Nursery, clip: bytes) -> None:
    if FULL_RANGE not in installed_models():
        pytest.skip("no mediapipe 0.10.21 for this Python: nobody else looks")
    me = HybridIdentity.generate()
    alone = changed("classroom", ("passes = 1", 'passes = 1\ndetectors = ["custom-face"]'))
    terms = Terms(policy=alone, mode="fast", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    worker = ReleaseFacts.from_statement(
        Envelope.from_bytes(finished.result.evidence).verify(nursery.vault.node.public)
    )
    facts = JobFacts.from_statement(Envelope.from_bytes(finished.result.statement).verify(worker.worker_key))
    # The second time every detector of faces that is there looks.
    assert facts.leaks["rounds"] == 2
    assert facts.leaks["faces_open"] == 0
    assert facts.frames_with_faces == facts.frames == 6
    assert FULL_RANGE in facts.independent


def test_a_worker_that_covers_badly_delivers_nothing(nursery: Nursery, clip: bytes) -> None:
    me = HybridIdentity.generate()
    tight = changed("classroom", ("scale = 1.3", "scale = 3.0"))
    terms = Terms(policy=tight, mode="fast", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(clip, terms), terms.to_bytes())
    assert finished.failure_code == "result_shows_faces"
    assert finished.sealed == b""
    assert [report.WhichOneof("report") for report in finished.reports][-1] == "failure"


def test_a_job_that_asks_for_a_model_of_another_kind_is_refused(nursery: Nursery) -> None:
    me = HybridIdentity.generate()
    text = shipped()["street"].text.replace("[plates]", '[plates]\ndetectors = ["custom-plate"]')
    terms = Terms(policy=parse_policy(text), mode="balanced", recipients=(str(me.recipient),))
    finished = nursery.run(nursery.seal(a_picture(60), terms), terms.to_bytes())
    assert finished.failure_code == "model_missing"
    assert finished.sealed == b""
