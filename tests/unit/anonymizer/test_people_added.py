"""People found by a detector that was added, and the one class of a YOLO that counts."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from io import BytesIO
from types import MappingProxyType
from typing import Any

import cv2
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from anonymizer import AnonymizerError, Limits, Models, PeopleSettings, Settings, anonymize
from anonymizer.detect.added_detector import AddedDetector
from anonymizer.manifest import Manifest, parse_manifest

SIDE = 64
# Centre, size and likelihoods of two classes: somebody at the left, a car at the right.
SOMEBODY, A_CAR = (16, 32, 12, 40, 0.9, 0.1), (48, 32, 20, 10, 0.2, 0.8)


def network(decoder: str) -> bytes:
    """A network that sees somebody and a car in whatever it is shown."""
    rows = np.array([SOMEBODY, A_CAR], np.float32)
    if decoder == "yolov5":
        rows = np.concatenate([rows[:, :4], np.ones((2, 1), np.float32), rows[:, 4:]], axis=1)
    answer = rows[None] if decoder == "yolov5" else rows.T[None]
    graph = helper.make_graph(
        [helper.make_node("Identity", ["c"], ["y"])],
        "constant",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, answer.shape)],
        [onnx.numpy_helper.from_array(np.ascontiguousarray(answer), "c")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def manifest(decoder: str = "yolov8", line: str = "") -> Manifest:
    digest = hashlib.sha256(network(decoder) if decoder.startswith("yolo") else b"").hexdigest()
    return parse_manifest(
        f"""
        schema = "bauta.model/v1"
        kind = "person"
        file = "mine.onnx"
        sha256 = "{digest}"
        decoder = "{decoder}"
        licence = "MIT"
        source = "made by a test"
        {line}
        [input]
        width = {SIDE}
        height = {SIDE}
        colours = "rgb"
        mean = [0.0, 0.0, 0.0]
        deviation = [1.0, 1.0, 1.0]
        """.encode()
    )


def centres(decoder: str, line: str) -> list[int]:
    detector = AddedDetector(network(decoder), manifest(decoder, line), 0.5, 1)
    boxes = detector.detect(np.zeros((SIDE, SIDE, 3), np.uint8))
    return sorted(round(float(x)) for x in (boxes[:, 0] + boxes[:, 2]) / 2)


CLASSES = {"all": ("", [16, 48]), "people": ("class = 0", [16]), "cars": ("class = 1", [48])}


@pytest.mark.parametrize("decoder", ["yolov5", "yolov8"])
@pytest.mark.parametrize(("line", "expected"), CLASSES.values(), ids=CLASSES.keys())
def test_only_the_class_that_counts_is_found(decoder: str, line: str, expected: list[int]) -> None:
    assert centres(decoder, line) == expected


@pytest.mark.parametrize("decoder", ["yolov5", "yolov8"])
def test_a_class_that_the_network_does_not_know_is_refused(decoder: str) -> None:
    with pytest.raises(AnonymizerError) as caught:
        centres(decoder, "class = 2")
    assert caught.value.code == "model_unusable"


REFUSED = {
    "no number": ("yolov8", 'class = "person"'),
    "true": ("yolov8", "class = true"),
    "under nothing": ("yolov8", "class = -1"),
    "beyond all networks": ("yolov8", "class = 1000"),
    "half a class": ("yolov8", "class = 0.5"),
    "of a family that knows one class": ("scrfd", "class = 0"),
}


@pytest.mark.parametrize(("decoder", "line"), REFUSED.values(), ids=REFUSED.keys())
def test_a_class_of_another_form_is_refused(decoder: str, line: str) -> None:
    with pytest.raises(AnonymizerError) as caught:
        manifest(decoder, line)
    assert caught.value.code == "model_manifest_invalid"
    assert "class" in str(caught.value)


def asked(models: Models) -> tuple[Any, Any]:
    noise = np.random.default_rng(1).integers(90, 110, (SIDE, SIDE, 3), np.uint8)
    sink = BytesIO()
    report = anonymize(
        BytesIO(bytes(cv2.imencode(".png", noise)[1])),
        sink,
        settings=Settings(people=PeopleSettings(scale=1.0, detectors=("custom-person",))),
        models=models,
        limits=Limits(),
    )
    return report, cv2.imdecode(np.frombuffer(sink.getvalue(), np.uint8), cv2.IMREAD_COLOR)


def test_what_an_added_detector_of_people_finds_is_covered(models: Models) -> None:
    said = manifest("yolov8", "class = 0")
    with_it = replace(
        models,
        files=MappingProxyType({**models.files, said.name: network("yolov8")}),
        added=MappingProxyType({said.name: said}),
    )
    assert said.name == "custom-person"
    report, picture = asked(with_it)
    assert report.frames_with["person"] == 1
    grey = (picture == 128).all(axis=2)
    assert grey[14:50, 11:21].all()
    assert not grey[:, 30:].any()


def test_without_it_the_policy_is_refused(models: Models) -> None:
    with pytest.raises(AnonymizerError) as caught:
        asked(models)
    assert caught.value.code == "model_missing"
